"""The one page that a doctor reads before they advise: from what hospitals told and what this case says. Pure.

What several tell is one line with all their names. What nobody told stays visible as not known.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backend.clock import local
from backend.records.hospital.facts import (
    AllergyFact,
    ConditionFact,
    EncounterFact,
    HospitalHistory,
    MedicineFact,
    ReportFact,
    StudyFact,
)
from backend.records.hospital.faults import FAULT_SENTENCES, FaultCode
from backend.records.hospital.reading import instant
from backend.records.hospital.stored import Told
from backend.records.hospital.trends import MeasurementLine, measurement_lines
from backend.records.hospital.views import Outcome

MOST_VITALS, MOST_LABORATORY = 8, 18
_MOST_EVENTS = 6
_OLD = timedelta(days=1)

_PARTS = {
    "AllergyIntolerance": "过敏史",
    "Condition": "诊断",
    "MedicationStatement": "自述用药",
    "MedicationRequest": "处方",
    "Encounter": "就诊记录",
    "DiagnosticReport": "检查报告",
    "ImagingStudy": "影像检查",
    "Observation laboratory": "化验结果",
    "Observation vital-signs": "生命体征",
}
_UNMATCHED = {
    "several": "有两份登记是同一个身份证号，分不清是不是本人，没有显示。",
    "another": "这个身份证号在医院登记的是另外的姓名、性别或出生日期，没有显示。请核对身份证。",
}
_CLASSES = {
    "AMB": "门诊",
    "EMER": "急诊",
    "IMP": "住院",
    "ACUTE": "住院",
    "NONAC": "住院",
    "HH": "家庭病床",
    "VR": "线上",
}
_SECTIONS = (
    ("chief_complaint", "主诉"),
    ("present_illness", "现病史"),
    ("past_history", "既往史"),
    ("allergy_history", "过敏史"),
    ("medication", "用药"),
)


@dataclass(frozen=True)
class Subject:
    """Whom it is about.

    Args:
        identified: whether an identity number is known, by which hospitals can be asked.
        number: of the case. record: the sections of its record, as the patient told them.
    """

    number: str
    name: str = field(repr=False)
    sex: str
    age_months: int | None
    identified: bool
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Line:
    """One thing that is known: what, more about it, since when ("2026年11月2日"), and who says so (`hospitals`)."""

    text: str = field(repr=False)
    detail: str = field(repr=False)
    when: str
    hospitals: tuple[str, ...]
    severe: bool = False


@dataclass(frozen=True)
class HospitalLine:
    """How it stands with one hospital.

    Args:
        outcome: of the last question. asking: it is being asked, or will be in a moment.
        sentence: that, for people. fetched_at: when what is shown of it was fetched; None where nothing is.
    """

    name: str
    outcome: Outcome
    asking: bool
    sentence: str
    fetched_at: datetime | None


@dataclass(frozen=True)
class HistorySummary:
    """Everything on the page.

    Args:
        none_known: who noted that there are no allergies, and when; "" where nobody did.
        told: the sections of this case's record, with their titles.
        more: how many kinds of measurements, visits, reports and studies are not shown.
    """

    number: str
    name: str = field(repr=False)
    sex: str
    age: int | None
    identified: bool
    allergies: tuple[Line, ...]
    none_known: str
    conditions: tuple[Line, ...]
    past_conditions: tuple[Line, ...]
    medicines: tuple[Line, ...]
    vitals: tuple[MeasurementLine, ...]
    laboratory: tuple[MeasurementLine, ...]
    encounters: tuple[Line, ...]
    reports: tuple[Line, ...]
    studies: tuple[Line, ...]
    told: tuple[tuple[str, str], ...] = field(repr=False)
    hospitals: tuple[HospitalLine, ...]
    more: Mapping[str, int]
    made_at: datetime

    @property
    def asking(self) -> bool:
        """Whether a hospital is being asked, so that more may come."""
        return any(one.asking for one in self.hospitals)

    @property
    def silent(self) -> tuple[HospitalLine, ...]:
        """The hospitals of which something may be missing."""
        return tuple(one for one in self.hospitals if one.outcome not in (Outcome.FETCHED, Outcome.ABSENT))


def summarise(
    subject: Subject, here: Sequence[tuple[str, HospitalHistory]], told: Sequence[Told], now: datetime
) -> HistorySummary:
    """Give the page: allergies and danger first, the newest first, each with where it is known from and its day.

    Args:
        here: what is known of the patient beside hospitals, by where it came from.
    """
    sources = [*here, *((one.hospital, one.history) for one in told if one.history is not None)]
    vitals, laboratory = measurement_lines(sources, subject.sex, subject.age_months)
    active = _merged(sources, lambda history: (one for one in history.conditions if one.active), _condition)
    past = _merged(sources, lambda history: (one for one in history.conditions if not one.active), _condition)
    running = {line.text for line in active}
    encounters = _merged(sources, lambda history: history.encounters, _encounter)
    reports = _merged(sources, lambda history: history.reports, _report)
    studies = _merged(sources, lambda history: history.studies, _study)
    allergies = _merged(sources, lambda history: history.allergies, _allergy)
    return HistorySummary(
        number=subject.number,
        name=subject.name,
        sex=subject.sex,
        age=None if subject.age_months is None else subject.age_months // 12,
        identified=subject.identified,
        allergies=tuple(sorted(allergies, key=lambda line: not line.severe)),
        none_known="" if allergies else _none_known(sources),
        conditions=active,
        past_conditions=tuple(line for line in past if line.text not in running)[:_MOST_EVENTS],
        medicines=_merged(sources, lambda history: history.medicines, _medicine),
        vitals=vitals[:MOST_VITALS],
        laboratory=laboratory[:MOST_LABORATORY],
        encounters=encounters[:_MOST_EVENTS],
        reports=reports[:_MOST_EVENTS],
        studies=studies[:_MOST_EVENTS],
        told=tuple((title, str(subject.record[key])) for key, title in _SECTIONS if subject.record.get(key)),
        hospitals=tuple(_hospital(one, subject.identified, now) for one in told),
        more={
            "vitals": max(len(vitals) - MOST_VITALS, 0),
            "laboratory": max(len(laboratory) - MOST_LABORATORY, 0),
            "encounters": max(len(encounters) - _MOST_EVENTS, 0),
            "reports": max(len(reports) - _MOST_EVENTS, 0),
            "studies": max(len(studies) - _MOST_EVENTS, 0),
        },
        made_at=now,
    )


def shown_day(text: str) -> str:
    """Give a date or moment of FHIR as people read it: 2026年11月2日, 2026年11月, 2026年; "" where it is none."""
    moment = instant(text)
    if moment is None:
        return ""
    if len(text) == 4:
        return f"{moment.year}年"
    if len(text) == 7:
        return f"{moment.year}年{moment.month}月"
    day = local(moment)
    return f"{day.year}年{day.month}月{day.day}日"


_Sources = Sequence[tuple[str, HospitalHistory]]
_Shown = tuple[str, str, str, str, bool]  # what makes it the same thing, text, detail, when, severe


def _merged(
    sources: _Sources, facts: Callable[[HospitalHistory], Iterable[Any]], show: Callable[[Any], _Shown]
) -> tuple[Line, ...]:
    """Give the facts of all hospitals, the newest first; the same thing is one line with the newest day."""
    shown = [(hospital, show(fact)) for hospital, history in sources for fact in facts(history)]
    shown.sort(key=lambda one: _sortable(one[1][3]), reverse=True)
    lines: dict[str, Line] = {}
    for hospital, (key, text, detail, when, severe) in shown:
        known = lines.get(key)
        if known is None:
            lines[key] = Line(text, detail, shown_day(when), (hospital,), severe)
            continue
        hospitals = known.hospitals if hospital in known.hospitals else (*known.hospitals, hospital)
        lines[key] = Line(known.text, known.detail or detail, known.when, hospitals, known.severe or severe)
    return tuple(lines.values())


def _sortable(when: str) -> float:
    moment = instant(when)
    return moment.timestamp() if moment is not None else float("-inf")


def _allergy(fact: AllergyFact) -> _Shown:
    return fact.substance, fact.substance, fact.reaction, fact.recorded, fact.severe


def _condition(fact: ConditionFact) -> _Shown:
    return fact.icd10 or fact.name, fact.name, fact.icd10, fact.recorded, False


def _medicine(fact: MedicineFact) -> _Shown:
    return fact.atc or fact.name, fact.name, fact.dose, fact.since, False


def _encounter(fact: EncounterFact) -> _Shown:
    kind = _CLASSES.get(fact.kind, "就诊")
    days = _days(fact.start, fact.end)
    detail = " ".join(filter(None, [fact.department, f"住院{days}天" if kind == "住院" and days else ""]))
    text = f"{kind}　{fact.reason}" if fact.reason else kind
    return f"{text}{fact.department}{fact.start}", text, detail, fact.start, False


def _days(start: str, end: str) -> int:
    first, last = instant(start), instant(end)
    return (last - first).days if first and last else 0


def _report(fact: ReportFact) -> _Shown:
    return f"{fact.name}{fact.conclusion}{fact.when}", fact.name or "检查报告", fact.conclusion, fact.when, False


def _study(fact: StudyFact) -> _Shown:
    text = fact.description or "影像检查"
    return f"{text}{fact.modalities}{fact.when}", text, fact.modalities, fact.when, False


def _none_known(sources: _Sources) -> str:
    noted = [(history.no_known_allergies, hospital) for hospital, history in sources if history.no_known_allergies]
    if not noted:
        return ""
    when, hospital = max(noted, key=lambda one: _sortable(one[0]))
    day = shown_day(when)
    return f"{hospital}{day}记录：没有已知过敏" if day else f"{hospital}记录：没有已知过敏"


def _hospital(told: Told, identified: bool, now: datetime) -> HospitalLine:
    asking = identified and (told.asking or (told.due_at is not None and told.due_at <= now))
    return HospitalLine(told.hospital, told.outcome, asking, _sentence(told, identified, now), told.fetched_at)


def _sentence(told: Told, identified: bool, now: datetime) -> str:
    if not identified:
        return "还没有登记身份证号，查不到。"
    if told.outcome is Outcome.WAITING:
        return "正在查。"
    if told.outcome is Outcome.ABSENT:
        return "没有这个人的病历。"
    if told.outcome is Outcome.UNMATCHED:
        return _UNMATCHED.get(told.fault, _UNMATCHED["another"])
    if told.outcome is Outcome.UNREACHABLE:
        known = {code.value: sentence for code, sentence in FAULT_SENTENCES.items()}
        reason = known.get(told.fault, FAULT_SENTENCES[FaultCode.DOWN])
        if told.fetched_at is None:
            return f"{reason}它的病历没有查到。"
        return f"{reason}这里是{_when(told.fetched_at)}查到的。"
    return _fetched(told, now)


def _fetched(told: Told, now: datetime) -> str:
    history, fetched_at = told.history, told.fetched_at
    if history is None or fetched_at is None:
        return "没有它的病历。"
    parts = [f"{_when(fetched_at)}查到。"]
    if now - fetched_at >= _OLD:
        parts.append(f"这是{(now - fetched_at).days}天前的。")
    if history.missing:
        parts.append(f"医院没有提供：{'、'.join(_PARTS.get(name, name) for name in history.missing)}。")
    if not history.complete:
        parts.append("资料太多，只取了最近的。")
    if history.left_out:
        parts.append(f"有{history.left_out}条读不懂或不是本人的，没有显示。")
    return "".join(parts)


def _when(moment: datetime) -> str:
    at = local(moment)
    return f"{at.month}月{at.day}日{at.hour:02}:{at.minute:02}"
