"""Pictures and notes that a doctor adds to a case while it waits for its appointment."""

from backend.consultation.rules import RUNNING
from backend.consultation.views import ConsultationSummary
from backend.security.policy import Role
from bot.cards.case import case_choice, case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.flows.thread import taken_over
from bot.messages import Choice, Link, Menu

_CASES_READ = 30
_CASES_SHOWN = 8
_DONE = (Choice("done", "发完了"),)


class AttachFlow(StaffFlow):
    """Takes pictures and notes for one case. Data: `consultation_id`."""

    name = "doctor_attach"
    farewell = "好的。"

    async def begin(self, turn: Turn) -> None:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        turn.say(Menu(f"请给 {case_line(view)} 发图片或写说明，可以发多条。", _DONE))

    async def pictured(self, turn: Turn, file_id: str) -> None:
        consultation_id = turn.data["consultation_id"]
        if await taken_over(turn, consultation_id):
            return
        with ending_if_refused(turn):
            await turn.services.consultations.attach(turn.actor, consultation_id, file_id)
        turn.say(Menu("图片已加上。", _DONE))

    async def told(self, turn: Turn, words: str) -> None:
        consultation_id = turn.data["consultation_id"]
        if await taken_over(turn, consultation_id):
            return
        with ending_if_refused(turn):
            await turn.services.consultations.add_findings(turn.actor, consultation_id, vitals={}, text=words)
        turn.say(Menu("说明已加上。", _DONE))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id == "done":
            close(turn, "好的，资料都存好了。")
        else:
            await super().tapped(turn, item_id)


class PlacePictureFlow(StaffFlow):
    """Asks which case a picture that came out of the blue belongs to. Data: `file_id`."""

    name = "doctor_place_picture"
    farewell = "好的，这张图片没有使用。"

    async def begin(self, turn: Turn) -> None:
        cases = await _open_cases(turn)
        if not cases:
            close(turn, "您现在没有进行中的病例，这张图片没有地方放。")
            return
        choices = (*(case_choice(case, "place") for case in cases), Choice("nowhere", "不用了"))
        turn.say(Menu("这张图片放到哪个病例？", choices))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, consultation_id = item_id.partition(":")
        if verb == "place":
            file_id = turn.data["file_id"]
            await turn.services.consultations.attach(turn.actor, consultation_id, file_id)
            await turn.enter(AttachFlow.name, consultation_id=consultation_id)
        elif verb == "nowhere":
            close(turn, self.farewell)
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        await self.begin(turn)

    async def pictured(self, turn: Turn, file_id: str) -> None:
        turn.say("请先选上一张图片放到哪个病例，再发下一张。")
        await self.begin(turn)


async def _open_cases(turn: Turn) -> list[ConsultationSummary]:
    """Give the doctor's latest cases that are not over."""
    latest = await turn.services.consultations.list_for(turn.actor, role=Role.GRASSROOTS_DOCTOR, limit=_CASES_READ)
    return [case for case in latest if case.status in RUNNING][:_CASES_SHOWN]


async def _attach(turn: Turn, consultation_id: str) -> None:
    await turn.enter(AttachFlow.name, consultation_id=consultation_id)


async def _images(turn: Turn, consultation_id: str) -> None:
    """Give the card of the page to which discs and sticks are uploaded."""
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    described = f"{case_line(view)}\n光盘、U盘里的CT、X光片、超声，点这里上传。"
    turn.say(Link("上传影像", described, turn.services.links.studies(view.id)))


def register(dialogue: Dialogue) -> None:
    """Let pictures, notes and images be added to a case."""
    dialogue.add_flow(AttachFlow())
    dialogue.add_flow(PlacePictureFlow())
    dialogue.on_action("doctor.attach", _attach)
    dialogue.on_action("doctor.images", _images)
