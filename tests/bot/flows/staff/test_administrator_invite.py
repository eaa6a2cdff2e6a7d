"""An administrator invites in the chat, and whoever scans the code has joined."""

from backend.security.policy import Role
from bot.messages import QrCode
from tests.bot.flows.staff.conftest import County


async def test_a_code_is_made_for_whoever_has_not_joined_and_it_works_once(county: County) -> None:
    story = county.story
    await story.invite("孙新来", Role.EXPERT, "省人民医院", "cardiology")
    assert "还没有加入" in await county.administrator.click("administrator.invite")
    assert not [text for text in county.administrator.choices if text.startswith("王建国")]
    sent = await county.administrator.tap("孙新来·省人民医院")
    assert "邀请孙新来加入桥医（会诊专家）" in sent
    assert "只能用一次" in sent
    [code] = [reply for reply in county.administrator.replies if isinstance(reply, QrCode)]
    newcomer, second = await story.phone(), await story.phone()
    assert "孙新来" in await newcomer.follow(code.scene)
    assert "已经用过了" in await second.scan(code.scene)
    await county.administrator.click("administrator.invite")
    assert not [text for text in county.administrator.choices if text.startswith("孙新来")]
    assert "已经加入" in await county.administrator.click(
        f"administrator.invite_one:{story.house.practitioners['孙新来']}"
    )


async def test_a_long_list_comes_in_pages(county: County) -> None:
    for number in range(10):
        await county.story.invite(f"新{number}", Role.GRASSROOTS_DOCTOR, "黄坡镇卫生院", "general_practice")
    await county.administrator.click("administrator.invite")
    first = list(county.administrator.choices)
    await county.administrator.tap("下一页")
    second = list(county.administrator.choices)
    assert len(first) == 9
    assert not set(first[:-1]) & set(second)


async def test_nobody_else_invites(county: County) -> None:
    for phone in (county.doctor, county.patient):
        assert "权限" in await phone.click("administrator.invite")
        assert "权限" in await phone.click(f"administrator.invite_one:{county.story.house.practitioners['王建国']}")
