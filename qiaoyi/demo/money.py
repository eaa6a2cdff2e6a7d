"""What a booking costs: insurance is asked, the rest is paid on the phone, and what is cancelled is given back."""

import aiohttp

from data.demo import demo
from qiaoyi.demo.cast import PATIENCE_SECONDS, Person
from qiaoyi.demo.pages import opened
from qiaoyi.demo.transcript import Transcript
from sandbox.client import Message, NoSuchMessageError

_SETTLED = "已结算"


class Money:
    """Plays the patient's side of money.

    Args:
        patient: who pays.
    """

    def __init__(self, http: aiohttp.ClientSession, transcript: Transcript, patient: Person) -> None:
        self._http = http
        self._transcript = transcript
        self._patient = patient

    async def choose_time(self, opening: str) -> None:
        """Tap through day and time, after `opening` was tapped, and let insurance be asked."""
        await self._patient.taps(opening)
        days = await self._patient.hears("哪天方便")
        await self._patient.taps(days.items[1]["text"])
        times = await self._patient.hears("您选哪个")
        await self._patient.taps(times.items[0]["text"])
        sure = await self._patient.hears("就定这个时间吗")
        await self._patient.taps(sure.items[0]["text"])

    async def tell_identity(self) -> None:
        """Write the number by which insurance knows the patient; it is asked for before the first booking."""
        await self._patient.hears("身份证号才查得到")
        await self._patient.taps("写身份证号")
        await self._patient.hears("18位身份证号")
        await self._patient.says(next(one.id_number for one in demo().patients if one.name == self._patient.name))

    async def quoted(self) -> Message:
        """Read the card that says who pays what, ask how it was worked out; give the card that leads to the page."""
        await self._patient.hears("正在问医保能报多少")
        await self._patient.hears("您要付")
        card = await self._patient.hears("去付钱")
        await self._patient.taps("怎么算的")
        await self._patient.hears("这样算的")
        return card

    async def pay(self, card: Message) -> None:
        """Do what the page behind the card and WeChat's payment sheet do."""
        page = await opened(self._http, self._patient, card)
        address = page.api / "pay" / page.name
        async with self._http.get(address, headers=page.headers) as answer:
            asked = await answer.json()
        async with self._http.post(address / "prepay", headers=page.headers) as answer:
            answer.raise_for_status()
            order = await answer.json()
        await self._patient.phone.pay(order)
        self._transcript.did(self._patient.name, f"在手机上付款 {asked['cash']}元，输入支付密码")
        async with self._http.get(address / "result", headers=page.headers) as answer:
            state = (await answer.json())["state"]
        if state != "paid":
            raise NoSuchMessageError(f"the pay page says {state!r} after the payment")
        await self._patient.hears("收到您付的")

    async def cancel(self) -> None:
        """Give the booking up: insurance takes its part back, and the money comes back to the phone."""
        await self._patient.taps("取消预约")
        await self._patient.hears("是因为什么")
        await self._patient.taps("时间不合适")
        await self._patient.hears("全部退给您")
        await self._patient.hears("已经退到您付钱的地方")

    async def settled(self) -> None:
        """Read what was settled in the end, in the bills, and open the receipt."""
        for _ in range(int(PATIENCE_SECONDS)):
            await self._patient.says("我的账单")
            bills = await self._patient.hears("您的账单", "没有账单")
            if _SETTLED in bills.text:
                break
            await self._patient.phone.client.advance(1)
        else:
            raise NoSuchMessageError("the consultation was not settled")
        await self._patient.taps(bills.items[0]["text"])
        await self._patient.hears(_SETTLED)
        await self._patient.taps("看电子发票")
        card = await self._patient.hears("电子发票")
        async with self._http.get(card.raw["url"]) as answer:
            pdf = await answer.read()
        if not pdf.startswith(b"%PDF"):
            raise NoSuchMessageError("the receipt is no PDF")
        self._transcript.did(self._patient.name, f"打开电子发票（{len(pdf) // 1024} kB）")
