"""From the photographs of a case in chat to the page on which one is made an image of a study.

It is done there and not by a tap here: whoever answers whether a name is to be seen has to see the photograph large,
and an image is kept in a transaction of its own, while a turn holds one open (docs/imaging.md, Photographs).
"""

from bot.dialogue import Dialogue, Turn
from bot.messages import Choice, Link


async def offered(turn: Turn, role: str, consultation_id: str, file_ids: set[str]) -> tuple[Choice, ...]:
    """Give the button that leads there, where one of these photographs is no image yet and the actor may make it one.

    Args:
        role: the beginning of the actor's actions.
    """
    imaging = turn.services.imaging
    if not await imaging.may_convert(turn.actor, consultation_id):
        return ()
    found = await imaging.photographs(turn.actor, consultation_id)
    if all(one.converted for one in found if one.file_id in file_ids):
        return ()
    return (Choice(f"{role}.photo:{consultation_id}", "存成影像"),)


async def lead(turn: Turn, consultation_id: str) -> None:
    """Give the card of the page."""
    turn.leave()
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    turn.say(
        Link(
            "把照片存成影像",
            "存好的照片和检查图像放在一起，专家医院的影像系统里也能看到。\n"
            "点这里打开页面，在“照片”里点开一张，看清楚有没有姓名、号码，再点“存成影像”。手机上先点左上角的“序列”。",
            turn.services.links.viewer(view.id),
        )
    )


def register(dialogue: Dialogue) -> None:
    """Lead doctors and experts there."""
    for role in ("doctor", "expert"):
        dialogue.on_action(f"{role}.photo", lead)
