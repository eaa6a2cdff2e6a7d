"""我的资料: what is known is shown, and changed by tapping and typing; nothing that was begun is lost by it."""

import pytest

from backend.security.policy import Role
from tests.support.house import House
from tests.support.stories import Phone, Story


@pytest.fixture
async def phone(house: House) -> Phone:
    """A patient who has agreed to the consent."""
    return await (await Story.begin(house)).patient("张小明")


async def test_what_is_known_is_shown_and_the_telephone_only_in_part(phone: Phone) -> None:
    assert "手机：还没填" in await phone.click("patient.profile")
    await phone.tap("改手机号")
    assert "手机号改成：13812345678" in await phone.say("138 1234 5678"), "read back"
    shown = await phone.tap("对")
    assert "手机：138****5678" in shown
    assert "1234" not in shown
    assert "姓名：张小明" in shown
    assert "性别：男" in shown


@pytest.mark.parametrize(
    ("button", "typed", "shown"),
    [
        ("改姓名", "王秀英", "姓名：王秀英"),
        ("改性别", "女", "性别：女"),
        ("改性别", "我是女的", "性别：女"),
        ("改年龄", "67岁", "年龄：67岁"),
        ("改年龄", "六十七岁", "年龄：67岁"),
        ("改年龄", "1958年3月12日", "年龄：68岁"),
        ("改年龄", "1958.3.12", "年龄：68岁"),
        ("改手机号", "＋86 13812345678", "手机：138****5678"),
        ("改住址", "青山镇石桥村3组12号", "住址：青山镇石桥村3组12号"),
    ],
)
async def test_each_value_is_changed_by_writing_it(phone: Phone, button: str, typed: str, shown: str) -> None:
    await phone.click("patient.profile")
    await phone.tap(button)
    assert "对吗？" in await phone.say(typed)
    assert shown in await phone.say("对")


@pytest.mark.parametrize(
    ("button", "typed"),
    [
        ("改姓名", "12345"),
        ("改性别", "不知道"),
        ("改年龄", "1958年13月40日"),
        ("改年龄", "3000年1月1日"),
        ("改年龄", "很大了"),
        ("改手机号", "12345"),
        ("改住址", "家"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_and_asked_for_again(phone: Phone, button: str, typed: str) -> None:
    before = await phone.click("patient.profile")
    await phone.tap(button)
    assert await phone.say(typed)
    assert phone.state.flow == "profile"
    assert await phone.say("不改了") == before
    assert phone.state.flow == ""


async def test_the_sex_can_be_tapped(phone: Phone) -> None:
    await phone.click("patient.profile")
    await phone.tap("改性别")
    assert "性别改成：女" in await phone.tap("女")
    assert "性别：女" in await phone.tap("对")


async def test_an_intake_that_was_begun_goes_on_afterwards(phone: Phone) -> None:
    await phone.say("我咳嗽三天了")
    begun = phone.state.flow
    await phone.click("patient.profile")
    await phone.tap("改手机号")
    await phone.say("13812345678")
    await phone.tap("对")
    assert phone.state.flow == begun
    assert "intake" in phone.state.data
    assert await phone.tap("接着刚才说")


async def test_before_the_consent_nothing_is_shown_or_asked(house: House) -> None:
    phone = await (await Story.begin(house)).phone()
    assert "同意" in await phone.click("patient.profile")
    assert "同意" in await phone.click("patient.profile_change:phone")
    assert phone.state.flow == ""


async def test_who_works_here_sees_the_directory_s_entry_and_changes_the_telephone_alone(house: House) -> None:
    story = await Story.begin(house)
    expert = await story.join("王建国", Role.EXPERT, "省人民医院", "respiratory")
    shown = await expert.click("patient.profile")
    assert "王建国　主任医师" in shown
    assert "省人民医院·呼吸内科" in shown
    assert expert.choices == ["改手机号"]
    await expert.tap("改手机号")
    assert "手机号改成：13900000000" in await expert.say("13900000000")
    assert "139****0000" in await expert.tap("对")
    assert "联系管理员" in await expert.click("patient.profile_change:name")
    await expert.click("patient.profile_sex:female")
    actor = await house.actor(expert.person_id)
    assert (await house.services.people.person(actor, expert.person_id)).sex == "unknown"


async def test_what_was_read_wrong_is_written_again(phone: Phone) -> None:
    await phone.click("patient.profile")
    await phone.tap("改姓名")
    await phone.say("王秀音")
    assert "请写您的姓名" in await phone.say("不对")
    await phone.say("王秀英")
    assert "姓名：王秀英" in await phone.tap("对")


async def test_what_an_identity_number_tells_changes_with_that_alone(phone: Phone) -> None:
    people, me = phone.house.services.people, phone.person_id
    await people.update_person(await phone.house.actor(me), me, id_number="11010519491231002X")
    assert "照身份证号来的" in await phone.click("patient.profile")
    assert "改年龄" not in phone.choices
    told = await phone.click("patient.profile_change:birth")
    assert "改身份证号" in told
    await phone.tap("改身份证号")
    await phone.say("110101195803122440")
    assert "年龄：68岁" in await phone.tap("对")
