"""From the approved prescription to 已签收, and asked for once more: everybody on their phones."""

import io
import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest_asyncio
from PIL import Image

from backend.clock import LOCAL_ZONE, local
from backend.ids import new_id
from backend.prescription import Line, PrescriptionView
from backend.security.policy import SYSTEM, Role
from bot.messages import Picture
from tests.bot.flows.staff.conftest import County
from tests.support.prescribing import AMOXICILLIN, CETIRIZINE, amoxicillin, tell_everything
from tests.support.stories import Phone


class Scene:
    """An approved prescription, and a pharmacy nearby."""

    def __init__(self, county: County, pharmacist: Phone, pharmacy_id: str) -> None:
        self.county, self.house = county, county.story.house
        self.patient, self.doctor, self.pharmacist = county.patient, county.doctor, pharmacist
        self.pharmacy_id = pharmacy_id

    async def prescribed(self, *lines: Line, chronic: bool = False) -> PrescriptionView:
        """Have the doctor sign and a pharmacist of the centre approve."""
        people, prescriptions = self.house.services.people, self.house.services.prescriptions
        case = await self.county.story.open_case(self.patient)
        doctor = await people.actor(self.doctor.person_id)
        await self.house.services.consultations.acknowledge_task(doctor, case.id)
        draft = await prescriptions.draft(doctor, case.id)
        draft = await prescriptions.write(
            doctor, draft.id, lines=lines or (amoxicillin(),), diagnoses=("J20.9",), chronic=chronic, in_person=True
        )
        for one in draft.unanswered:
            draft = await prescriptions.override(doctor, draft.id, one.rule, one.subject, "已当面问过")
        signed = await prescriptions.sign(doctor, draft.id, revision=draft.revision)
        reviewer = await people.actor(self.county.story.phones["叶青禾"].person_id)
        approved = await prescriptions.approve(reviewer, signed.id)
        for phone in self.county.story.phones.values():
            if phone is not self.patient:
                await phone.hear()
        return approved


@pytest_asyncio.fixture
async def scene(county: County) -> Scene:
    story, house = county.story, county.story.house
    await tell_everything(house.services.people, house.services.records, county.patient.person_id)
    await story.join("叶青禾", Role.PHARMACIST, "黄坡镇卫生院", "", title="主管药师")
    pharmacy_id = house.institutions["黄坡大药房"] = new_id()
    await house.services.people.put_institution(
        SYSTEM,
        pharmacy_id,
        code="P1",
        name="黄坡大药房",
        kind="pharmacy",
        region="黄坡镇",
        address="黄坡街8号",
        latitude=31.01,
        longitude=115.0,
    )
    pharmacist = await story.join("孙近", Role.PHARMACIST, "黄坡大药房", "", title="药师")
    for name in ("李强", "叶青禾"):
        await house.signing.issue(SYSTEM, house.practitioners[name])
    actor = await house.actor(pharmacist.person_id)
    await house.services.dispensing.set_stock(actor, pharmacy_id, {AMOXICILLIN: 9, CETIRIZINE: 9})
    return Scene(county, pharmacist, pharmacy_id)


async def test_the_medicines_are_ordered_packed_sent_and_received(scene: Scene) -> None:
    await scene.prescribed()
    await scene.patient.hear()
    offered = await scene.patient.tap("去取药")
    assert "黄坡大药房（1.1公里，药齐）黄坡街8号" in offered
    await scene.patient.tap("黄坡大药房")
    await scene.patient.tap("送到家里")
    assert "太短了" in await scene.patient.say("家里")
    assert "不收您的钱" in await scene.patient.say("要多少钱")
    assert "11位" in await scene.patient.say("黄坡镇柳树村三组12号")
    assert "11位" in await scene.patient.say("12345")
    assert "已经告诉黄坡大药房了" in await scene.patient.say("13800138000")
    task = await scene.pharmacist.hear()
    assert "新的取药单" in task
    assert "黄坡镇柳树村三组12号" in task
    assert "四查十对" in await scene.pharmacist.tap("接单")
    assert "正在配药" in await scene.patient.hear()
    await scene.pharmacist.tap("已核对配好")
    assert "马上发出来" in await scene.patient.hear()
    await scene.pharmacist.tap("已发出")
    await scene.pharmacist.tap("邮政快递")
    assert "已发出" in await scene.pharmacist.say("EA123456789CN")
    assert "邮政快递 EA123456789CN" in await scene.patient.hear()
    received = await scene.patient.tap("药收到了")
    assert "药已签收" in received
    assert "要不要我到点提醒您吃药？" in received
    assert "患者已签收" in await scene.pharmacist.hear()
    await scene.patient.click("order.mine")
    assert scene.patient.choices == ["黄坡大药房 已签收"]


async def test_a_missing_medicine_is_had_elsewhere_and_a_refusal_has_a_reason(scene: Scene) -> None:
    await scene.prescribed(amoxicillin(), Line(CETIRIZINE, Decimal(10), "qd", "oral", 5))
    await scene.patient.hear()
    for choice in ("去取药", "黄坡大药房", "我自己去取"):
        await scene.patient.tap(choice)
    await scene.pharmacist.hear()
    await scene.pharmacist.tap("接单")
    await scene.patient.hear()
    assert "2. 西替利嗪片" in await scene.pharmacist.tap("缺药")
    assert "1到2之间" in await scene.pharmacist.say("9")
    assert "已配好" in await scene.pharmacist.say("2")
    told = await scene.patient.hear()
    assert "药配好了，请带上身份证去取" in told
    assert "有1种药这家缺货" in told
    assert "附近的药店现在都没有" in await scene.patient.tap("缺的到别家取")


async def test_a_refused_order_is_told_with_its_reason(scene: Scene) -> None:
    await scene.prescribed()
    await scene.patient.hear()
    for choice in ("去取药", "黄坡大药房", "我自己去取"):
        await scene.patient.tap(choice)
    await scene.pharmacist.hear()
    await scene.pharmacist.tap("配不了")
    assert "已告诉患者" in await scene.pharmacist.tap("超出配送范围")
    told = await scene.patient.hear()
    assert "请换一家" in told
    assert "超出配送范围" in told
    assert "附近的药店现在都没有" in await scene.patient.tap("换一家药店")


async def test_a_paper_is_redeemed_at_the_counter_once(scene: Scene) -> None:
    prescription = await scene.prescribed()
    await scene.patient.hear()
    await scene.pharmacist.click("pharmacy.queue")
    await scene.pharmacist.tap("柜台取药")
    assert "不像" in await scene.pharmacist.say("你好")
    shown = await scene.pharmacist.say(f"https://qiaoyi.example/verify/{prescription.code}")
    assert "患者：张小明" in shown
    assert "阿莫西林胶囊" in shown
    assert "已核销" in await scene.pharmacist.tap("核对无误，核销")
    told = await scene.patient.hear()
    assert "您的药已经取走了" in told
    assert "要不要我到点提醒您吃药？" in told
    await scene.pharmacist.click("pharmacy.redeem")
    assert "已取药" in await scene.pharmacist.say(prescription.code or "")


async def test_the_code_comes_as_a_picture_and_its_digits_are_read_aloud(scene: Scene) -> None:
    await scene.prescribed()
    await scene.patient.hear()
    said = await scene.patient.tap("取药码，给药店看")
    number = re.search(r"取药号：(\d{4} \d{4})", said)
    assert number is not None
    picture = next(one for one in scene.patient.replies if isinstance(one, Picture))
    data, media_type = await scene.house.services.files.get(picture.file_id)
    assert media_type == "image/png"
    assert Image.open(io.BytesIO(data)).size == (720, 980)
    await scene.pharmacist.click("pharmacy.redeem")
    assert "没有这个取药码" in await scene.pharmacist.say("0000 0000")
    assert "张小明" in await scene.pharmacist.say(number.group(1))
    assert "8个数字" in await scene.pharmacist.tap("不对，重新输入")
    await scene.pharmacist.say(number.group(1).replace(" ", ""))
    assert "已核销" in await scene.pharmacist.tap("核对无误，核销")
    await scene.patient.hear()


async def test_reminders_begin_when_the_patient_has_the_medicines_and_wants_them(scene: Scene) -> None:
    await at_seven(scene)
    prescription = await scene.prescribed()
    await redeemed(scene, prescription)
    offered = await scene.patient.hear()
    assert "· 阿莫西林胶囊：上午8:00、中午12:00、晚上6:00" in offered
    begun = await scene.patient.tap("好，到点提醒我")
    assert "到点我会提醒您" in begun
    assert "· 阿莫西林胶囊，口服，一次2粒，饭后吃：上午8:00" in begun
    await scene.county.story.move_to(scene.house.clock.now() + timedelta(hours=1, minutes=1))
    assert await scene.patient.hear() == "上午8:00，该吃药了：\n· 阿莫西林胶囊，口服，一次2粒，饭后吃"
    await scene.patient.click(f"medicine.have:{prescription.id}")
    assert "您的吃药提醒" in scene.patient.text


async def test_the_patient_chooses_the_hours(scene: Scene) -> None:
    await at_seven(scene)
    await redeemed(scene, await scene.prescribed())
    await scene.patient.hear()
    assert "要改哪个时间" in await scene.patient.tap("提醒我，时间要改")
    assert "改成几点" in await scene.patient.tap("晚上6:00")
    assert "没看懂" in await scene.patient.say("随便")
    assert "至少要隔3个小时" in await scene.patient.say("下午1点")
    assert "夜里10点到早上6点不提醒" in await scene.patient.say("夜里11点")
    moved = await scene.patient.say("五点半")
    assert "晚上6:00改成下午5:30" in moved
    assert "上午8:00、中午12:00、下午5:30" in moved


async def test_who_wants_no_reminders_hears_none_and_may_think_again(scene: Scene) -> None:
    await at_seven(scene)
    await redeemed(scene, await scene.prescribed())
    await scene.patient.hear()
    assert "不提醒" in await scene.patient.tap("不用提醒")
    await scene.county.story.move_to(scene.house.clock.now() + timedelta(hours=6))
    assert await scene.patient.hear() == ""
    assert "要不要我到点提醒您吃药" in await scene.patient.say("吃药提醒")


async def test_who_fetched_the_medicines_elsewhere_says_so_and_a_revoked_prescription_ends_it(scene: Scene) -> None:
    await at_seven(scene)
    prescription = await scene.prescribed()
    await scene.patient.hear()
    assert "要不要我到点提醒您吃药" in await scene.patient.tap("药拿到了，提醒我吃")
    await scene.patient.tap("好，到点提醒我")
    doctor = await scene.house.actor(scene.doctor.person_id)
    await scene.house.services.prescriptions.revoke(doctor, prescription.id, "开错了药")
    assert "作废" in await scene.patient.hear()
    await scene.county.story.move_to(scene.house.clock.now() + timedelta(hours=6))
    assert await scene.patient.hear() == ""


async def at_seven(scene: Scene) -> None:
    there = local(scene.house.clock.now())
    seven = datetime(there.year, there.month, there.day, 7, tzinfo=LOCAL_ZONE) + timedelta(days=1)
    await scene.county.story.move_to(seven)


async def redeemed(scene: Scene, prescription: PrescriptionView) -> None:
    await scene.patient.hear()
    actor = await scene.house.actor(scene.pharmacist.person_id)
    await scene.house.services.dispensing.redeem(actor, prescription.code or "")


async def test_the_stock_is_kept_by_name_or_initials(scene: Scene) -> None:
    await scene.pharmacist.click("pharmacy.stock")
    assert "是哪一种，20盒" in await scene.pharmacist.say("amxl 20")
    await scene.pharmacist.tap("1")
    actor = await scene.house.actor(scene.pharmacist.person_id)
    stock = await scene.house.services.dispensing.stock(actor, scene.pharmacy_id)
    assert 20 in [one.packs for one in stock]


async def test_a_patient_with_a_chronic_disease_asks_for_it_once_more(scene: Scene) -> None:
    prescription = await scene.prescribed(Line(CETIRIZINE, Decimal(10), "qd", "oral", 5), chronic=True)
    actor = await scene.house.actor(scene.pharmacist.person_id)
    await scene.house.services.dispensing.redeem(actor, prescription.code or "")
    await scene.patient.hear()
    await scene.patient.click(f"prescription.open:{prescription.consultation_id}")
    await scene.patient.tap("快吃完了，再开")
    assert "已经告诉医生了" in await scene.patient.say("血压130/80，没有不舒服")
    task = await scene.doctor.hear()
    assert "患者请求续方" in task
    assert "血压130/80，没有不舒服" in task
    await scene.doctor.tap("不续")
    assert "已告诉患者" in await scene.doctor.tap("需要先复查")
    assert "需要先复查" in await scene.patient.hear()


async def test_a_doctor_who_agrees_goes_on_with_the_same_lines(scene: Scene) -> None:
    prescription = await scene.prescribed(Line(CETIRIZINE, Decimal(10), "qd", "oral", 5), chronic=True)
    actor = await scene.house.actor(scene.pharmacist.person_id)
    await scene.house.services.dispensing.redeem(actor, prescription.code or "")
    await scene.patient.click(f"refill.ask:{prescription.id}")
    await scene.patient.tap("都挺好")
    await scene.doctor.hear()
    await scene.doctor.tap("同意续方")
    if "在患者身边吗" in scene.doctor.text:
        await scene.doctor.tap("没有")
    assert "西替利嗪片" in scene.doctor.text
    assert "医生同意给您续方" in await scene.patient.hear()
