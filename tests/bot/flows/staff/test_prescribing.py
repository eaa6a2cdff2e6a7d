"""A prescription in chat, from the doctor's search to the card in the patient's hand."""

from dataclasses import replace
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from backend.consultation.views import ConsultationView
from backend.security.policy import SYSTEM, Action, Role
from backend.security.tables import AuditEntry
from bot.cards.prescription import draft_blocks, finding_text
from bot.messages import Link
from tests.bot.flows.staff.conftest import County
from tests.support.prescribing import (
    AMBROXOL,
    AMOXICILLIN,
    CETIRIZINE,
    IBUPROFEN,
    OMEPRAZOLE,
    WARFARIN,
    amoxicillin,
    line,
    tell_everything,
)
from tests.support.stories import Phone

LONG: list[tuple[str, int | str, str]] = [
    (WARFARIN, "2.5", "qd"),
    (IBUPROFEN, 400, "tid"),
    (AMOXICILLIN, 500, "tid"),
    (OMEPRAZOLE, 20, "bid"),
    (CETIRIZINE, 10, "qd"),
]
SAFE: list[tuple[str, int | str, str]] = [
    (AMBROXOL, 30, "tid"),
    (AMOXICILLIN, 500, "tid"),
    (CETIRIZINE, 10, "qd"),
    (OMEPRAZOLE, 20, "qd"),
]


class Scene:
    """A case whose doctor prescribes, and a pharmacist of the same centre."""

    def __init__(self, county: County, case: ConsultationView, pharmacist: Phone) -> None:
        self.county, self.case, self.pharmacist = county, case, pharmacist
        self.doctor, self.patient, self.house = county.doctor, county.patient, county.story.house

    async def open(self) -> str:
        """Open the case, begin, and say the diagnosis where it is asked for."""
        await self.doctor.click("doctor.mine")
        await self.doctor.tap(self.case.patient_name or "患者")
        if "先写诊断" in await self.doctor.tap("开处方"):
            await self.doctor.say("急性支气管炎")
            await self.doctor.tap("J20.9")
        if "在患者身边吗" in self.doctor.text:
            await self.doctor.tap("有，当面看着")
        return self.doctor.text

    async def write_amoxicillin(self) -> None:
        """Write what is often written."""
        await self.open()
        await self.doctor.say("amxl")
        await self.doctor.tap("1. 阿莫西林胶囊")
        await self.doctor.tap("就这样")

    async def sign(self) -> str:
        """Read, sign; give the pharmacist's task."""
        await self.doctor.tap("读一遍")
        await self.doctor.tap("没有错，签名")
        return await self.pharmacist.hear()

    async def approve(self) -> None:
        """Approve as the pharmacist."""
        await self.pharmacist.tap("开始审核")
        await self.pharmacist.tap("审核通过")
        await self.pharmacist.tap("确定通过，签名")


@pytest_asyncio.fixture
async def scene(county: County) -> Scene:
    story = county.story
    pharmacist = await story.join("叶青禾", Role.PHARMACIST, "黄坡镇卫生院", "", title="主管药师")
    for name in ("李强", "叶青禾"):
        await story.house.signing.issue(SYSTEM, story.house.practitioners[name])
    services = story.house.services
    await tell_everything(services.people, services.records, county.patient.person_id)
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    for phone in story.phones.values():
        await phone.hear()
    return Scene(county, case, pharmacist)


async def test_the_whole_way_from_search_to_the_patients_card(scene: Scene) -> None:
    assert "拼音首字母" in await scene.open()
    assert "1. 阿莫西林胶囊 250mg×24粒/盒" in await scene.doctor.say("amxl")
    proposed = await scene.doctor.tap("1. 阿莫西林胶囊")
    assert "一次500mg（2粒），每天三次，7天，共2盒" in proposed
    await scene.doctor.tap("改天数")
    await scene.doctor.tap("5天")
    await scene.doctor.tap("加嘱咐")
    await scene.doctor.tap("饭后吃")
    written = await scene.doctor.tap("就这样")
    assert "每天三次，5天，共2盒，饭后吃" in written
    task = await scene.sign()
    assert "已经发给药师审核" in scene.doctor.text
    assert "新处方，等您审核" in task
    assert await scene.patient.hear() == ""
    full = await scene.pharmacist.tap("开始审核")
    assert "张小明" in full
    assert "急性支气管炎（J20.9）" in full
    assert "阿莫西林胶囊" in full
    await scene.pharmacist.tap("审核通过")
    assert "通过了" in await scene.pharmacist.tap("确定通过")
    heard = await scene.patient.heard()
    words = "\n".join(getattr(one, "text", "") or getattr(one, "head", "") for one in heard)
    assert "阿莫西林胶囊（2盒）\n　口服，每天三次，一次2粒，用5天，饭后吃。" in words
    (card,) = [one for one in heard if isinstance(one, Link)]
    assert card.url.startswith("http://house.test/h5/prescriptions/")
    assert "阿莫西林" not in card.description
    assert "叶青禾药师审核通过了处方" in await scene.doctor.hear()


async def test_the_patient_finds_it_again_under_the_case(scene: Scene) -> None:
    await scene.write_amoxicillin()
    await scene.sign()
    await scene.patient.click("patient.mine")
    await scene.patient.tap(scene.patient.choices[0])
    assert "看处方" not in scene.patient.choices
    await scene.approve()
    await scene.patient.click("patient.mine")
    await scene.patient.tap(scene.patient.choices[0])
    assert "阿莫西林胶囊" in await scene.patient.tap("看处方")


async def test_a_returned_prescription_comes_back_with_the_reason_and_is_changed(scene: Scene) -> None:
    await scene.write_amoxicillin()
    await scene.sign()
    await scene.pharmacist.tap("开始审核")
    await scene.pharmacist.tap("退回")
    assert "退回了" in await scene.pharmacist.tap("天数太长")
    told = await scene.doctor.hear()
    assert "叶青禾药师说：天数太长" in told
    assert "天数太长" in await scene.doctor.tap("去修改")
    await scene.doctor.tap("改药或删药")
    await scene.doctor.tap("1. 阿莫西林胶囊")
    await scene.doctor.tap("改天数")
    await scene.doctor.say("两天")
    await scene.doctor.tap("就这样")
    assert "新处方" in await scene.sign()
    assert await scene.patient.hear() == ""


async def test_an_allergy_stops_at_once_and_offers_another_medicine(scene: Scene) -> None:
    await scene.house.services.records.add_allergy(SYSTEM, scene.patient.person_id, "青霉素")
    await scene.write_amoxicillin()
    assert "⛔" in scene.doctor.text
    assert "青霉素" in scene.doctor.text
    assert scene.doctor.choices == ["换一种药", "改用量", "不开这种药"]
    assert "去掉了" in await scene.doctor.tap("换一种药")
    await scene.doctor.say("奥美拉唑")
    await scene.doctor.tap("1. 奥美拉唑")
    assert "阿莫西林" not in await scene.doctor.tap("就这样")


async def test_a_warning_asks_for_a_reason_which_the_pharmacist_reads(scene: Scene) -> None:
    await scene.open()
    await scene.doctor.say("amxl")
    await scene.doctor.tap("1. ")
    await scene.doctor.tap("改天数")
    await scene.doctor.say("10天")
    await scene.doctor.tap("就这样")
    assert "一般处方不超过7天" in scene.doctor.text
    assert "请写下理由" in scene.doctor.text
    await scene.doctor.say("支原体感染，要用满10天")
    assert "您写的理由：支原体感染，要用满10天" in scene.doctor.text
    await scene.sign()
    assert "医生的理由：支原体感染，要用满10天" in await scene.pharmacist.tap("开始审核")


async def test_without_a_certificate_nothing_is_signed_and_the_draft_stays(scene: Scene) -> None:
    (mine,) = [one for one in await scene.house.signing.certificates(SYSTEM) if one.name == "李强"]
    await scene.house.signing.revoke(SYSTEM, mine.serial, "遗失")
    await scene.write_amoxicillin()
    assert await scene.sign() == ""
    assert "证书已经吊销" in scene.doctor.text
    assert "阿莫西林胶囊" in await scene.open()


async def test_a_colleague_who_comes_second_hears_who_has_it(scene: Scene) -> None:
    colleague = await scene.county.story.join("丁一诺", Role.PHARMACIST, "黄坡镇卫生院", "", title="药师")
    await scene.write_amoxicillin()
    await scene.sign()
    assert "新处方" in await colleague.hear()
    await scene.pharmacist.tap("开始审核")
    assert "叶青禾药师正在审" in await colleague.tap("开始审核")
    assert "叶青禾药师正在审" in await colleague.click("pharmacist.queue")


async def test_the_doctor_takes_it_back_and_the_patient_hears_not_to_use_it(scene: Scene) -> None:
    await scene.write_amoxicillin()
    await scene.sign()
    await scene.approve()
    await scene.patient.hear()
    await scene.doctor.hear()
    await scene.doctor.tap("看处方")
    await scene.doctor.tap("作废这张处方")
    assert "作废了" in await scene.doctor.tap("患者要住院")
    assert "请不要再拿去取药" in await scene.patient.hear()


async def test_a_long_prescription_loses_no_warning_and_keeps_its_answers(scene: Scene) -> None:
    await scene.open()
    services, doctor = scene.house.services, await scene.house.actor(scene.doctor.person_id)
    for name in ("辛伐他汀", "胺碘酮", "地高辛", "氯吡格雷"):
        await services.records.add_medicine(SYSTEM, scene.patient.person_id, name)
    draft = await services.prescriptions.draft(doctor, scene.case.id)
    wanted = [line(code, dose, 14, often) for code, dose, often in LONG]
    draft = await services.prescriptions.write(doctor, draft.id, lines=wanted)
    assert len("".join(draft_blocks(draft, "张小明")).encode()) > 5000
    seen = await scene.doctor.click(f"prescription.write:{scene.case.id}")
    while "接着看" in scene.doctor.choices:
        assert "改药或删药" in scene.doctor.choices
        seen += await scene.doctor.tap("接着看")
    for finding in draft.findings:
        assert finding_text(finding) in seen
    assert "要改哪一种" in await scene.doctor.tap("改药或删药")


async def test_what_is_long_is_read_to_its_end_before_it_is_signed_or_approved(scene: Scene) -> None:
    await scene.open()
    services, doctor = scene.house.services, await scene.house.actor(scene.doctor.person_id)
    draft = await services.prescriptions.draft(doctor, scene.case.id)
    wanted = [replace(line(code, dose, 14, often), note="嘱咐" * 50) for code, dose, often in SAFE]
    draft = await services.prescriptions.write(doctor, draft.id, lines=wanted)
    assert draft.stops == ()
    for one in draft.unanswered:
        await services.prescriptions.override(doctor, draft.id, one.rule, one.subject, "已经当面核对过，" * 20)
    await scene.doctor.click(f"prescription.write:{scene.case.id}")
    await scene.doctor.tap("读一遍")
    assert "没有错，签名" not in scene.doctor.choices
    while "接着读" in scene.doctor.choices:
        await scene.doctor.tap("接着读")
    await scene.doctor.tap("没有错，签名")
    await scene.pharmacist.hear()
    await scene.pharmacist.tap("开始审核")
    assert "审核通过" not in scene.pharmacist.choices
    assert "退回" in scene.pharmacist.choices
    while "接着看" in scene.pharmacist.choices:
        await scene.pharmacist.tap("接着看")
    assert "审核通过" in scene.pharmacist.choices


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("一片", "没看懂"),
        ("0.25g", "一次250mg（1粒）"),
        ("3粒", "一次750mg（3粒）"),
        ("半", "一次125mg（0.5粒）"),
        ("1000毫克", "一次1g（4粒）"),
    ],
)
async def test_a_dose_is_said_as_people_say_it(scene: Scene, said: str, told: str) -> None:
    await scene.open()
    await scene.doctor.say("阿莫西林")
    await scene.doctor.say("1")
    await scene.doctor.tap("改一次的量")
    assert told in await scene.doctor.say(said)


async def test_old_buttons_and_strange_words_lose_nothing(scene: Scene) -> None:
    await scene.write_amoxicillin()
    await scene.doctor.tap("改一次的量")
    await scene.doctor.tap("1粒")
    await scene.doctor.tap("就这样")
    await scene.doctor.tap("就这样")
    assert scene.doctor.text.count("阿莫西林胶囊 250mg") == 1
    assert "没有找到" in await scene.doctor.say("龙肝凤胆")
    await scene.doctor.tap("返回处方")
    assert "阿莫西林胶囊" in scene.doctor.text
    await scene.doctor.say("返回")
    assert "阿莫西林胶囊" in await scene.open()


async def test_the_same_draft_is_written_on_the_page_and_in_chat(scene: Scene) -> None:
    await scene.open()
    await scene.doctor.tap("在网页上写")
    card = scene.doctor.replies[-1]
    assert isinstance(card, Link)
    service, doctor = (
        scene.house.services.prescriptions,
        await scene.house.services.people.actor(scene.doctor.person_id),
    )
    draft = await service.draft(doctor, scene.case.id)
    assert card.url.endswith(f"/h5/prescriptions/{draft.id}")
    await service.write(doctor, draft.id, lines=[amoxicillin()])
    assert "阿莫西林胶囊" in await scene.open()
    await scene.doctor.tap("在网页上写")
    assert "写处方" in scene.doctor.text


async def test_templates_and_the_last_prescription_save_typing(scene: Scene) -> None:
    await scene.write_amoxicillin()
    await scene.doctor.tap("存成模板")
    assert "存好了" in await scene.doctor.say("咳嗽常用")
    await scene.sign()
    await scene.approve()
    await scene.open()
    assert "填好了" in await scene.doctor.tap("照上次开")
    await scene.doctor.tap("丢掉")
    await scene.doctor.tap("确定丢掉")
    await scene.open()
    assert "一共" in await scene.doctor.tap("用模板")
    assert "没有名字里带“骨折”的模板" in await scene.doctor.say("骨折")
    assert await scene.doctor.say("咳嗽") == "用哪个模板？（一共17个，没看到的，请发名字里的几个字）"
    assert "阿莫西林胶囊" in await scene.doctor.tap("咳嗽常用")


async def test_what_nobody_has_asked_is_asked_first_and_kept(county: County) -> None:
    story = county.story
    await story.house.signing.issue(SYSTEM, story.house.practitioners["李强"])
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    scene = Scene(county, case, county.patient)
    await scene.write_amoxicillin()
    assert "出生日期" in scene.doctor.text
    assert "没看明白" in await scene.doctor.say("不清楚")
    assert "过敏" in await scene.doctor.say("46岁")
    assert "在吃什么药" in await scene.doctor.tap("问过了，没有过敏")
    assert "记下了" in await scene.doctor.say("二甲双胍")
    known = await story.house.services.records.background(SYSTEM, county.patient.person_id)
    assert known.birth_date is not None
    assert (known.allergies, [one.name for one in known.medicines]) == ((), ["二甲双胍"])
    assert "⛔" not in scene.doctor.text


async def test_a_prescription_needs_a_name_and_a_sex(county: County) -> None:
    story = county.story
    people, nobody = story.house.services.people, await story.phone()
    await people.give_consent(await story.house.actor(nobody.person_id), people.consent_document().version)
    case = await story.open_case(nobody)
    await story.submit(case, county.doctor)
    scene = Scene(county, case, nobody)
    await scene.write_amoxicillin()
    assert "写患者的姓名" in scene.doctor.text
    assert "写患者的性别" in await scene.doctor.say("王秀兰")
    assert "出生日期" in await scene.doctor.tap("女")
    assert "过敏" in await scene.doctor.say("46岁")
    assert "在吃什么药" in await scene.doctor.tap("问过了，没有过敏")
    assert "姓名" not in await scene.doctor.tap("问过了，没在吃药")


async def test_an_allergy_that_the_doctor_learns_now_stops_the_medicine(county: County) -> None:
    story = county.story
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    scene = Scene(county, case, county.patient)
    await scene.write_amoxicillin()
    await scene.doctor.say("46岁")
    await scene.doctor.say("青霉素")
    await scene.doctor.tap("问过了，没在吃药")
    assert "这种药不能开" in scene.doctor.text
    assert "青霉素" in scene.doctor.text


async def test_a_doctor_puts_right_what_doses_depend_on(scene: Scene) -> None:
    await scene.write_amoxicillin()
    assert "1980年5月1日（46岁）" in await scene.doctor.tap("改姓名、年龄、性别")
    await scene.doctor.tap("改出生日期")
    assert "没看明白" in await scene.doctor.say("不清楚")
    assert "1958年3月12日（68岁）" in await scene.doctor.say("1958年3月12日")
    await scene.doctor.tap("改性别")
    assert "性别：女" in await scene.doctor.tap("女")
    await scene.doctor.tap("改姓名")
    assert "患者：王秀兰" in await scene.doctor.say("王秀兰")
    known = await scene.house.services.records.background(SYSTEM, scene.patient.person_id)
    assert (known.birth_date, known.sex) == (date(1958, 3, 12), "female")
    async with scene.house.database.reading() as session:
        query = select(func.count()).where(AuditEntry.action == Action.PEOPLE_CORRECT)
        assert await session.scalar(query) == 3
    assert "阿莫西林胶囊" in await scene.doctor.tap("去开处方")


async def test_the_expert_may_do_so_too_but_not_against_the_identity_number(scene: Scene) -> None:
    people, story = scene.house.services.people, scene.county.story
    expert = scene.county.expert
    await story.accept(scene.case, expert)
    await expert.hear()
    await expert.click(f"patient.facts:{scene.case.id}")
    await expert.tap("改出生日期")
    assert "改好了" in await expert.say("1949年12月31日")
    await people.update_person(SYSTEM, scene.patient.person_id, id_number="11010519491231002X")
    await expert.tap("改出生日期")
    assert "身份证号对不上" in await expert.say("1958年3月12日")
    stranger = await story.patient("路人")
    await stranger.click(f"patient.facts:{scene.case.id}")
    assert "出生日期" not in stranger.text
