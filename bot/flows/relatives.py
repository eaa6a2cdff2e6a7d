"""The writer's relatives, in words: whose values these are, whose slip this is."""

from backend.people.views import RelativeView
from bot.dialogue import Turn
from bot.messages import Choice
from bot.wording import clip

RELATION_NAMES = {
    "child": "孩子",
    "father": "爸爸",
    "mother": "妈妈",
    "spouse": "爱人",
    "grandparent": "老人",
    "other": "家人",
}
"""What each of `backend.people.rules.RELATIONS` is called in chat."""

_LONGEST = 10


def called(relative: RelativeView) -> str:
    """Name a relative: by their name where it is known."""
    return relative.person.name or RELATION_NAMES[relative.relation]


def person_choices(turn: Turn, verb: str, relatives: list[RelativeView], own: bool = True) -> tuple[Choice, ...]:
    """Give the writer and `relatives` as answers `verb:person`."""
    me = [Choice(f"{verb}:{turn.actor.person_id}", "我自己")] if own else []
    return (*me, *(Choice(f"{verb}:{one.person.id}", clip(called(one), _LONGEST)) for one in relatives))


async def whose(turn: Turn, patient_id: str) -> str:
    """Name the relative with this id; "" for the writer."""
    if patient_id == turn.actor.person_id:
        return ""
    relatives = await turn.services.people.relatives(turn.actor)
    return next((called(one) for one in relatives if one.person.id == patient_id), "")
