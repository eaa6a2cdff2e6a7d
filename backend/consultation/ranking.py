"""Which expert fits a consultation how well, and why, in words that a person can check. Pure.

The score of a candidate is the weighted mean of five criteria, each between 0 and 1. Urgency changes the weights: it
does not add to the scores, for what is added to all alike changes no order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from backend.clock import local
from backend.consultation.icd10 import best_cover
from backend.consultation.rules import Urgency
from backend.consultation.suitability import ANYBODY, Patient, any_paediatrics, stands_in, treats

OFFERS_A_WAVE = 3
SPECIALIST_WAVES = 2
"""The best three and the next three; after them the experts on call are asked."""

_PRIOR_ANSWERS = 3
_PRIOR_SECONDS = 300.0
_SLOWEST_SECONDS = 1800.0
_FULL_LOAD = 8
_MOST_YEARS = 30
_LATEST_SLOT = timedelta(days=7)


class Criterion(StrEnum):
    """What experts are compared by."""

    EXPERTISE = "expertise"
    AVAILABILITY = "availability"
    RESPONSE = "response"
    LOAD = "load"
    SENIORITY = "seniority"


class Widening(StrEnum):
    """How far the search has been widened; each step is a line of the timeline."""

    DISEASE = "disease"
    DEPARTMENT = "department"
    ON_CALL = "on_call"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """The words people read."""
        return _WIDENING_LABELS[self]

    @property
    def beginning(self) -> str:
        """The words where the search begins with this step, so that nothing was widened."""
        return "按科室找专家" if self is Widening.DEPARTMENT else self.label


_WIDENING_LABELS = {
    Widening.DISEASE: "按病种找擅长的专家",
    Widening.DEPARTMENT: "放宽到本科室的专家",
    Widening.ON_CALL: "放宽到正在值班的专家",
    Widening.ADMINISTRATOR: "转给平台管理员安排",
}

Weights = Mapping[Urgency, Mapping[Criterion, float]]
"""How much each criterion counts for a case of an urgency: between 0 and 1, together 1, in the order of `Criterion`."""

WEIGHTS: Weights = MappingProxyType(
    {
        urgency: MappingProxyType(dict(zip(Criterion, weights, strict=True)))
        for urgency, weights in {
            Urgency.CRITICAL: (0.25, 0.30, 0.30, 0.10, 0.05),
            Urgency.URGENT: (0.30, 0.25, 0.25, 0.10, 0.10),
            Urgency.SEMI_URGENT: (0.35, 0.20, 0.20, 0.10, 0.15),
            Urgency.ROUTINE: (0.40, 0.15, 0.10, 0.10, 0.25),
        }.items()
    }
)
"""The weights that hold until an administrator publishes others."""

_TITLES = MappingProxyType(
    {"主任医师": 1.0, "副主任医师": 0.8, "主治医师": 0.5, "住院医师": 0.3, "执业医师": 0.3, "执业助理医师": 0.1}
)


@dataclass(frozen=True)
class Candidate:
    """What the ranking knows of an expert.

    Args:
        expertise: ICD-10 codes and ranges.
        on_duty: in working hours now, neither away nor in a booked slot.
        next_free: the beginning of the next free slot, if there is one.
        answered: invitations answered so far, and `answer_seconds` how long the answers took in all.
        unanswered: invitations that ran out; each counts as the slowest answer.
        running: consultations in the expert's hands.
    """

    expert_id: str
    name: str
    department_code: str
    department_name: str
    expertise: tuple[str, ...]
    title: str
    years: int
    on_call: bool
    on_duty: bool
    next_free: datetime | None
    answered: int = 0
    answer_seconds: float = 0.0
    unanswered: int = 0
    running: int = 0


@dataclass(frozen=True)
class Need:
    """What a consultation asks for.

    Args:
        icd10: the suspected disease, empty where it is not known.
        disease: its name in Chinese, empty where it is not known.
        at: the present moment.
        patient: age and sex, by which some departments do not come into question.
    """

    department_code: str
    icd10: str
    disease: str
    urgency: Urgency
    at: datetime
    patient: Patient = ANYBODY


@dataclass(frozen=True)
class Score:
    """A candidate's place: the weighted mean, each criterion between 0 and 1, and the reasons in Chinese."""

    expert_id: str
    total: float
    criteria: Mapping[Criterion, float]
    reasons: tuple[str, ...]


def rank(candidates: Iterable[Candidate], need: Need, weights: Weights = WEIGHTS) -> list[Score]:
    """Give the candidates' scores, the best first; equal ones in the order of their identifiers."""
    scores = (score(candidate, need, weights) for candidate in candidates)
    return sorted(scores, key=lambda got: (-got.total, got.expert_id))


def score(candidate: Candidate, need: Need, weights: Weights = WEIGHTS) -> Score:
    """Score one candidate."""
    judged = {
        Criterion.EXPERTISE: _expertise(candidate, need),
        Criterion.AVAILABILITY: _availability(candidate, need.at),
        Criterion.RESPONSE: _response(candidate),
        Criterion.LOAD: _load(candidate),
        Criterion.SENIORITY: _seniority(candidate),
    }
    criteria = {criterion: value for criterion, (value, _) in judged.items()}
    reasons = tuple(reason for _, reason in judged.values())
    return Score(candidate.expert_id, weigh(criteria, need.urgency, weights), criteria, reasons)


def weigh(criteria: Mapping[Criterion, float], urgency: Urgency, weights: Weights = WEIGHTS) -> float:
    """Give the weighted mean of `criteria` under the weights of `urgency`."""
    return sum(weight * criteria[criterion] for criterion, weight in weights[urgency].items())


def fits(candidate: Candidate, need: Need, step: Widening) -> bool:
    """Tell whether `candidate` is asked at `step` of the widening (a wider step includes the narrower ones)."""
    if step is Widening.DISEASE:
        return bool(need.icd10) and best_cover(candidate.expertise, need.icd10)[0] > 0
    if step is Widening.DEPARTMENT:
        return _is_of_department(candidate, need) or fits(candidate, need, Widening.DISEASE)
    return step is Widening.ON_CALL and candidate.on_call


def suitable(candidates: list[Candidate], need: Need) -> list[Candidate]:
    """Give those whose department treats a patient of this age and sex; only they are ever asked."""
    has_paediatrics = any_paediatrics({candidate.department_code for candidate in candidates})
    return [one for one in candidates if treats(one.department_code, need.patient, has_paediatrics=has_paediatrics)]


@dataclass(frozen=True)
class Wave:
    """The experts asked next, and the widening steps that were needed to find them, in order."""

    chosen: tuple[Score, ...]
    steps: tuple[Widening, ...]


def next_wave(
    candidates: list[Candidate], need: Need, *, asked: frozenset[str], waves: int, weights: Weights = WEIGHTS
) -> Wave:
    """Choose who is asked next.

    The best three by disease, filled up from the department where fewer fit; one more such wave; then whoever is on
    call; then nobody, and the administrator decides. Nobody is asked whose department does not treat such a patient.

    Args:
        candidates: every expert who could be asked at all.
        asked: identifiers of those who were asked before.
        waves: how many waves there have been.
    """
    open_ = [candidate for candidate in suitable(candidates, need) if candidate.expert_id not in asked]
    steps = []
    if waves < SPECIALIST_WAVES:
        chosen: list[Score] = []
        for step in (Widening.DISEASE, Widening.DEPARTMENT) if need.icd10 else (Widening.DEPARTMENT,):
            steps.append(step)
            taken = {got.expert_id for got in chosen}
            fitting = [one for one in open_ if one.expert_id not in taken and fits(one, need, step)]
            chosen += rank(fitting, need, weights)[: OFFERS_A_WAVE - len(chosen)]
            if len(chosen) == OFFERS_A_WAVE:
                break
        if chosen:
            return Wave(tuple(chosen), tuple(steps))
    steps.append(Widening.ON_CALL)
    on_call = rank([one for one in open_ if fits(one, need, Widening.ON_CALL)], need, weights)[:OFFERS_A_WAVE]
    if on_call:
        return Wave(tuple(on_call), tuple(steps))
    return Wave((), (*steps, Widening.ADMINISTRATOR))


def mean_response_seconds(answered: int, answer_seconds: float, unanswered: int) -> float:
    """Give the expected time of an answer: the mean so far, drawn towards five minutes while there are few answers."""
    total = answer_seconds + unanswered * _SLOWEST_SECONDS + _PRIOR_ANSWERS * _PRIOR_SECONDS
    return total / (answered + unanswered + _PRIOR_ANSWERS)


def _expertise(candidate: Candidate, need: Need) -> tuple[float, str]:
    same = _is_of_department(candidate, need)
    cover, entry = best_cover(candidate.expertise, need.icd10) if need.icd10 else (0.0, "")
    if cover > 0:
        codes = entry.replace("-", "–")
        what = f"擅长{need.disease}（{codes}）" if need.disease else f"擅长该类疾病（{codes}）"
        return 0.3 * same + 0.7 * cover, what
    if candidate.department_code == need.department_code:
        return 0.5, f"{candidate.department_name}专家"
    if same:
        return 0.5, f"{candidate.department_name}专家，看儿童"
    return 0.0, f"{candidate.department_name}专家，不是本病专科"


def _is_of_department(candidate: Candidate, need: Need) -> bool:
    return candidate.department_code == need.department_code or stands_in(
        candidate.department_code, need.department_code, need.patient
    )


def _availability(candidate: Candidate, at: datetime) -> tuple[float, str]:
    if candidate.on_duty:
        return 1.0, "现在在班"
    if candidate.next_free is None:
        return (0.3, "正在值班") if candidate.on_call else (0.0, "近期没有空闲时间")
    wait = max(candidate.next_free - at, timedelta())
    value = 0.9 * max(0.0, 1 - wait / _LATEST_SLOT)
    if candidate.on_call:
        value = max(value, 0.3)
    return value, f"{describe_time(candidate.next_free, at)}有空"


def _response(candidate: Candidate) -> tuple[float, str]:
    expected = mean_response_seconds(candidate.answered, candidate.answer_seconds, candidate.unanswered)
    value = 1 - min(expected, _SLOWEST_SECONDS) / _SLOWEST_SECONDS
    if candidate.answered == 0:
        return value, "暂无应答记录" if candidate.unanswered == 0 else "以往邀请未应答"
    minutes = max(1, round(candidate.answer_seconds / candidate.answered / 60))
    return value, f"平均{minutes}分钟应答"


def _load(candidate: Candidate) -> tuple[float, str]:
    value = 1 - min(candidate.running, _FULL_LOAD) / _FULL_LOAD
    return value, f"手上{candidate.running}例会诊" if candidate.running else "手上没有会诊"


def _seniority(candidate: Candidate) -> tuple[float, str]:
    title = _TITLES.get(candidate.title, 0.1)
    years = min(max(candidate.years, 0), _MOST_YEARS) / _MOST_YEARS
    return 0.7 * title + 0.3 * years, f"{candidate.title}，从业{candidate.years}年"


def describe_time(moment: datetime, at: datetime) -> str:
    """Say `moment` as people in China do, seen from `at`: 今天下午3:00, 明天上午9:00, 11月25日上午9:30."""
    when, today = local(moment), local(at).date()
    days = (when.date() - today).days
    day = {0: "今天", 1: "明天", 2: "后天"}.get(days, f"{when.month}月{when.day}日")
    half = "上午" if when.hour < 12 else "下午" if when.hour < 18 else "晚上"
    hour = when.hour if when.hour <= 12 else when.hour - 12
    return f"{day}{half}{hour}:{when.minute:02d}"
