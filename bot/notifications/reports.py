"""Reports of images: signed, changed; and critical values, told to more and more people until somebody answers."""

from dataclasses import replace
from datetime import timedelta

from backend.consultation.rules import Urgency
from backend.consultation.views import ConsultationView
from backend.reporting import CriticalView
from backend.security.policy import SYSTEM, Role
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.cards.report import critical_card, patient_report_card, report_card
from bot.messages import Text
from bot.notifications.notifier import Notifier
from bot.wording import clip, lines, short_day, time_of_day

_LONGEST_SHOWN = 80
_MOST_DOCTORS = 20
_ALARM = "危急值，请马上处理"
_CRITICAL = Urgency.CRITICAL.label
_TO_PATIENT_ONCE_IN = timedelta(hours=1)


async def signed(notifier: Notifier) -> None:
    """Doctor and patient get the card that opens the report; its expert hears that they have."""
    view = await notifier.case()
    report = await notifier.services.reports.report(SYSTEM, notifier.payload["report_id"])
    url, changed = notifier.services.links.reports(view.id), report.version > 1
    what = "检查报告改过了" if changed else "检查报告出来了"
    note = notice("result", what, view, notifier.now, opens=True)
    await notifier.tell_speaker(view, patient_report_card(view, url, note, changed=changed))
    words = lines(
        report.examination,
        f"第{report.version}版，修改原因：{clip(report.amendment_reason, _LONGEST_SHOWN)}" if changed else "",
        f"印象：{clip(report.impression, _LONGEST_SHOWN)}",
        "点这里看全文。",
    )
    title = "影像报告改过了" if changed else "影像报告出来了"
    await notifier.tell_practitioner(view.doctor_id, report_card(view, title, words, url, note))
    done = f"已经发给{view.doctor_name}医生和患者。点这里可以看，也可以修改。"
    note = notice("progress", "影像报告已签发", view, notifier.now, opens=True)
    await notifier.tell_practitioner(view.expert_id, report_card(view, "影像报告已签发", done, url, note))


async def critical_marked(notifier: Notifier) -> None:
    """The doctor gets it at once; the patient hears to stay within reach, and when to call an ambulance, no more."""
    view = await notifier.case()
    critical = await _critical(notifier)
    await _alarm(notifier, view, critical, view.doctor_id, "⚠ 危急值，不能等！")
    words = (
        f"{view.doctor_name}医生要尽快联系您，请把手机带在身边，不要关机，家人也帮忙听着电话。\n"
        "要是突然胸痛、喘不上气、说不清话、手脚没力、呕血或者昏过去，请马上打120，不要等。"
    )
    note = notice("task", "医生要尽快联系您", view, notifier.now, button="我的会诊")
    stretch = int(notifier.event.occurred_at.timestamp() // _TO_PATIENT_ONCE_IN.total_seconds())
    await notifier.tell_speaker(view, Text(words, notice=note), once=f"critical:{view.id}:{stretch}")


async def critical_unanswered(notifier: Notifier) -> None:
    """Nobody has answered: the doctor hears it again, then colleagues there too, then those who keep the platform
    running, who read nothing clinical and are to telephone."""
    view = await notifier.case()
    critical = await _critical(notifier)
    if critical.confirmed_by is not None:
        return
    reminders = notifier.payload["reminders"]
    minutes = int((notifier.now - critical.marked_at).total_seconds() // 60)
    head = f"⚠ 危急值，{minutes}分钟了还没有人确认！"
    await _alarm(notifier, view, critical, view.doctor_id, head)
    if reminders >= 2:
        await _alarm_colleagues(notifier, view, critical, f"{head}\n{view.doctor_name}医生没有回应，请您接手。")
    if reminders >= 3:
        await _call_for_help(notifier, view, minutes)


async def _alarm_colleagues(notifier: Notifier, view: ConsultationView, critical: CriticalView, head: str) -> None:
    doctors = await notifier.services.people.practitioners(
        role=Role.GRASSROOTS_DOCTOR, institution_id=view.institution_id, joined_only=True, limit=_MOST_DOCTORS
    )
    for doctor in doctors:
        if doctor.id != view.doctor_id:
            await _alarm(notifier, view, critical, doctor.id, head)


async def _call_for_help(notifier: Notifier, view: ConsultationView, minutes: int) -> None:
    words = (
        f"紧急：{view.number} 有危急值，{minutes}分钟没有医生确认。\n"
        f"请马上打电话给{view.institution_name}，让{view.doctor_name}医生或者值班医生打开公众号，点“收到，马上处理”。"
    )
    note = notice("task", "危急值没人确认，请打电话", view, notifier.now, status="待处理", button="待处理事项")
    await notifier.tell_administrators(Text(words, notice=note))
    words = (
        f"{case_line(view)}：您标的危急值{minutes}分钟没有人确认，已请管理员打电话。您要是有他们的电话，也请直接打。"
    )
    note = notice("task", "危急值还没有人确认", view, notifier.now, button="我的会诊")
    await notifier.tell_practitioner(view.expert_id, Text(words, notice=note))


async def critical_confirmed(notifier: Notifier) -> None:
    """The expert hears who has it in hand since when; so does the doctor of the case, where a colleague answered."""
    view = await notifier.case()
    critical = await _critical(notifier)
    if critical.confirmed_by is None or critical.confirmed_at is None:
        raise LookupError("a confirmed critical value that nobody confirmed")
    who = await notifier.practitioner(critical.confirmed_by)
    when = f"{short_day(critical.confirmed_at)}{time_of_day(critical.confirmed_at)}"
    words = f"{case_line(view)}：{who.name}医生{when}确认收到危急值，正在处理。"
    note = notice("progress", "危急值医生已收到", view, notifier.now)
    await notifier.tell_practitioner(view.expert_id, Text(words, notice=note))
    if view.doctor_id != critical.confirmed_by:
        await notifier.tell_practitioner(view.doctor_id, Text(words, notice=note))


async def _alarm(
    notifier: Notifier, view: ConsultationView, critical: CriticalView, practitioner_id: str, head: str
) -> None:
    note = notice("task", _ALARM, view, notifier.now, status=_CRITICAL)
    urgent = replace(note, fields=note.fields | {"urgency": _CRITICAL})  # whatever the case was when it came
    card = critical_card(view, critical, head, view.expert_name, urgent)
    await notifier.tell_practitioner(practitioner_id, card)


async def _critical(notifier: Notifier) -> CriticalView:
    found = await notifier.services.critical_values.values_of(SYSTEM, notifier.payload["consultation_id"])
    return next(one for one in found if one.id == notifier.payload["critical_id"])


HANDLERS = {
    "report.signed": signed,
    "report.critical_marked": critical_marked,
    "report.critical_unanswered": critical_unanswered,
    "report.critical_confirmed": critical_confirmed,
}
