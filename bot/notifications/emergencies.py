"""That somebody looked in an emergency reaches the patient and those who keep the platform running."""

from backend.clock import local
from backend.security.policy import SYSTEM
from bot.cards.notices import notice
from bot.messages import Choice, Menu, Text
from bot.notifications.notifier import Notifier


async def glass_broken(notifier: Notifier) -> None:
    """Say who looked, and when it ends."""
    people, patient_id = notifier.services.people, notifier.payload["patient_id"]
    staff = await people.practitioners_by_person([notifier.cause])
    who = staff.get(notifier.cause)
    name = f"{who.institution_name}的{who.name}医生" if who else "一位医生"
    at = f"{local(notifier.event.occurred_at):%m月%d日 %H:%M}"
    choices = (Choice("patient.accesses", "谁看过我的病历"), Choice("help.human", "转人工"))
    words = f"{name}因为要抢救，在{at}紧急查看了您的过敏、用药和病史，一小时后自动关上。要是不对，请告诉我们。"
    note = notice("task", "有医生紧急查看了资料", None, notifier.now, status="请看一下", button="隐私与同意")
    for person_id in await people.speakers(patient_id):
        await notifier.tell(person_id, Menu(words, choices, notice=note))
    person = await people.person(SYSTEM, patient_id)
    alarm = notice("task", "有医生紧急查看资料", None, notifier.now, status="待核查", button="待处理事项")
    told = f"{name}在{at}紧急查看了{person.name or '一位患者'}的资料，理由在审计记录里。请核查是不是真的紧急。"
    await notifier.tell_administrators(Text(told, notice=alarm))


HANDLERS = {"people.glass_broken": glass_broken}
