"""Something in the images cannot wait: what it is, a question back, and the doctor hears it at once."""

from backend.errors import Forbidden, NotFound
from backend.imaging import StudyView
from backend.reporting import critical_findings_for
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow, ending_if_refused
from bot.messages import Choice, Menu, suggestions

_FIRST = 6


class CriticalFlow(StaffFlow):
    """Data: `consultation_id`, `study_id`, `study_uid`; `all` names are shown; `text` until it is confirmed."""

    name = "expert_critical"
    farewell = "好的，没有通知医生。"

    async def begin(self, turn: Turn) -> None:
        names = [one.name for one in critical_findings_for((await _study(turn)).modalities)]
        shown = names if turn.data.get("all") else names[:_FIRST]
        choices = [*suggestions("critical", shown)]
        if len(shown) < len(names):
            choices.append(Choice("critical.more", "更多"))
        choices.append(_back(turn))
        turn.say(Menu("看到什么要马上告诉医生？请点一个，或者直接写，例如：右侧张力性气胸，纵隔左移", tuple(choices)))

    async def told(self, turn: Turn, words: str) -> None:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        turn.data["text"] = words
        choices = (
            Choice("critical.tell", "马上通知"),
            Choice("critical.again", "重写"),
            _back(turn),
        )
        turn.say(Menu(f"马上通知 {view.doctor_name} 医生？\n危急值：{words}\n没有人确认会接着通知别的医生。", choices))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id.startswith("critical:"):
            await self.told(turn, turn.text)
        elif item_id == "critical.more":
            turn.data["all"] = True
            await self.begin(turn)
        elif item_id == "critical.again":
            turn.data.pop("text", None)
            await self.begin(turn)
        elif item_id == "critical.tell" and "text" in turn.data:
            await self._tell(turn)
        else:
            await super().tapped(turn, item_id)

    async def _tell(self, turn: Turn) -> None:
        consultation_id, study_id = turn.data["consultation_id"], turn.data["study_id"]
        with ending_if_refused(turn):
            await turn.services.critical_values.mark(
                turn.actor, consultation_id, turn.data["study_uid"], turn.data["text"]
            )
        view = await turn.services.consultations.get(turn.actor, consultation_id)
        turn.leave()
        words = f"已经通知{view.doctor_name}医生。医生一确认，我马上告诉您；5分钟没有人确认，会再通知更多的人。"
        turn.say(Menu(words, (Choice(f"expert.report:{consultation_id}:{study_id}", "写影像报告"),)))


async def mark(turn: Turn, argument: str) -> None:
    """Begin; `argument` is the case and the row of the study."""
    consultation_id, _, study_id = argument.partition(":")
    if not await turn.services.reports.may_write(turn.actor, consultation_id):
        raise Forbidden
    studies = await turn.services.imaging.studies_of(turn.actor, consultation_id)
    study = next((one for one in studies if one.id == study_id), None)
    if study is None:
        raise NotFound
    await turn.enter(CriticalFlow.name, consultation_id=consultation_id, study_id=study.id, study_uid=study.study_uid)


async def _study(turn: Turn) -> StudyView:
    return await turn.services.imaging.study(turn.actor, turn.data["study_uid"], turn.data["consultation_id"])


def _back(turn: Turn) -> Choice:
    return Choice(f"expert.report:{turn.data['consultation_id']}:{turn.data['study_id']}", "不通知，回报告")


def register(dialogue: Dialogue) -> None:
    """Let an expert tell of what cannot wait."""
    dialogue.add_flow(CriticalFlow())
    dialogue.on_action("expert.critical", mark)
