"""Which question to ask next."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from data.questions import QuestionRule, questions
from nlu.conditions import evidence
from nlu.disease_model import disease_model
from nlu.expected_gain import Gain, expected_gains
from nlu.facts import FEVER, CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.types import Question, Slot, Status
from nlu.wording import OPENING, WHICH, opening, put, which

MAX_QUESTIONS = 8
"""Questions of one interview, the opening one not counted."""

USUAL_QUESTIONS = 6
"""Beyond so many one question more is put where there is much to gain, and nothing optional."""

WORTH_ASKING = 0.1
WORTH_ASKING_LATE = 0.4
"""The expected gain (``nlu.expected_gain``) from which a question is worth a patient's time, and the same late on."""

_FAR_FETCHED = 0.1
"""Where fewer would say yes, a question seems to have nothing to do with the complaint; only for danger it is put."""
_MOST_URGENT = 1
_OPENINGS = 2
_MAX_OF_STAGE = {"danger": 2, "measure": 1}
_MAX_CLINICAL = 4
"""Questions after symptoms and values together; what the record needs is asked besides."""


Gains = Callable[[CaseFacts, Sequence[tuple[str, ...]]], list[Gain]]


def next_question(
    facts: CaseFacts, asked: Sequence[str], to_come: int = 0, gains: Gains = expected_gains
) -> Question | None:
    """The next question, or ``None`` when enough is known.

    ``asked`` are the ids of the questions asked so far, in order. Danger signs come first, then a value that decides
    how urgent it is, then the question with the largest expected gain for department, urgency and disease as long as
    that is worth a question, then what every record needs; at most eight, and never what ``facts`` already answer.
    ``to_come`` is how many questions the caller will put besides; ``gains`` tells what a question is worth.
    """
    if not _complaint_known(facts):
        return None if list(asked).count(OPENING) >= _OPENINGS else opening(facts)
    if sum(question != OPENING for question in asked) >= MAX_QUESTIONS:
        return None
    if facts.unclear and WHICH not in asked:
        return which(facts, asked)
    return _Interview(facts, asked, to_come, gains).next()


class _Interview:
    """One choice: what is known, what was asked, and what can still be."""

    def __init__(self, facts: CaseFacts, asked: Sequence[str], to_come: int, gains: Gains) -> None:
        self.facts, self.asked, self.to_come, self.gains = facts, frozenset(asked), to_come, gains
        self.present = frozenset(facts.present)
        self.status = {name: facts.status(name) for name in {FEVER, *(said.name for said in facts.symptoms)}}
        self.open_of_stage: dict[str, list[QuestionRule]] = {}
        self.count = sum(question != OPENING for question in asked)
        self.put_rules = [rule for rule in questions() if rule.id in self.asked]
        self.asked_symptoms = {name for rule in self.put_rules for name in rule.symptoms}
        if facts.temperature is not None:
            self.asked_symptoms.add(FEVER)
        known = {name for name, status in self.status.items() if status is not None}
        self.settled = known | self.asked_symptoms
        self.clinical = sum(rule.stage in ("danger", "measure", "specific") for rule in self.put_rules)

    def next(self) -> Question | None:
        """The next question."""
        rule = self._danger_or_measure() or self._specific() or self._for_the_record()
        return None if rule is None else put(rule, self.facts, self._still_open(rule))

    def _danger_or_measure(self) -> QuestionRule | None:
        for stage, most in _MAX_OF_STAGE.items():
            over = sum(rule.stage == stage for rule in self.put_rules) >= most
            if not over and (rule := next(iter(self._open_rules(stage)), None)) is not None:
                return rule
        return None

    def _specific(self) -> QuestionRule | None:
        """The question with the largest expected gain, where that is worth a question.

        Who must go to hospital at once is not held up by it.
        """
        expected_end = self.count + len(self._needed()) + self.to_come
        if self.clinical >= _MAX_CLINICAL or expected_end > USUAL_QUESTIONS:
            return None
        if any(flag.level == _MOST_URGENT for flag in assess_red_flags(self.facts)):
            return None
        rules = self._open_rules("specific")
        gains = self.gains(self.facts, [self._decides(rule) for rule in rules])
        near = [
            pair for pair in zip(gains, rules, strict=True) if pair[0].chance >= _FAR_FETCHED or pair[0].urgency > 0
        ]
        gain, best = max(near, key=lambda pair: pair[0].total, default=(None, None))
        worth = WORTH_ASKING if expected_end < USUAL_QUESTIONS else WORTH_ASKING_LATE
        return best if gain is not None and gain.total >= worth else None

    def _for_the_record(self) -> QuestionRule | None:
        """What every record needs, then what it can do without."""
        needed = self._needed()
        if needed or self.count + self.to_come >= USUAL_QUESTIONS - 1:
            return needed[0] if needed else None
        return next(iter(self._open_rules("optional")), None)

    def _needed(self) -> list[QuestionRule]:
        """What the record needs and is not known, one rule a slot."""
        rules: dict[str, QuestionRule] = {}
        for rule in self._open_rules("general"):
            if not any(rule.slot in (other.slot, *other.also) for other in rules.values()):
                rules[rule.slot] = rule
        return list(rules.values())

    def _open_rules(self, stage: str) -> list[QuestionRule]:
        """The questions of this stage that can be asked and have not been."""
        if stage not in self.open_of_stage:
            self.open_of_stage[stage] = [
                rule
                for rule in _of_stage(stage)
                if rule.id not in self.asked and not self._is_settled(rule) and self._applies(rule)
            ]
        return self.open_of_stage[stage]

    def _applies(self, rule: QuestionRule) -> bool:
        if any(evidence(condition, self.facts, self.present) for condition in rule.unless):
            return False
        return not rule.when or any(evidence(condition, self.facts, self.present) for condition in rule.when)

    def _is_settled(self, rule: QuestionRule) -> bool:
        """Whether the answer is known, or the same was asked in other words."""
        if rule.slot == Slot.SYMPTOM:
            return not self._still_open(rule)
        return _known(Slot(rule.slot), self.facts) or any(self._asked_in_vain(rule, other) for other in self.put_rules)

    def _asked_in_vain(self, rule: QuestionRule, earlier: QuestionRule) -> bool:
        """Whether an earlier question asked for the same, or asked for it along with what was not answered either."""
        return rule.slot == earlier.slot or (rule.slot in earlier.also and not _known(Slot(earlier.slot), self.facts))

    def _still_open(self, rule: QuestionRule) -> tuple[str, ...]:
        """The symptoms that the question still has to ask for.

        A question whose words are fixed names all of its symptoms. One for danger signs is put as long as none of them
        is there and one is open; any other only as long as all are open, so that it names nothing that is known.
        """
        if self.settled.isdisjoint(rule.symptoms):
            return rule.symptoms
        known = {name: self.status.get(name) for name in rule.symptoms}
        left = tuple(name for name, status in known.items() if status is None and name not in self.asked_symptoms)
        if rule.signs:
            return left
        if rule.stage == "danger":
            return () if Status.POSITIVE in known.values() else left
        return left if len(left) == len(known) else ()

    def _decides(self, rule: QuestionRule) -> tuple[str, ...]:
        """The symptoms that the answer decides."""
        return self._still_open(rule) or tuple(name for name in rule.tells if self.facts.status(name) is None)


def is_answered(question: Question, facts: CaseFacts) -> bool:
    """Whether ``facts`` hold an answer to ``question``.

    Of several symptoms one that is there is enough, and but for danger signs one that is not there too.
    """
    if question.slot is Slot.SYMPTOM:
        known = [facts.status(name) for name in question.values]
        if not question.danger and any(status is not None for status in known):
            return True
        if question.id == WHICH:
            return Status.POSITIVE in known or all(status is Status.NEGATIVE for status in known)
        return Status.POSITIVE in known or None not in known
    if question.id == OPENING:
        return _complaint_known(facts)
    if question.slot is Slot.PAST_HISTORY and any(symptom.past for symptom in facts.symptoms):
        return True
    return any(_known(slot, facts) for slot in (question.slot, *question.also))


def unanswered(facts: CaseFacts, asked: Iterable[str]) -> tuple[str, ...]:
    """The danger signs that were asked for and neither affirmed nor denied, for the record: a doctor must ask them."""
    ids = set(asked)
    open_names: list[str] = []
    for rule in _of_stage("danger"):
        if rule.id not in ids:
            continue
        known = [facts.status(name) for name in rule.symptoms]
        if Status.POSITIVE not in known:
            open_names += [
                name for name, status in zip(rule.symptoms, known, strict=True) if status is not Status.NEGATIVE
            ]
        if rule.slot == Slot.PREGNANCY and facts.pregnancy is None:
            open_names.append("是否怀孕")
    return tuple(dict.fromkeys(open_names))


@cache
def _of_stage(stage: str) -> tuple[QuestionRule, ...]:
    return tuple(rule for rule in questions() if rule.stage == stage)


def _complaint_known(facts: CaseFacts) -> bool:
    return bool(facts.present or any(d.status is Status.POSITIVE for d in facts.diseases))


def _history(facts: CaseFacts) -> list[str]:
    """Illnesses and operations told that matter for another illness: a cold that somebody thinks they have does not."""
    told = (*facts.diseases, *facts.operations)
    model = disease_model()
    return [
        one.name
        for one in told
        if one.status is not Status.UNKNOWN and (one.name in model.risks or one.name not in model.diseases)
    ]


def _known(slot: Slot, facts: CaseFacts) -> bool:
    """Whether this slot has a value or its history is denied."""
    vitals = facts.vitals
    values: dict[Slot, object] = {
        Slot.TEMPERATURE: facts.temperature,
        Slot.DURATION: facts.duration,
        Slot.ONSET: facts.onset,
        Slot.SEVERITY: facts.severity,
        Slot.FREQUENCY: facts.frequency,
        Slot.BLOOD_PRESSURE: vitals.systolic,
        Slot.GLUCOSE: vitals.glucose,
        Slot.HEART_RATE: vitals.heart_rate,
        Slot.SPO2: vitals.spo2,
        Slot.WEIGHT: vitals.weight,
        Slot.AGE: facts.age_months,
        Slot.SEX: facts.sex,
        Slot.PREGNANCY: facts.pregnancy,
        Slot.LOCATION: next((s.body_part for s in facts.symptoms if s.body_part not in (None, "腹")), None),
        Slot.PAST_HISTORY: _history(facts) or None,
        Slot.ALLERGIES: facts.allergies or None,
        Slot.DRUGS: facts.drugs or None,
    }
    return slot in facts.denies or values.get(slot) is not None
