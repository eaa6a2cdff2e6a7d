"""The identity number by which insurance knows a patient, asked for before the first time that costs something."""

from bot.dialogue import Dialogue, Turn
from bot.flows import paying
from bot.incoming import Kind
from bot.messages import Choice, Menu

_NAME = "identity"
_LEAVING = frozenset({"返回", "退出", "取消", "算了", "不写了"})
_MARKS = " 。.，,"
_DIGITS = 18
_FEWEST_DIGITS = 8
_WHY = (
    "身份证号只用来查医保能付多少，加密保存，别人看不到。请写看病人的18位身份证号。\n"
    "身份证不在手边、不想写，可以先不用医保，费用就全部自己付。"
)


async def is_asked_for(turn: Turn, consultation_id: str, slot_id: str) -> bool:
    """Ask whose number nobody knows whether insurance is to be asked, and tell whether that was asked."""
    case = await turn.services.consultations.reference(consultation_id)
    if case is None or await turn.services.people.identity_index_of(case.patient_id) is not None:
        return False
    chosen = f"{consultation_id}:{slot_id}"
    choices = (
        Choice(f"charge.identity:{chosen}", "写身份证号"),
        Choice(f"charge.noidentity:{chosen}", "不用医保"),
    )
    turn.say(
        Menu(
            "医保要凭看病人的身份证号才查得到。写一次就行，加密保存，只用来查医保和病历。\n不用医保也可以约。", choices
        )
    )
    return True


def _back(consultation_id: str) -> tuple[Choice, ...]:
    return (Choice(f"patient.book:{consultation_id}", "重新选时间"),)


class IdentityFlow:
    """Waits for the number. Data: `consultation_id`, `slot_id`."""

    name = _NAME

    async def begin(self, turn: Turn) -> None:
        """Ask for it."""
        turn.say("请写看病人的18位身份证号，照着身份证一位一位写。\n不想写了就说“算了”。")

    async def receive(self, turn: Turn) -> None:
        """Keep the number and go on with the time that was chosen; `InvalidInput` says what is wrong with it."""
        consultation_id, slot_id = turn.data["consultation_id"], turn.data["slot_id"]
        words = turn.text.strip(_MARKS).replace(" ", "")
        if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not words:
            turn.say("请打字，或者说给我听。")
        elif words in _LEAVING:
            turn.leave()
            turn.say(Menu("好的，没有记身份证号，时间也没有约。", _back(consultation_id)))
        elif sum(character.isdigit() for character in words) < _FEWEST_DIGITS:
            chosen = f"{consultation_id}:{slot_id}"
            turn.say(Menu(_WHY, (Choice(f"charge.noidentity:{chosen}", "不用医保"), *_back(consultation_id))))
        elif len(words) != _DIGITS:
            turn.say(f"身份证号是{_DIGITS}位，您写的是{len(words)}位。请对照身份证再发一次；不想写了就说“算了”。")
        else:
            case = await turn.services.consultations.get(turn.actor, consultation_id)
            await turn.services.people.update_person(turn.actor, case.patient_id, id_number=words)
            turn.leave()
            await paying.hold(turn, consultation_id, slot_id)


async def _ask(turn: Turn, argument: str) -> None:
    consultation_id, _, slot_id = argument.partition(":")
    await turn.services.consultations.get(turn.actor, consultation_id)
    await turn.enter(_NAME, consultation_id=consultation_id, slot_id=slot_id)


async def _without(turn: Turn, argument: str) -> None:
    consultation_id, _, slot_id = argument.partition(":")
    if turn.state.flow == _NAME:
        turn.leave()
    await paying.hold(turn, consultation_id, slot_id)


def register(dialogue: Dialogue) -> None:
    """Add the question for the number."""
    dialogue.add_flow(IdentityFlow())
    dialogue.on_action("charge.identity", _ask)
    dialogue.on_action("charge.noidentity", _without)
