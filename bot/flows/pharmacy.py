"""A pharmacist fills orders: accepts, packs, sends; hands out at the counter; keeps the stock."""

import re

from backend.errors import InvalidInput, NotFound
from bot.cards.order import pharmacy_order
from bot.dialogue import Dialogue, Turn
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu, suggestions
from bot.wording import lines

_MOST_SHOWN = 8
_CODE = re.compile(r"(?:.*/verify/)?([\w-]{16,64})$")
_NUMBER = re.compile(r"(\d{4}\s*\d{4})")
_STOCK = re.compile(r"(.+?)\s*(\d{1,6})\s*(?:盒|瓶|袋|支|板|包|罐)?$")


async def queue(turn: Turn, _: str = "") -> None:
    """Show what the pharmacy has to do."""
    orders = await turn.services.dispensing.queue(turn.actor)
    more = (Choice("pharmacy.redeem", "柜台取药"), Choice("pharmacy.stock", "改库存"))
    if not orders:
        turn.say(Menu("现在没有要处理的取药单。", more))
        return
    choices = tuple(
        Choice(f"pharmacy.order:{one.id}", f"{one.patient_name[:4]}·{one.state.label}") for one in orders[:_MOST_SHOWN]
    )
    turn.say(Menu(f"要处理的取药单共{len(orders)}张：", (*choices, *more)))


async def _order(turn: Turn, order_id: str) -> None:
    turn.say(pharmacy_order(await turn.services.dispensing.order(turn.actor, order_id), "取药单"))


async def _accept(turn: Turn, order_id: str) -> None:
    order = await turn.services.dispensing.accept(turn.actor, order_id)
    turn.say(pharmacy_order(order, "已接单。请按“四查十对”核对：查处方、查药品、查配伍禁忌、查用药合理性。"))


async def _pack(turn: Turn, order_id: str) -> None:
    order = await turn.services.dispensing.pack(turn.actor, order_id)
    turn.say(pharmacy_order(order, "已配好，会告诉患者。"))


async def _handed(turn: Turn, order_id: str) -> None:
    await turn.services.dispensing.receive(turn.actor, order_id)
    turn.say(Menu("好的，记下了：患者已取走。", (Choice("pharmacy.queue", "取药单"),)))


class RefuseFlow(ReasonFlow):
    """Data: `order_id`."""

    name = "pharmacy_refuse"
    reasons = ("缺药", "超出配送范围", "快下班了，来不及配")
    keep = "再想想"
    farewell = "好的，没有退。"

    async def question(self, turn: Turn) -> str:
        order = await turn.services.dispensing.order(turn.actor, turn.data["order_id"])
        return f"取药单 {order.number} 配不了吗？患者会看到原因，并去选别的药店。"

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.dispensing.refuse(turn.actor, turn.data["order_id"], reason)
        return "好的，已告诉患者。"


class ShortFlow(StaffFlow):
    """Which medicines are missing after all. Data: `order_id`."""

    name = "pharmacy_short"
    farewell = "好的，没有改动。"

    async def begin(self, turn: Turn) -> None:
        order = await turn.services.dispensing.order(turn.actor, turn.data["order_id"])
        listed = "\n".join(f"{number}. {item.name}" for number, item in enumerate(order.items, 1))
        turn.say(f"缺哪几种？请写前面的数字，比如“2”或“1 3”。其余的照常配。\n{listed}")

    async def told(self, turn: Turn, words: str) -> None:
        order = await turn.services.dispensing.order(turn.actor, turn.data["order_id"])
        numbers = {int(one) for one in re.findall(r"\d{1,2}", words)}
        if not numbers or not numbers <= set(range(1, len(order.items) + 1)):
            turn.say(f"请写1到{len(order.items)}之间的数字。")
            return
        without = [order.items[number - 1].index for number in numbers]
        with ending_if_refused(turn):
            packed = await turn.services.dispensing.pack(turn.actor, order.id, without=without, reason="缺药")
        turn.leave()
        turn.say(pharmacy_order(packed, "已配好，缺的会请患者到别家取。"))


class SendFlow(StaffFlow):
    """By whom it is sent, and under which number. Data: `order_id`, `carrier`."""

    name = "pharmacy_send"
    farewell = "好的，还没有发出。"

    async def begin(self, turn: Turn) -> None:
        turn.say(
            Menu("怎么送？请点，也可以写快递公司。", suggestions("carrier", ("本店送药员", "邮政快递", "顺丰快递")))
        )

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id.startswith("carrier:"):
            await self.told(turn, turn.text)
        elif item_id == "nothing":
            await self._send(turn, "")
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        if "carrier" in turn.data:
            await self._send(turn, words)
            return
        turn.state.data = {**turn.state.data, "carrier": words}
        turn.say(Menu("快递单号是多少？", (Choice("nothing", "没有单号"),)))

    async def _send(self, turn: Turn, number: str) -> None:
        with ending_if_refused(turn):
            await turn.services.dispensing.send(turn.actor, turn.data["order_id"], turn.data["carrier"], number)
        close(turn, "已发出，会告诉患者。")


class RedeemFlow(StaffFlow):
    """A paper or a phone is shown at the counter. Data: `code`, once it was read and what it is of is shown."""

    name = "pharmacy_redeem"
    farewell = "好的，没有取药。"

    async def begin(self, turn: Turn) -> None:
        turn.say("请发取药码下面的8个数字，比如 4827 1593。\n也可以用微信扫一下处方上的码，把打开的网址复制过来。")

    async def told(self, turn: Turn, words: str) -> None:
        found = _CODE.fullmatch(words.strip()) or _NUMBER.fullmatch(words.strip())
        if found is None:
            turn.say("这个不像处方上的编码，请再发一次，或者回复“退出”。")
            return
        with ending_if_refused(turn):
            try:
                shown = await turn.services.dispensing.presented(turn.actor, found.group(1))
            except NotFound as wrong:
                turn.say(wrong.sentence)
                return
        turn.state.data = {**turn.state.data, "code": found.group(1)}
        listed = [f"{number}. {item.text}" for number, item in enumerate(shown.items, 1)]
        head = lines(f"患者：{shown.patient_name}　处方 {shown.prescription_number}", *listed, "请核对患者姓名和药品。")
        turn.say(Menu(head, (Choice("redeem", "核对无误，核销"), Choice("again", "不对，重新输入"))))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id == "again":
            await self.begin(turn)
        elif item_id == "redeem" and "code" in turn.data:
            await self._redeem(turn, turn.data["code"])
        else:
            await super().tapped(turn, item_id)

    async def _redeem(self, turn: Turn, code: str) -> None:
        with ending_if_refused(turn):
            order = await turn.services.dispensing.redeem(turn.actor, code)
        turn.leave()
        turn.say(pharmacy_order(order, "已核销，这张处方不能再取。请核对后把药交给患者："))


class StockFlow(StaffFlow):
    """What the pharmacy has, a line a medicine. Data: `chosen` while a medicine is to be told from others."""

    name = "pharmacy_stock"
    farewell = "好的，库存改完了。"

    async def begin(self, turn: Turn) -> None:
        turn.say("请写药名和盒数，比如“阿莫西林 20”。也可以写拼音首字母：amxl 20。改完了回复“退出”。")

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, argument = item_id.partition(":")
        preparation, _, packs = argument.rpartition(":")
        if verb == "stock" and packs.isdecimal():
            await self._set(turn, preparation, int(packs))
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        found = _STOCK.fullmatch(words.strip())
        if found is None:
            await self.begin(turn)
            return
        name, packs = found.group(1), int(found.group(2))
        preparations = turn.services.prescriptions.formulary.search(name, limit=_MOST_SHOWN)
        if not preparations:
            turn.say("药品目录里没有找到这个药，请换个写法。")
            return
        choices = tuple(Choice(f"stock:{one.code}:{packs}", f"{number}") for number, one in enumerate(preparations, 1))
        listed = "\n".join(f"{number}. {one.name} {one.spec}" for number, one in enumerate(preparations, 1))
        turn.say(Menu(f"是哪一种，{packs}盒？\n{listed}", choices))

    async def _set(self, turn: Turn, preparation: str, packs: int) -> None:
        pharmacy_id = turn.actor.institution_id or ""
        try:
            await turn.services.dispensing.set_stock(turn.actor, pharmacy_id, {preparation: packs})
        except InvalidInput as wrong:
            turn.say(wrong.sentence)
            return
        turn.say(f"记下了，现在有{packs}盒。还要改哪一种？改完了回复“退出”。")


async def _refuse(turn: Turn, order_id: str) -> None:
    await turn.enter(RefuseFlow.name, order_id=order_id)


async def _short(turn: Turn, order_id: str) -> None:
    await turn.enter(ShortFlow.name, order_id=order_id)


async def _send(turn: Turn, order_id: str) -> None:
    await turn.enter(SendFlow.name, order_id=order_id)


async def _redeem(turn: Turn, _: str) -> None:
    await turn.enter(RedeemFlow.name)


async def _stock(turn: Turn, _: str) -> None:
    await turn.enter(StockFlow.name)


def register(dialogue: Dialogue) -> None:
    """Add what a pharmacist does with orders."""
    for flow in (RefuseFlow(), ShortFlow(), SendFlow(), RedeemFlow(), StockFlow()):
        dialogue.add_flow(flow)
    dialogue.on_action("pharmacy.queue", queue)
    dialogue.on_action("pharmacy.order", _order)
    dialogue.on_action("pharmacy.accept", _accept)
    dialogue.on_action("pharmacy.pack", _pack)
    dialogue.on_action("pharmacy.handed", _handed)
    dialogue.on_action("pharmacy.refuse", _refuse)
    dialogue.on_action("pharmacy.short", _short)
    dialogue.on_action("pharmacy.send", _send)
    dialogue.on_action("pharmacy.redeem", _redeem)
    dialogue.on_action("pharmacy.stock", _stock)
