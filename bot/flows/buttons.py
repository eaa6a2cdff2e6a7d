"""The words on the buttons of a patient's menu, typed: they work everywhere, as the buttons do."""

from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.incoming import Kind

_ACTIONS = {
    "我要问诊": "patient.start",
    "我的会诊": "patient.mine",
    "我的账单": "charge.bills",
    "附近的卫生院": "patient.places",
    "附近卫生院": "patient.places",
    "更多": "help.more",
    "帮助": "help.more",
    "菜单": "help.more",
    "隐私与同意": "patient.privacy",
}


async def typed_button(turn: Turn) -> bool:
    """Do what a button would; practitioners have buttons, and words, of their own."""
    action = _ACTIONS.get(turn.text.strip("“”\"'。.！!"))
    if action is None or turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or is_practitioner(turn.actor):
        return False
    await turn.act(action)
    return True


def register(dialogue: Dialogue) -> None:
    """Let the words of buttons be typed."""
    dialogue.intercept([typed_button])
