"""What hears a doctor, an expert or an administrator while no flow is running."""

from bot.dialogue import Dialogue, Turn
from bot.flows.doctor_attach import PlacePictureFlow
from bot.flows.expert_hours import heard_hours, is_about_hours
from bot.flows.staff_flow import StaffFlow
from bot.flows.staff_menus import WHAT_THEY_CAN_DO, home, staff_role


class ExpertHome(StaffFlow):
    """An expert without a running consultation says something: perhaps when they have time."""

    name = "expert"

    async def begin(self, turn: Turn) -> None:
        turn.say(home(turn.actor, "您好，请问要办什么？"))

    async def told(self, turn: Turn, words: str) -> None:
        if is_about_hours(turn):
            await heard_hours(turn)
        else:
            await self.begin(turn)

    async def pictured(self, turn: Turn, file_id: str) -> None:
        turn.say(home(turn.actor, "您现在没有进行中的会诊，这张图片没有发给任何人。"))


class DoctorHome(ExpertHome):
    """A grassroots doctor without a running consultation: a picture belongs to one of the open cases."""

    name = "doctor"

    async def pictured(self, turn: Turn, file_id: str) -> None:
        await turn.enter(PlacePictureFlow.name, file_id=file_id)


class PharmacistHome(ExpertHome):
    """A pharmacist says something."""

    name = "pharmacist"

    async def pictured(self, turn: Turn, file_id: str) -> None:
        turn.say(home(turn.actor, "审方用不到图片，这张图片没有发给任何人。"))


class AdministratorHome(ExpertHome):
    """An administrator says something."""

    name = "administrator"


async def _help(turn: Turn, _: str) -> None:
    """Say what the person's role can do here; a running flow goes on."""
    role = staff_role(turn.actor)
    if role is None:
        turn.say("请点“使用帮助”。")
        return
    turn.say(home(turn.actor, f"在这里：\n{WHAT_THEY_CAN_DO[role]}\n也可以随时打字“菜单”，或者按钮上的字。"))


def register(dialogue: Dialogue) -> None:
    """Add the flows that hear practitioners by default, and what they can do."""
    dialogue.on_action("staff.help", _help)
    dialogue.add_flow(ExpertHome())
    dialogue.add_flow(DoctorHome())
    dialogue.add_flow(PharmacistHome())
    dialogue.add_flow(AdministratorHome())
