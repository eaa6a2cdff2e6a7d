"""The story: a grandmother coughs, and an expert a hundred kilometres away helps her village doctor. Step by step."""

import asyncio
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp

from qiaoyi.demo.cast import PATIENCE_SECONDS, Person, first_to_hear
from qiaoyi.demo.medicines import Medicines
from qiaoyi.demo.money import Money
from qiaoyi.demo.pages import opened
from qiaoyi.demo.picture import film
from qiaoyi.demo.transcript import Transcript
from sandbox.client import Message, NoSuchMessageError, SandboxClient

_MOST_QUESTIONS = 14
_HOME = (28.6210, 114.8190, "石桥镇李家湾")

# What the grandmother answers to whatever is asked: the first words that the question holds decide.
_ANSWERS = (
    ("叫什么名字", "王秀英"),
    ("慢性病", "有高血压，吃硝苯地平，没有药物过敏"),
    ("过敏", "没有过敏"),
    ("多大年纪", "67岁，女"),
    ("多久", "三天了"),
    ("几天", "三天了"),
    ("冷汗", "都没有"),
    ("痰", "黄痰"),
    ("给谁", "给我自己"),
)


class Story:
    """Plays itself on the phones of a running sandbox."""

    def __init__(self, sandbox: SandboxClient, transcript: Transcript, patience: float) -> None:
        self._sandbox = sandbox
        self._transcript = transcript
        self._patience = patience
        self._staff: dict[str, Person] = {}

    async def play(self) -> None:
        """Play every step; the first that fails ends the story.

        Raises:
            NoSuchMessageError: somebody did not get what they should have.
        """
        step = self._transcript.step
        async with step("join", "医生和专家已凭邀请二维码加入"):
            await self._gather_staff()
        patient = await self._person("王秀英", f"demo-story-{secrets.token_hex(4)}")
        async with step("consent", "患者关注公众号，同意隐私条款"):
            await self._follow(patient)
        async with step("intake", "预问诊：说症状、改口、插问"):
            await self._intake(patient)
        async with step("record", "确认病历小结"):
            await self._answer_until(patient, "我记得对不对")
            await patient.taps("对，没问题")
        async with step("institution", "发位置，选最近的卫生院"):
            doctor = await self._choose_place(patient)
        async with step("task", "村医打开任务，补充体征和检查"):
            await self._examine(doctor)
        async with step("request", "提交会诊申请"):
            await self._request(doctor)
        async with step("offers", "三位专家收到邀请，两位同时接受，只有一位成功"):
            expert = await self._accept(patient, doctor)
        async with _http() as http:
            money = Money(http, self._transcript, patient)
            async with step("booking", "患者选时间，先看医保报多少"):
                await money.choose_time("选时间")
                await money.tell_identity()
                card = await money.quoted()
            async with step("payment", "在手机上付款，时间约好"):
                await money.pay(card)
                await self._all_hear_of_the_booking(doctor, expert)
            async with step("refund", "取消预约：医保撤销，钱退回来"):
                await money.cancel()
                await doctor.hears("预约已取消")
                await expert.hears("预约已取消")
            async with step("rebooking", "再约一次，再付"):
                await money.choose_time("重新选时间")
                await money.pay(await money.quoted())
                await self._all_hear_of_the_booking(doctor, expert)
        async with step("supplement", "专家要补充资料，村医补上"):
            await self._supplement(doctor, expert)
        async with step("miniprogram", "小程序里看到同一个预约"):
            starts_at = await self._booking_in_miniprogram(patient)
        async with step("reminders", "提前一天、一小时、十分钟提醒"):
            cards = await self._reminders((patient, doctor, expert), starts_at)
        async with step("video", "三方各自点开卡片，到视频会诊室门口"):
            await self._open_room(cards)
        async with step("thread", "三方会诊"):
            await self._talk(patient, doctor, expert)
        async with step("opinion", "专家填写意见并结束"):
            await self._conclude(expert)
        async with step("results", "结果送到患者和村医，患者评价"):
            await self._results(patient, doctor, expert)
        async with _http() as http, step("settlement", "医保结算，患者看账单和电子发票"):
            await Money(http, self._transcript, patient).settled()
        async with step("history", "“我的会诊”里有全过程"):
            await patient.presses("patient.mine", "我的会诊")
            cases = await patient.hears("您的会诊")
            await patient.taps(cases.items[0]["text"])
            await patient.hears("进展")
            await patient.taps("看结果")
            await patient.hears("社区获得性肺炎")
            await patient.taps("看经过")
            await patient.hears("经过")
        async with _http() as http:
            await Medicines(http, self._transcript, patient, doctor, self._of("pha")).play()
        async with step("red_flag", "另一位患者说出危险信号，马上提示120"):
            await self._red_flag()

    async def _person(self, name: str, openid: str) -> Person:
        person = Person(await self._sandbox.phone(name, openid), name, self._transcript, self._patience)
        await person.look_up()
        return person

    async def _gather_staff(self) -> None:
        for phone in await self._sandbox.phones():
            kind = phone["openid"].removeprefix("demo-")[:3]
            if kind in ("doc", "exp", "pha") and phone["following"]:
                name = phone["nickname"].split()[0]
                self._staff[phone["openid"]] = await self._person(name, phone["openid"])
        doctors, experts = self._of("doc"), self._of("exp")
        if not doctors or len(experts) < 3:
            raise NoSuchMessageError(
                "no doctor, or fewer than three experts, have joined: was it started by `make run`?"
            )

    def _of(self, kind: str) -> list[Person]:
        return [person for openid, person in self._staff.items() if openid.startswith(f"demo-{kind}")]

    async def _follow(self, patient: Person) -> None:
        await patient.follows()
        await patient.hears("您同意吗")
        await patient.taps("同意")
        await patient.hears("哪里不舒服")

    async def _intake(self, patient: Person) -> None:
        await patient.says("我最近总是咳嗽，还发烧，体温38.5度，感觉胸口有点闷")
        await patient.hears("38.5")
        await patient.says("不是38.5度，是39度")
        await patient.hears("39")
        await patient.says("多少钱？")
        await patient.hears("钱")

    async def _answer_until(self, patient: Person, end: str) -> None:
        question = await self._question(patient, "您胸口")
        for _ in range(_MOST_QUESTIONS):
            if end in question:
                return
            words = next((answer for part, answer in _ANSWERS if part in question), "没有")
            await patient.says(words)
            question = (await patient.hears("？", end)).text
        raise NoSuchMessageError(f"{patient.name}: still asked after {_MOST_QUESTIONS} answers")

    async def _question(self, patient: Person, default: str) -> str:
        last = await patient.phone.last()
        return last.text if last is not None else default

    async def _choose_place(self, patient: Person) -> Person:
        await patient.hears("请选一家")
        await patient.is_at(*_HOME)
        nearest = await patient.hears("公里")
        for doctor in self._of("doc"):
            await doctor.look_up()
        await patient.taps(nearest.items[0]["text"])
        doctor = (await first_to_hear(self._of("doc"), "任务"))[0]
        await patient.hears("已经交给")
        return doctor

    async def _examine(self, doctor: Person) -> None:
        await doctor.presses("doctor.tasks", "我的任务")
        await doctor.hears("王秀英")
        await doctor.taps("打开任务")
        await doctor.hears("请直接写体征")
        await doctor.says("血压150/95 血糖6.5 右下肺可闻及湿啰音")
        await doctor.hears("150/95mmHg")
        await doctor.taps("确认")
        await doctor.hears("已记入病历")

    async def _request(self, doctor: Person) -> None:
        await doctor.taps("申请会诊")
        await doctor.hears("初步诊断")
        await doctor.taps("填初步诊断")
        await doctor.hears("疾病名称")
        await doctor.says("肺炎")
        await doctor.hears("请选一个")
        await doctor.taps("J18.9 肺炎")
        await doctor.hears("J18.9")
        for expert in self._of("exp"):
            await expert.look_up()
        await doctor.taps("提交申请")
        await doctor.hears("已提交")

    async def _accept(self, patient: Person, doctor: Person) -> Person:
        invited = await first_to_hear(self._of("exp"), "会诊邀请", count=3)
        for expert in invited:
            await expert.presses("expert.offers", "会诊邀请")
            await expert.hears("为什么请您")
        first, second, third = invited
        await asyncio.gather(first.taps("接受"), second.taps("接受"))
        first_heard, second_heard = await asyncio.gather(*(one.hears("已接受会诊", "接下") for one in (first, second)))
        winners = [one for one, heard in ((first, first_heard), (second, second_heard)) if "您已接受会诊" in heard.text]
        if len(winners) != 1:
            raise NoSuchMessageError(f"{len(winners)} experts have the same consultation")
        await third.hears("接下")
        await patient.hears("请到专家了")
        await doctor.hears("已接受")
        return winners[0]

    async def _all_hear_of_the_booking(self, doctor: Person, expert: Person) -> None:
        for person in (doctor, expert):
            await person.hears("约好了", "已约好")

    async def _supplement(self, doctor: Person, expert: Person) -> None:
        await expert.taps("需要补充资料")
        await expert.hears("需要补充什么")
        await expert.taps("影像片子")
        await doctor.hears("请您补充：影像片子")
        await doctor.taps("现在补充")
        await doctor.hears("发给专家")
        await doctor.sends_picture(film())
        await doctor.hears("图片1张")
        await doctor.says("胸片：右下肺斑片影")
        await doctor.hears("说明1条")
        await doctor.taps("发给专家")
        await doctor.hears("已发给专家")
        await expert.hears("补充")

    async def _booking_in_miniprogram(self, patient: Person) -> datetime:
        callback = urlsplit((await self._sandbox.account())["callback_url"])
        api = f"{callback.scheme}://{callback.netloc}/api/v1"
        async with _http() as http:
            code = await patient.phone.login_code()
            async with http.post(f"{api}/session", json={"code": code}) as answer:
                token = (await answer.json())["token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with http.get(f"{api}/consultations", headers=headers) as answer:
                consultations = (await answer.json())["items"]
            if not consultations:
                raise NoSuchMessageError("the mini-program does not know the patient's consultation")
            async with http.get(f"{api}/consultations/{consultations[0]['id']}", headers=headers) as answer:
                booking = (await answer.json())["booking"]
        self._transcript.did(patient.name, f"小程序显示预约：{booking['starts_at']}")
        return datetime.fromisoformat(booking["starts_at"])

    async def _reminders(self, people: tuple[Person, ...], starts_at: datetime) -> list[tuple[Person, Message]]:
        """Give to each the last of what reminds them: the card that opens the video room."""
        cards: list[tuple[Person, Message]] = []
        for before in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)):
            now = datetime.fromisoformat((await self._sandbox.clock())["now"])
            await self._sandbox.advance((starts_at - before - now).total_seconds() + 1)
            cards = [(person, await person.hears("提醒", "视频会诊")) for person in people]
        await self._sandbox.advance(timedelta(minutes=10).total_seconds())
        return cards

    async def _open_room(self, cards: list[tuple[Person, Message]]) -> None:
        """Do what the page behind the card does: learn who opens it, and look into the room."""
        async with _http() as http:
            for person, card in cards:
                page = await opened(http, person, card)
                async with http.get(page.api / "consultations" / page.name / "room", headers=page.headers) as answer:
                    room = await answer.json()
                if room["state"] != "open":
                    raise NoSuchMessageError(f"the video room does not let {person.name} in")
                self._transcript.did(person.name, f"点开卡片：视频会诊室开着，您是{room['you']['label']}")

    async def _talk(self, patient: Person, doctor: Person, expert: Person) -> None:
        await expert.presses("expert.mine", "我的会诊")
        cases = await expert.hears("您的会诊")
        await expert.taps(cases.items[0]["text"])
        await expert.hears("已分配专家")
        await expert.taps("开始会诊")
        await expert.hears("会诊开始")
        told = await patient.hears("进行中", "请点“进入会诊”")
        if "请点“进入会诊”" not in told.text:
            # Her 48 hours are over, so WeChat let only the template through; the card waits until she comes back.
            await patient.presses("patient.mine", "我的会诊")
            await patient.hears("请点“进入会诊”")
        await patient.taps("进入会诊")
        await patient.hears("都能看到")
        await doctor.presses("doctor.mine", "我的会诊")
        await doctor.hears("已开始会诊")
        await expert.says("大妈您好，今天还发烧吗？")
        await patient.hears("今天还发烧吗")
        await doctor.hears("今天还发烧吗")
        await patient.says("今天不烧了，还有点咳")
        await expert.hears("还有点咳")
        await doctor.taps("进入会诊")
        await doctor.hears("都能看到")
        await doctor.says("血氧96，呼吸20次")
        await expert.hears("血氧96")
        await patient.hears("血氧96")

    async def _conclude(self, expert: Person) -> None:
        await expert.taps("填写意见")
        await expert.hears("诊断")
        await expert.says("社区获得性肺炎")
        await expert.hears("ICD-10")
        await expert.taps("J18.9 肺炎")
        await expert.hears("治疗方案")
        await expert.says("按肺炎治疗7天，多喝水，三天后复查；喘或血氧低于93马上转院")
        await expert.hears("注意事项")
        await expert.says("复查血常规和胸片")
        await expert.hears("预览")
        await expert.taps("确认并结束会诊")
        await expert.hears("结束")

    async def _results(self, patient: Person, doctor: Person, expert: Person) -> None:
        await doctor.hears("社区获得性肺炎")
        await patient.hears("三天后复查")
        await patient.hears("怎么样")
        await patient.taps("★★★★★ 很好")
        await patient.hears("谢谢")
        await expert.hears("★★★★★")

    async def _red_flag(self) -> None:
        other = await self._person("李大山", f"demo-story-{secrets.token_hex(4)}")
        await self._follow(other)
        await other.says("我爸突然嘴歪了，一边胳膊抬不起来，说话也说不清")
        await other.hears("120")


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS))
