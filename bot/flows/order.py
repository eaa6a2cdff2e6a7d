"""A patient has a prescription filled: which pharmacy, fetched or brought, and what becomes of it."""

from backend.dispensing import Method
from backend.errors import InvalidInput
from backend.people.rules import valid_mobile
from bot.cards.medicines import handed, offered
from bot.cards.order import option_choice, option_line, patient_choices, patient_order
from bot.dialogue import Dialogue, Turn
from bot.flows import assistance
from bot.flows.staff_flow import LEAVING, ending_if_refused
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import lines

_MOST_OFFERED = 5
_MOST_SHOWN = 5
_SHORTEST_ADDRESS = 5
_ASK_ADDRESS = "请写上收药的地址，写到村和门牌，比如：青山镇柳树村三组12号。\n不要了就说“算了”。"
_NO_PHARMACY = "附近的药店现在都没有这些药。处方在有效期内，您可以拿着处方到别的药店取药，也可以过一会儿再看。"


async def _start(turn: Turn, prescription_id: str) -> None:
    """Offer the pharmacies that have it."""
    found = await turn.services.dispensing.options(turn.actor, prescription_id)
    again = Choice(f"order.start:{prescription_id}", "再看看")
    if not found:
        turn.say(Menu(_NO_PHARMACY, (again, Choice("order.mine", "我的取药单"))))
        return
    offered = found[:_MOST_OFFERED]
    words = "\n".join(["请选一家药店：", *(option_line(one) for one in offered)])
    turn.say(Menu(words, tuple(option_choice(prescription_id, one) for one in offered)))


async def _at(turn: Turn, argument: str) -> None:
    """A pharmacy was chosen: fetched or brought?"""
    choices = (
        Choice(f"order.by:{argument}:{Method.PICKUP}", "我自己去取"),
        Choice(f"order.by:{argument}:{Method.DELIVERY}", "送到家里"),
    )
    turn.say(Menu("药怎么给您？", choices))


async def _by(turn: Turn, argument: str) -> None:
    prescription_id, pharmacy_id, method = argument.split(":")
    if method == Method.DELIVERY:
        await turn.enter(AddressFlow.name, prescription_id=prescription_id, pharmacy_id=pharmacy_id)
        return
    order = await turn.services.dispensing.place(turn.actor, prescription_id, pharmacy_id, Method.PICKUP)
    words = f"已经告诉{order.pharmacy_name}了。药配好了我马上叫您，您再去取。"
    turn.say(Menu(f"{words}\n{patient_order(order)}", patient_choices(order)))


class AddressFlow:
    """Where the medicines go, and whom the courier calls. Data: `prescription_id`, `pharmacy_id`, `address`."""

    name = "order_address"

    async def begin(self, turn: Turn) -> None:
        """Ask for the address."""
        turn.say(_ASK_ADDRESS)

    async def receive(self, turn: Turn) -> None:
        """Take the address, then the telephone."""
        if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            turn.say("请打字，或者说给我听。")
        elif turn.text in LEAVING:
            turn.leave()
            turn.say("好的，没有下单。")
        elif "address" not in turn.data:
            await self._take_address(turn)
        else:
            await self._take_phone(turn)

    async def _take_address(self, turn: Turn) -> None:
        answer = await assistance.digression(turn, await turn.understand())
        if answer is not None or len(turn.text) < _SHORTEST_ADDRESS:
            turn.say(lines(answer or "这个地址太短了，送药的人找不到。", _ASK_ADDRESS))
            return
        turn.state.data = {**turn.state.data, "address": turn.text}
        turn.say("好的。送药的人打哪个手机号？请写11位号码。")

    async def _take_phone(self, turn: Turn) -> None:
        data = turn.data
        try:
            phone = valid_mobile(turn.text)
        except InvalidInput as wrong:
            turn.say(wrong.sentence)
            return
        with ending_if_refused(turn):
            order = await turn.services.dispensing.place(
                turn.actor,
                data["prescription_id"],
                data["pharmacy_id"],
                Method.DELIVERY,
                address=data["address"],
                phone=phone,
            )
        turn.leave()
        words = f"已经告诉{order.pharmacy_name}了。药发出来我马上告诉您。"
        turn.say(Menu(f"{words}\n{patient_order(order)}", patient_choices(order)))


async def _mine(turn: Turn, _: str) -> None:
    """List the newest orders of the person and of those for whom they speak."""
    orders = [
        order
        for patient_id in (turn.actor.person_id, *sorted(turn.actor.wards))
        for order in await turn.services.dispensing.orders_of(turn.actor, patient_id)
    ]
    newest = sorted(orders, key=lambda one: one.placed_at, reverse=True)[:_MOST_SHOWN]
    if not newest:
        turn.say("您还没有取药单。医生开了处方、药师审核通过以后，我会把处方发给您，点“去取药”就行。")
        return
    choices = tuple(Choice(f"order.show:{one.id}", f"{one.pharmacy_name[:6]} {one.state.label}") for one in newest)
    turn.say(Menu("您的取药单，点开看：", choices))


async def _show(turn: Turn, order_id: str) -> None:
    order = await turn.services.dispensing.order(turn.actor, order_id)
    turn.say(Menu(patient_order(order), (*patient_choices(order), Choice("order.mine", "我的取药单"))))


async def _cancel(turn: Turn, order_id: str) -> None:
    order = await turn.services.dispensing.cancel(turn.actor, order_id)
    turn.say(Menu("好的，已经取消了，药店也会知道。", (Choice(f"order.start:{order.prescription_id}", "换一家药店"),)))


async def _received(turn: Turn, order_id: str) -> None:
    order = await turn.services.dispensing.receive(turn.actor, order_id)
    prescription = await turn.services.prescriptions.prescription(turn.actor, order.prescription_id)
    words = "好的，记下了：药已签收。请照处方上写的吃，吃了不舒服就先停下来，马上告诉医生。"
    offer = await offered(turn.services, turn.actor, prescription.id, handed(order.items))
    choices = offer.choices if offer is not None else ()
    if prescription.chronic:
        words = lines(words, "药快吃完的时候，点“快吃完了，再开”。")
        choices = (*choices, Choice(f"refill.ask:{prescription.id}", "快吃完了，再开"))
    words = lines(words, offer.head if offer is not None else "")
    turn.say(Menu(words, choices) if choices else words)


def register(dialogue: Dialogue) -> None:
    """Add the way from a prescription to the medicines."""
    dialogue.add_flow(AddressFlow())
    dialogue.on_action("order.start", _start)
    dialogue.on_action("order.at", _at)
    dialogue.on_action("order.by", _by)
    dialogue.on_action("order.mine", _mine)
    dialogue.on_action("order.show", _show)
    dialogue.on_action("order.cancel", _cancel)
    dialogue.on_action("order.received", _received)
