"""What is known of a case so far: it grows with every message, and the last statement wins."""

from typing import TypeVar

from nlu.types import (
    Context,
    Cue,
    Examination,
    ExaminationState,
    Slot,
    Statement,
    Status,
    SymptomMention,
    Told,
    Understanding,
    YesNo,
)

T = TypeVar("T")

MAX_CUES = 60
"""As many words are kept of what tells the department: more would change nothing."""

FEVER = "发烧"
FEVER_FROM = 37.3
"""Axillary temperature in °C from which the record speaks of fever (诊断学, 人民卫生出版社: 腋测 36–37 ℃)."""


class CaseFacts(Told):
    """Everything the patient has said about this case. Immutable: ``merge`` gives the next one."""

    unclear: tuple[str, ...] = ()
    """Symptoms of a question that named several and was answered with a bare 有: it is yet to be said which."""

    def status(self, name: str) -> Status | None:
        """Status of the symptom with this normalised name; ``None`` when nothing was said about it."""
        found = next((s.status for s in self.symptoms if s.name == name and not s.past), None)
        if name == FEVER and self.has_high_temperature and found is not Status.POSITIVE:
            return Status.POSITIVE
        return found

    def has(self, name: str) -> bool:
        """Whether the symptom is present now."""
        return self.status(name) is Status.POSITIVE

    @property
    def has_high_temperature(self) -> bool:
        """Whether a measured temperature alone makes a fever."""
        return self.temperature is not None and self.temperature >= FEVER_FROM

    @property
    def present(self) -> tuple[str, ...]:
        """Names of the symptoms that are present now, in the order in which they were told."""
        names = [s.name for s in self.symptoms if s.status is Status.POSITIVE and not s.past]
        if self.has_high_temperature and FEVER not in names:
            names.append(FEVER)
        return tuple(names)

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the symptoms that the patient denies."""
        return tuple(s.name for s in self.symptoms if self.status(s.name) is Status.NEGATIVE)

    @property
    def age_years(self) -> float | None:
        """Age in years, ``None`` when unknown."""
        return None if self.age_months is None else self.age_months / 12

    def merge(self, understanding: Understanding, context: Context | None = None) -> "CaseFacts":
        """The facts after this message: later statements replace earlier ones, withdrawn values go.

        ``context`` is the one the message was parsed in; age and sex in it count when nobody has said them.
        """
        context = context or Context()
        base = self._without(understanding)
        understanding = base._without_later_beginning(understanding, context)
        return base.model_copy(
            update={
                "symptoms": _latest_symptoms(base.symptoms, understanding.symptoms),
                "temperature": _newer(understanding.temperature, base.temperature),
                "duration": _newer(understanding.duration, base.duration),
                "onset": _newer(understanding.onset, base.onset),
                "severity": _newer(understanding.severity, base.severity),
                "frequency": _newer(understanding.frequency, base.frequency),
                "vitals": base.vitals.updated(understanding.vitals),
                "age_months": _newer(understanding.age_months, _newer(base.age_months, context.patient_age_months)),
                "sex": _newer(understanding.sex, _newer(base.sex, context.patient_sex)),
                "relation": _newer(understanding.relation, base.relation),
                "pregnancy": _newer(understanding.pregnancy, base.pregnancy),
                "drugs": _latest_statements(base.drugs, understanding.drugs),
                "allergies": _latest_statements(base.allergies, understanding.allergies),
                "diseases": _latest_statements(base.diseases, understanding.diseases),
                "family": _latest_statements(base.family, understanding.family),
                "cues": _cues(base.cues, understanding.cues),
                "examinations": _latest_examinations(base.examinations, understanding.examinations),
                "operations": _latest_statements(base.operations, understanding.operations),
                "treatments": _latest_statements(base.treatments, understanding.treatments),
                "habits": _latest_statements(base.habits, understanding.habits),
                "denies": _denials(base.denies, understanding),
                "unclear": _unclear(understanding, context),
            }
        )

    def _without_later_beginning(self, understanding: Understanding, context: Context) -> Understanding:
        """The message less the beginning that it tells, where the case is known to be older: "咳嗽三天", then
        "昨晚发烧" is a cough of three days."""
        duration, known = understanding.duration, self.duration
        asked = context.asked is not None and context.asked.slot in (Slot.DURATION, Slot.ONSET)
        if asked or understanding.correction or duration is None or known is None:
            return understanding
        if duration.text != understanding.onset or duration.days >= known.days:
            return understanding
        return understanding.model_copy(update={"duration": None, "onset": None})

    def _without(self, understanding: Understanding) -> "CaseFacts":
        """These facts less what the message takes back."""
        gone: dict[str, object] = {}
        for withdrawal in understanding.withdrawn:
            if withdrawal.slot is Slot.TEMPERATURE and _same_number(self.temperature, withdrawal.value):
                gone["temperature"] = None
            elif withdrawal.slot is Slot.DURATION and self.duration and self.duration.text == withdrawal.value:
                gone["duration"] = None
            elif withdrawal.slot is Slot.AGE and str(self.age_months) == withdrawal.value:
                gone["age_months"] = None
            elif withdrawal.slot is Slot.SYMPTOM:
                gone["symptoms"] = tuple(s for s in self.symptoms if s.name != withdrawal.value)
        if FEVER in (s.name for s in understanding.symptoms if s.status is Status.NEGATIVE and not s.past):
            gone["temperature"] = None
        return self.model_copy(update=gone) if gone else self


def _newer(new: T | None, old: T | None) -> T | None:
    return old if new is None else new


def _same_number(value: float | None, text: str) -> bool:
    return value is not None and f"{value:g}" == text


def _latest_symptoms(old: tuple[SymptomMention, ...], new: tuple[SymptomMention, ...]) -> tuple[SymptomMention, ...]:
    """Old and new mentions, one a name and tense, at the place of the first; an unknown never hides what is known."""
    latest = {(s.name, s.past): s for s in old}
    for mention in new:
        key = (mention.name, mention.past)
        known = latest.get(key)
        if known is not None and mention.status is Status.UNKNOWN:
            continue
        if known is not None and mention.body_part is None:
            mention = mention.model_copy(update={"body_part": known.body_part})
        latest[key] = mention
    return tuple(latest.values())


def _latest_statements(old: tuple[Statement, ...], new: tuple[Statement, ...]) -> tuple[Statement, ...]:
    latest = {s.name: s for s in old}
    for statement in new:
        if statement.name in latest and statement.status is Status.UNKNOWN:
            continue
        latest[statement.name] = statement
    return tuple(latest.values())


def _cues(old: tuple[Cue, ...], new: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Each word once, at most ``MAX_CUES``; those of the first message that has any lead: it is the chief complaint."""
    known = {cue.word: cue for cue in old}
    for cue in new:
        known.setdefault(cue.word, cue.model_copy(update={"lead": not old}))
    return tuple(known.values())[:MAX_CUES]


def _latest_examinations(old: tuple[Examination, ...], new: tuple[Examination, ...]) -> tuple[Examination, ...]:
    """Old and new examinations, one a name; a mere question or a bare mention never hides a result."""
    latest = {examination.name: examination for examination in old}
    for examination in new:
        known = latest.get(examination.name)
        if known is None or not (examination.state in _BARE and known.state in _WITH_RESULT):
            latest[examination.name] = examination
    return tuple(latest.values())


_WITH_RESULT = (ExaminationState.NORMAL, ExaminationState.ABNORMAL)
_BARE = (ExaminationState.UNKNOWN, ExaminationState.DONE, ExaminationState.PLANNED)


def _denials(old: tuple[Slot, ...], understanding: Understanding) -> tuple[Slot, ...]:
    """Histories denied as a whole; naming one thing of such a history ends its denial."""
    named = {
        Slot.DRUGS: understanding.drugs,
        Slot.ALLERGIES: understanding.allergies,
        Slot.PAST_HISTORY: understanding.diseases,
    }
    contradicted = {slot for slot, found in named.items() if any(s.status is Status.POSITIVE for s in found)}
    return tuple(slot for slot in dict.fromkeys((*old, *understanding.denies)) if slot not in contradicted)


def _unclear(understanding: Understanding, context: Context) -> tuple[str, ...]:
    """The asked symptoms when several were asked and the answer was a bare 有."""
    asked = context.asked
    if asked is None or asked.slot is not Slot.SYMPTOM or len(asked.values) < 2:
        return ()
    said = {s.name for s in understanding.symptoms if s.status is not Status.UNKNOWN}
    if understanding.yes_no is YesNo.YES and not said & set(asked.values):
        return asked.values
    return ()
