"""What follows a consultation: the history, a prescription with everything that stops it, and the medicines."""

import asyncio

import aiohttp

from data.demo import demo
from qiaoyi.demo.cast import PATIENCE_SECONDS, Person, first_to_hear
from qiaoyi.demo.pages import opened
from qiaoyi.demo.transcript import Transcript
from sandbox.client import Message, NoSuchMessageError

_POLL_SECONDS = 0.3
_ADDRESS = "石桥镇李家湾三组8号"
_PHONE = "13900000000"


class Medicines:
    """Plays itself after the consultation: patient, doctor, pharmacists of the centre and of pharmacies.

    Args:
        pharmacists: everybody who reviews or fills prescriptions.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        transcript: Transcript,
        patient: Person,
        doctor: Person,
        pharmacists: list[Person],
    ) -> None:
        self._http = http
        self._transcript = transcript
        self._patient = patient
        self._doctor = doctor
        self._pharmacists = pharmacists

    async def play(self) -> None:
        """Play every step; the first that fails ends the story.

        Raises:
            NoSuchMessageError: somebody did not get what they should have.
        """
        step = self._transcript.step
        async with step("history_summary", "村医登记身份证号，看医院的病历摘要"):
            await self._summary()
        async with step("prescription", "村医开处方：冲突的药开不出来，提醒要写理由"):
            await self._write()
        async with step("returned", "药师退回，村医改好再签名"):
            await self._give_back()
        async with step("approved", "药师审核通过，患者收到处方"):
            card = await self._approve()
        async with step("paper", "患者打开处方单，药店扫码核对"):
            await self._paper(card)
        async with step("delivery", "选药店送药，一直到签收"):
            await self._deliver()
        async with step("refill", "慢病的药快吃完了，请医生续方"):
            await self._refill()

    async def _open_case(self) -> None:
        await self._doctor.presses("doctor.mine", "我的会诊")
        cases = await self._doctor.hears("您的会诊")
        await self._doctor.taps(cases.items[0]["text"])
        await self._doctor.hears("专家诊断")

    async def _summary(self) -> None:
        await self._open_case()
        await self._doctor.taps("病历摘要")
        card = await self._doctor.hears("病历摘要")
        page = await opened(self._http, self._doctor, card)
        number = next(one.id_number for one in demo().patients if one.name == "王秀英")
        address = page.api / "consultations" / page.name / "history"
        async with self._http.post(address / "identity", json={"number": number}, headers=page.headers) as answer:
            answer.raise_for_status()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with self._http.get(address, headers=page.headers) as answer:
                    summary = await answer.json()
                if summary["encounters"] and not summary["asking"]:
                    break
                await asyncio.sleep(_POLL_SECONDS)
        known = "、".join(one["text"] for one in (*summary["allergies"], *summary["conditions"], *summary["medicines"]))
        self._transcript.did(self._doctor.name, f"病历摘要：{known}")

    async def _write(self) -> None:
        await self._open_case()
        await self._doctor.taps("开处方")
        await self._doctor.hears("在患者身边吗")
        await self._doctor.taps("有，当面看着")
        await self._doctor.hears("拼音首字母")
        await self._add("tbfx", "头孢呋辛片")
        await self._doctor.hears("对青霉素过敏（医院病历")  # which she did not say, and the hospital knows
        await self._doctor.taps("换一种药")
        await self._doctor.hears("拼音首字母")
        await self._add("klms", "克拉霉素片")  # which raises what she takes for her blood pressure
        await self._answer_everything()

    async def _add(self, initials: str, name: str) -> None:
        await self._doctor.says(initials)
        found = await self._doctor.hears("是哪一种")
        await self._doctor.taps(next(item["text"] for item in found.items if name in item["text"]))
        await self._doctor.hears("这样开可以吗")
        await self._doctor.taps("就这样")

    async def _answer_everything(self) -> None:
        """Answer what the checks ask, and give a reason for each warning, until the prescription can be read."""
        while True:
            asked = await self._doctor.hears("请写下理由", "诊断：", "？")
            if "读一遍，签名" in asked.text or any(item["text"] == "读一遍，签名" for item in asked.items or ()):
                return
            await self._doctor.says("已当面核对，病情需要，每天量血压")

    async def _sign(self) -> None:
        await self._doctor.says("读一遍，签名")  # typed, for a long prescription comes without buttons
        await self._doctor.hears("签名")
        await self._doctor.says("没有错，签名")
        await self._doctor.hears("药师审核")

    async def _give_back(self) -> None:
        for pharmacist in self._pharmacists:
            await pharmacist.look_up()
        await self._sign()
        reviewer = await self._reviewer()
        await reviewer.hears("克拉霉素")
        await reviewer.taps("退回")
        await reviewer.hears("为什么")
        await reviewer.taps("天数太长")
        await reviewer.hears("退回了")
        await self._doctor.hears("天数太长")
        await self._doctor.taps("去修改")
        await self._doctor.hears("天数太长")
        await self._doctor.says("改药或删药")
        written = await self._doctor.hears("要改哪一种")
        await self._doctor.taps(next(item["text"] for item in written.items if "克拉霉素" in item["text"]))
        await self._doctor.hears("7天")
        await self._doctor.taps("改天数")
        await self._doctor.hears("几天")
        await self._doctor.says("5天")
        await self._doctor.hears("这样开可以吗")
        await self._doctor.taps("就这样")
        await self._answer_everything()

    async def _reviewer(self) -> Person:
        """Give the pharmacist who gets the task and begins; WeChat may have let only the short form through."""
        reviewer = (await first_to_hear(self._pharmacists, "新处方"))[0]
        await reviewer.presses("pharmacist.queue", "待审处方")
        await reviewer.hears("开始审核")
        await reviewer.taps("开始审核")
        return reviewer

    async def _review(self) -> None:
        """Let whoever of the pharmacists gets the task approve it."""
        reviewer = await self._reviewer()
        await reviewer.hears("医生：")
        await reviewer.taps("审核通过")
        await reviewer.hears("确定")
        await reviewer.taps("确定通过，签名")
        await reviewer.hears("通过了")

    async def _approve(self) -> Message:
        for pharmacist in self._pharmacists:
            await pharmacist.look_up()
        await self._sign()
        await self._review()
        await self._doctor.hears("审核通过了处方")
        await self._patient.hears("克拉霉素")
        return await self._patient.hears("您的处方")

    async def _paper(self, card: Message) -> None:
        """Do what the page behind the card and a pharmacy's scanner do: fetch the PDF, look the code up."""
        page = await opened(self._http, self._patient, card)
        address = page.api / "prescriptions" / page.name
        async with self._http.get(address / "pdf", headers=page.headers) as answer:
            pdf = await answer.read()
        if not pdf.startswith(b"%PDF"):
            raise NoSuchMessageError("the paper of the prescription is no PDF")
        async with self._http.get(address, headers=page.headers) as answer:
            code = (await answer.json())["verification_address"]
        async with self._http.get(code) as answer:
            shown = await answer.text()
        if "处方有效" not in shown:
            raise NoSuchMessageError("the verification page does not say that the prescription can be used")
        self._transcript.did(self._patient.name, f"打开处方单（{len(pdf) // 1024} kB），药店扫码：处方有效，可以发药")

    async def _deliver(self) -> None:
        await self._patient.taps("去取药")
        offered = await self._patient.hears("请选一家药店")
        for pharmacist in self._pharmacists:
            await pharmacist.look_up()
        await self._patient.taps(offered.items[0]["text"])
        await self._patient.hears("药怎么给您")
        await self._patient.taps("送到家里")
        await self._patient.hears("收药的地址")
        await self._patient.says(_ADDRESS)
        await self._patient.hears("手机号")
        await self._patient.says(_PHONE)
        await self._patient.hears("已经告诉")
        pharmacy = (await first_to_hear(self._pharmacists, "新的取药单"))[0]
        await pharmacy.presses("pharmacy.queue", "取药单")
        await pharmacy.hears("送到")
        await pharmacy.taps("接单")
        await pharmacy.hears("四查十对")
        await self._patient.hears("正在配药")
        await pharmacy.taps("已核对配好")
        await pharmacy.hears("已配好")
        await self._patient.hears("马上发出来")
        await pharmacy.taps("已发出")
        await pharmacy.hears("怎么送")
        await pharmacy.taps("本店送药员")
        await pharmacy.hears("快递单号")
        await pharmacy.taps("没有单号")
        await pharmacy.hears("已发出")
        await self._patient.hears("药发出来了")
        await self._patient.taps("药收到了")
        await self._patient.hears("药已签收")
        await pharmacy.hears("患者已签收")

    async def _refill(self) -> None:
        """A second prescription, for the blood pressure: fetched, and asked for once more."""
        await self._open_case()
        await self._doctor.taps("开处方")
        await self._doctor.hears("在患者身边吗")
        await self._doctor.taps("有，当面看着")
        await self._doctor.hears("拼音首字母")
        await self._add("xst", "缬沙坦")
        await self._answer_everything()
        await self._doctor.says("改成慢病处方")
        await self._answer_everything()
        for pharmacist in self._pharmacists:
            await pharmacist.look_up()
        await self._sign()
        await self._review()
        await self._patient.hears("缬沙坦")
        await self._deliver()
        await self._patient.taps("快吃完了，再开")
        await self._patient.hears("最近吃药怎么样")
        await self._patient.says("血压130/80，没有不舒服")
        await self._patient.hears("已经告诉医生了")
        await self._doctor.hears("患者请求续方")
        await self._doctor.taps("同意续方")
        await self._patient.hears("医生同意给您续方")
