"""Devices at home: their alerts, told to patient and doctor, to more people while nobody answers; and their silence."""

from backend.people.views import PractitionerView
from backend.records.monitoring.limits import Level
from backend.records.monitoring.views import AlertView
from backend.security.policy import SYSTEM, Role
from bot.cards.monitoring import alert_head, doctor_alert, patient_alert
from bot.cards.notices import notice
from bot.messages import Choice, Menu, Message, Text, about
from bot.notifications.notifier import Notifier

_MOST_DOCTORS = 20


async def paired(notifier: Notifier) -> None:
    """The patient hears that a device is theirs now, and who reads what it measures; so does a doctor who began it."""
    device = await notifier.services.monitoring.device(SYSTEM, notifier.payload["device_id"])
    doctor = await notifier.practitioner(notifier.payload["doctor_id"])
    words = (
        f"{device.label}绑定好了。以后量的结果会自动传来，{doctor.name}医生看得到。\n"
        "数值不对劲的时候，我会告诉您该怎么做，也会告诉医生。"
    )
    note = notice("task", "设备绑定好了", None, notifier.now, status="已绑定", button="药、设备、账单")
    message = Menu(words, (Choice("device.mine", "我的设备"),), notice=note)
    told = await _tell_patient(notifier, device.patient_id, message)
    if notifier.payload["by"] not in told:
        names = await notifier.services.people.names([device.patient_id])
        text = Text(f"{names.get(device.patient_id) or '患者'}的{device.label}绑定好了。", notice=note)
        await notifier.tell(notifier.payload["by"], text)


async def told(notifier: Notifier) -> None:
    """The patient hears what to do now; their doctor hears what it is, unless it is for the list alone. Where that
    doctor cannot be reached here, colleagues are told at once, and where there are none, those who can telephone."""
    alert = await _alert(notifier)
    doctor = await notifier.practitioner(alert.doctor_id)
    who = "" if alert.level is Level.WATCH else await _tell_somebody(notifier, alert, doctor)
    await _tell_patient(notifier, alert.patient_id, patient_alert(alert, who, notifier.now))


async def _tell_somebody(notifier: Notifier, alert: AlertView, doctor: PractitionerView) -> str:
    """Tell the doctor, or who stands in, and give who it was as the patient knows them."""
    head = alert_head(alert)
    if doctor.person_id is not None and doctor.active:
        await notifier.tell_practitioner(doctor.id, doctor_alert(alert, head, notifier.now))
        return f"{doctor.name}医生"
    if await _tell_colleagues(notifier, alert, f"{head}\n{doctor.name}医生现在不用公众号，请您接手。"):
        return f"{doctor.institution_name}的医生"
    await _call_for_help(notifier, alert, doctor, "那里没有医生在用公众号")
    return "值班的人，请他们联系医生"


async def unanswered(notifier: Notifier) -> None:
    """Nobody has answered: the doctor hears it again and colleagues there too, then those who keep the platform
    running, who read nothing clinical and are to telephone."""
    alert = await _alert(notifier)
    if alert.acknowledged_by is not None or alert.told_at is None:
        return
    doctor = await notifier.practitioner(alert.doctor_id)
    minutes = int((notifier.now - alert.told_at).total_seconds() // 60)
    since = f"{minutes}分钟了" if alert.level is Level.DANGER else "到今天"
    head = f"{alert_head(alert)}\n{since}还没有人处理。"
    await notifier.tell_practitioner(doctor.id, doctor_alert(alert, head, notifier.now))
    await _tell_colleagues(notifier, alert, f"{head}{doctor.name}医生没有回应，请您接手。")
    if notifier.payload["step"] >= 2:
        await _call_for_help(notifier, alert, doctor, f"{since}没有医生处理")


async def acknowledged(notifier: Notifier) -> None:
    """The patient hears who has seen it; so does their doctor, where a colleague answered."""
    alert = await _alert(notifier)
    who = await notifier.practitioner(alert.acknowledged_by or "")
    words = f"{who.name}医生已经看到您家里量的{alert.kind.label}了，会联系您。"
    note = notice("task", "医生看到您的数值了", None, notifier.now, status="已看到", button="药、设备、账单")
    await _tell_patient(notifier, alert.patient_id, Text(words, notice=note))
    if alert.doctor_id != who.id:
        words = f"{alert.patient_name or '患者'}的{alert.kind.label}提醒，{who.name}医生在处理。"
        note = notice("task", "同事在处理监测提醒", None, notifier.now, status="处理中", button="监测提醒")
        await notifier.tell_practitioner(alert.doctor_id, Text(words, notice=note))


async def silent(notifier: Notifier) -> None:
    """A device has sent nothing for days: its patient hears so, once."""
    device = await notifier.services.monitoring.device(SYSTEM, notifier.payload["device_id"])
    if not device.active:
        return
    words = (
        f"您的{device.label}有一个星期没有传来数据了。\n要是还在用，请看看电池和网络；不用了，点“我的设备”可以解绑。"
    )
    note = notice("task", "设备好久没有数据", None, notifier.now, status="请看看", button="药、设备、账单")
    message = Menu(words, (Choice("device.mine", "我的设备"),), notice=note)
    await _tell_patient(notifier, device.patient_id, message)


async def _tell_patient(notifier: Notifier, patient_id: str, message: Message) -> tuple[str, ...]:
    """Tell a patient, or those who speak for them, by the patient's name; give who was told."""
    people = notifier.services.people
    speakers = await people.speakers(patient_id)
    name = (await people.names([patient_id])).get(patient_id) or "您的家人"
    for speaker in speakers:
        await notifier.tell(speaker, message if speaker == patient_id else about(name, message))
    return speakers


async def _tell_colleagues(notifier: Notifier, alert: AlertView, head: str) -> bool:
    """Tell the other doctors of the institution; whether there are any."""
    doctors = await notifier.services.people.practitioners(
        role=Role.GRASSROOTS_DOCTOR, institution_id=alert.institution_id, joined_only=True, limit=_MOST_DOCTORS
    )
    colleagues = [doctor for doctor in doctors if doctor.id != alert.doctor_id]
    for colleague in colleagues:
        await notifier.tell_practitioner(colleague.id, doctor_alert(alert, head, notifier.now))
    return bool(colleagues)


async def _call_for_help(notifier: Notifier, alert: AlertView, doctor: PractitionerView, why: str) -> None:
    danger = alert.level is Level.DANGER
    place = (await notifier.services.people.institution(alert.institution_id)).name
    what, soon = ("报警", "马上") if danger else ("有提醒", "今天")
    words = (
        f"{'紧急：' if danger else ''}{place}有患者家里的设备{what}，{why}。\n"
        f"请{soon}打电话给{place}，让{doctor.name}医生或者值班医生打开公众号，点“监测提醒”。"
    )
    note = notice("task", f"家里的设备{what}，请打电话", None, notifier.now, status="待处理", button="待处理事项")
    await notifier.tell_administrators(Text(words, notice=note))


async def _alert(notifier: Notifier) -> AlertView:
    return await notifier.services.monitoring.alert(SYSTEM, notifier.payload["alert_id"])


HANDLERS = {
    "monitoring.device_paired": paired,
    "monitoring.device_silent": silent,
    "monitoring.alert_told": told,
    "monitoring.alert_unanswered": unanswered,
    "monitoring.alert_acknowledged": acknowledged,
}
