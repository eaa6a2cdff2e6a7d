"""What devices at home measured, in words: for the patient what to do now, for the doctor what it is.

The advice is our own wording of what 120 operators and the guidelines in `data/monitoring` say; it names no illness.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from backend.records import ObservationView
from backend.records.monitoring.limits import Level, Side
from backend.records.monitoring.readings import Kind
from backend.records.monitoring.views import AlertView
from bot.cards.notices import notice
from bot.messages import Choice, Menu, Notice, Text
from bot.wording import lines, moment

RECEIVED = "monitoring.received"
"""The action with which a doctor takes an alert in hand."""

ALERT, ALERTS, NOTE, END = "monitoring.alert", "doctor.alerts", "monitoring.note", "monitoring.end"
READINGS = "monitoring.readings"
"""The action that shows what the devices of a patient measured."""

MOST_READINGS = 20

_SIT = "先坐下歇5分钟，再量一次。"
_DANGER = {
    (Kind.BLOOD_PRESSURE, Side.HIGH): (
        f"{_SIT}\n要是头痛得厉害、胸口痛、喘不上气、看东西不清楚、说话不清楚或者手脚没力，马上打120。\n"
        "没有这些，今天也要去卫生院看，不要自己加药。"
    ),
    (Kind.BLOOD_PRESSURE, Side.LOW): (
        "先躺平，把脚垫高，歇5分钟再量一次。\n还是这么低，或者出冷汗、人迷糊、站不住，马上打120。"
    ),
    (Kind.HEART_RATE, Side.HIGH): f"{_SIT}\n还是这么快，或者胸口痛、喘不上气、头晕得要倒，马上打120。",
    (Kind.HEART_RATE, Side.LOW): f"{_SIT}\n还是这么慢，或者胸口痛、喘不上气、头晕得要倒，马上打120。",
    (Kind.SPO2, Side.LOW): (
        "坐起来，把手指捂热，夹好马上再量一次。\n还是这么低，或者喘不上气、嘴唇发紫，马上打120。家里有氧气就先吸上。"
    ),
    (Kind.GLUCOSE, Side.HIGH): (
        "多喝白开水，不要喝甜的，不要自己停药。今天就要去医院看。\n"
        "要是恶心呕吐、肚子痛、喘得厉害或者人迷糊，马上打120。"
    ),
    (Kind.GLUCOSE, Side.LOW): (
        "人清醒：马上吃三四块糖，或者喝半杯糖水，15分钟后再测一次。\n人迷糊、叫不醒：不要喂东西，马上打120。"
    ),
    (Kind.TEMPERATURE, Side.HIGH): (
        "多喝水，少盖一点，今天就要去看医生。\n要是人迷糊、抽搐、叫不醒或者喘不上气，马上打120。"
    ),
    (Kind.TEMPERATURE, Side.LOW): (
        "盖好被子，喝点温水，夹好体温计再量一次。\n还是这么低，今天就要去看医生；人迷糊、叫不醒，马上打120。"
    ),
}
_MILD = {
    (Kind.GLUCOSE, Side.LOW): "人清醒就马上吃三四块糖，或者喝半杯糖水，15分钟后再测一次。",
    (Kind.GLUCOSE, Side.HIGH): "多喝白开水，不要喝甜的，药照医生说的用，不要自己加减。",
    (Kind.TEMPERATURE, Side.HIGH): "多喝水，多休息，过两个小时再量一次。",
    (Kind.TEMPERATURE, Side.LOW): "盖好被子，喝点温水，把体温计夹好再量一次。",
    (Kind.SPO2, Side.LOW): "坐起来，把手指捂热，夹好再量一次。",
}
_REST = "坐下歇5分钟再量一次。药照医生说的吃，不要自己加减。"
_EMERGENCY = "要是突然很不舒服，比如胸口痛、喘不上气、人迷糊，马上打120。"
_PATIENT_TITLES = {
    Level.WATCH: "您家里量的数值有变化",
    Level.ALERT: "您家里量的数值要注意",
    Level.DANGER: "您家里量的数值，请马上看",
}


def patient_alert(alert: AlertView, told: str, now: datetime) -> Text:
    """Tell a patient what was measured and what to do now; never what it may be.

    Args:
        told: who else hears of it, as the patient knows them.
    """
    measured = f"{moment(alert.measured_at, now)}量的是：{alert.reading}"
    too = "太低" if alert.side is Side.LOW else "太高"
    place = alert.kind, alert.side
    if alert.level is Level.DANGER:
        words = lines(
            f"⚠ {measured}，{too}了，不能等！",
            _DANGER[place],
            f"我已经告诉{told}了，请把手机放在身边。",
        )
    elif alert.level is Level.ALERT:
        head = f"{measured}，最近几次都{alert.side.label}。先别着急。"
        words = lines(head, _MILD.get(place, _REST), f"我已经告诉{told}了，看过会联系您。", _EMERGENCY)
    else:
        head = f"{measured}，最近几次都比平常{alert.side.label}一点。"
        words = lines(head, _MILD.get(place, _REST), "以后每天在差不多的时间再量一量。", _EMERGENCY)
    return Text(
        words, notice=notice("task", _PATIENT_TITLES[alert.level], None, now, status="请看", button="药、设备、账单")
    )


def doctor_alert(alert: AlertView, head: str, now: datetime) -> Menu:
    """Give an alert to a doctor, with the button that takes it in hand.

    Args:
        head: what is the matter, and how often it was told.
    """
    return Menu(lines(head, *_facts(alert, now)), _choices(alert), notice=_doctor_notice(alert, now))


def alert_head(alert: AlertView) -> str:
    """Say what is the matter in one line."""
    if alert.level is Level.DANGER:
        return f"⚠ 患者家里量的{alert.kind.label}很危险，请马上处理！"
    return f"患者家里量的{alert.kind.label}{alert.side.label}，请看一下。"


def alert_choice(alert: AlertView) -> Choice:
    """Give an alert as an answer to tap."""
    mark = "危险" if alert.level is Level.DANGER else alert.side.label
    done = "✓" if alert.acknowledged_by else ""
    return Choice(f"{ALERT}:{alert.id}", f"{done}{(alert.patient_name or '患者')[:4]}·{alert.kind.label}{mark}")


def readings_text(found: Sequence[ObservationView], now: datetime) -> str:
    """Give what devices measured, one moment a line, the newest first; both pressures stand together."""
    batches: dict[str, list[ObservationView]] = {}
    for one in found:
        batches.setdefault(one.batch_id, []).append(one)
    return lines(*(f"· {moment(batch[0].taken_at, now)}　{_measured(batch)}" for batch in batches.values()))


def _measured(batch: list[ObservationView]) -> str:
    held = {one.kind_key: one for one in batch}
    upper, lower = held.get("systolic"), held.get("diastolic")
    if upper is None or lower is None:
        return "，".join(f"{one.kind.name}{one.shown}" for one in batch)
    return f"血压{upper.kind.show(Decimal(upper.value))}/{lower.shown}"


def _facts(alert: AlertView, now: datetime) -> list[str]:
    told = f"{moment(alert.measured_at, now)}量的：{alert.reading}"
    later = alert.latest_at > alert.measured_at
    return [
        f"患者：{alert.patient_name or '（没有留名字）'}",
        told,
        f"最近一次，{moment(alert.latest_at, now)}：{alert.latest}" if later else "",
        f"从{moment(alert.opened_at, now)}起，一共{alert.readings}次。" if alert.readings > 1 else "",
        f"处理记录：{alert.note}" if alert.note else "",
        "已经告诉患者先做什么。请打电话问问情况。" if alert.level is Level.DANGER else "",
    ]


def _choices(alert: AlertView) -> tuple[Choice, ...]:
    readings = Choice(f"{READINGS}:{alert.patient_id}", "看最近读数")
    if alert.acknowledged_by is None and alert.closed_at is None:
        return (Choice(f"{RECEIVED}:{alert.id}", "收到，我来处理"), readings)
    return (Choice(f"{NOTE}:{alert.id}", "写处理记录"), readings, Choice(ALERTS, "监测提醒"))


def _doctor_notice(alert: AlertView, now: datetime) -> Notice:
    urgent = alert.level is Level.DANGER
    title = "家里的设备报警，请马上处理" if urgent else "家里的设备有提醒，请看"
    return notice("task", title, None, now, status="危险" if urgent else "待处理", button="监测提醒")
