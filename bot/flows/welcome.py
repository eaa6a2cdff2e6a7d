"""The first words to somebody who follows the account or scans its code."""

from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows import consent
from bot.flows.intake_questions import answer_in_place
from bot.flows.intake_state import Intake
from bot.incoming import Kind
from bot.messages import Choice, Menu

HOME = (
    Choice("patient.start", "我要问诊"),
    Choice("patient.mine", "我的会诊"),
    Choice("patient.places", "附近的卫生院"),
    Choice("help.more", "更多"),
)
"""What a patient can do, as it stands in the account's menu too."""

_GREETING = "您好，我是桥医。您在家告诉我哪里不舒服，我帮您找镇上的医生看；需要时，再请大医院的专家一起看。"


def home(words: str) -> Menu:
    """Give `words` with everything that a patient can do below them."""
    return Menu(words, HOME)


async def _meet(turn: Turn) -> bool:
    """Greet followers and scanners; invitations of doctors (scene `join-…`) are somebody else's."""
    incoming = turn.incoming
    if incoming.kind is Kind.UNFOLLOW:
        return True  # nobody would hear an answer; what was said so far is kept for their return
    if incoming.kind not in (Kind.FOLLOW, Kind.SCAN) or incoming.item_id.startswith("join-"):
        return False
    if is_practitioner(turn.actor):
        return False
    if not await turn.services.people.has_consent(turn.actor.person_id):
        await consent.ask(turn, _GREETING)
    elif Intake.of(turn) is not None:  # they left in the middle; what was said so far is kept
        answer_in_place(turn, "欢迎您回来。" if incoming.kind is Kind.FOLLOW else "您好。")
    elif incoming.kind is Kind.FOLLOW:
        turn.say(home("欢迎您回来。哪里不舒服，直接告诉我就行。"))
    else:
        turn.say(home("您好，请问要办什么事？"))
    return True


def register(dialogue: Dialogue) -> None:
    """Add the greeting."""
    dialogue.intercept([_meet])
