"""What the understanding of a sentence takes in and gives out: typed, immutable, ready for JSON.

Every class here is a frozen pydantic model. ``to_json`` gives plain JSON values (a dict), ``from_json`` reads them back
and raises ``pydantic.ValidationError`` where they do not fit.
"""

from enum import StrEnum
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Base of every value of this room: frozen, no unknown fields, JSON round trip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; fields that still hold their default are left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The value that ``to_json`` wrote; ``pydantic.ValidationError`` where the data does not fit."""
        return cls.model_validate(data)


class Status(StrEnum):
    """Whether a finding is there, as the speaker says it."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


class Intent(StrEnum):
    """What the person wants with this message."""

    DESCRIBE_SYMPTOMS = "describe_symptoms"
    ANSWER = "answer"
    CORRECT = "correct"
    BOOK = "book"
    CHANGE_BOOKING = "change_booking"
    CANCEL_BOOKING = "cancel_booking"
    ASK_PRESCRIPTION = "ask_prescription"
    ASK_REPORT = "ask_report"
    ASK_INSURANCE = "ask_insurance"
    ASK_PRICE = "ask_price"
    ASK_HOWTO = "ask_howto"
    SEND_PICTURE = "send_picture"
    TALK_TO_PERSON = "talk_to_person"
    GREET = "greet"
    THANK = "thank"
    COMPLAIN = "complain"
    EMERGENCY = "emergency"
    AFFIRM = "affirm"
    DENY = "deny"
    DONT_KNOW = "dont_know"
    GO_BACK = "go_back"
    RESTART = "restart"
    MY_CONSULTATIONS = "my_consultations"
    START_CONSULTATION = "start_consultation"
    OUT_OF_SCOPE = "out_of_scope"


class Command(StrEnum):
    """A short steering word that any conversation understands."""

    BACK = "back"
    RESTART = "restart"
    HUMAN = "human"
    SKIP = "skip"
    DONT_KNOW = "dont_know"
    HELP = "help"
    WHY = "why"
    CANCEL = "cancel"


class YesNo(StrEnum):
    """A bare answer to a yes-or-no question."""

    YES = "yes"
    NO = "no"
    DONT_KNOW = "dont_know"


class Slot(StrEnum):
    """A fact that a question can ask for."""

    COMPLAINT = "complaint"
    SYMPTOM = "symptom"
    LOCATION = "location"
    TEMPERATURE = "temperature"
    DURATION = "duration"
    ONSET = "onset"
    SEVERITY = "severity"
    FREQUENCY = "frequency"
    BLOOD_PRESSURE = "blood_pressure"
    GLUCOSE = "glucose"
    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    RESPIRATORY_RATE = "respiratory_rate"
    WEIGHT = "weight"
    AGE = "age"
    SEX = "sex"
    PREGNANCY = "pregnancy"
    PAST_HISTORY = "past_history"
    ALLERGIES = "allergies"
    DRUGS = "drugs"


class Expects(StrEnum):
    """The kind of answer that a question waits for."""

    ANYTHING = "anything"
    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"


class Sex(StrEnum):
    """Sex of the patient."""

    MALE = "male"
    FEMALE = "female"


class Relation(StrEnum):
    """Who the patient is to the person who writes."""

    SELF = "本人"
    CHILD = "孩子"
    FATHER = "父亲"
    MOTHER = "母亲"
    SPOUSE = "配偶"
    GRANDPARENT = "祖辈"
    OTHER = "其他"


class Severity(StrEnum):
    """How bad it is, in the words of an outpatient record."""

    MILD = "轻度"
    MODERATE = "中度"
    SEVERE = "重度"


class GlucoseTiming(StrEnum):
    """When the glucose was measured."""

    FASTING = "空腹"
    AFTER_MEAL = "餐后"
    RANDOM = "随机"


class Asked(Model):
    """What the last question asked for; ``values`` are normalised symptom names when ``slot`` is ``SYMPTOM``.

    ``also`` are further slots of the same question ("有什么慢性病？在吃什么药？").
    """

    slot: Slot
    values: tuple[str, ...] = ()
    also: tuple[Slot, ...] = ()


class Speaker(StrEnum):
    """Who said something in the conversation."""

    PATIENT = "patient"
    DOCTOR = "doctor"
    """Whoever asks: a doctor, or the pre-consultation in a doctor's place."""


class Utterance(Model):
    """Something that was said."""

    speaker: Speaker
    text: str


class Context(Model):
    """What is known before the sentence: the question it may answer and who the patient is.

    ``before`` is what was said right before, oldest first; two utterances are enough.
    """

    asked: Asked | None = None
    before: tuple[Utterance, ...] = ()
    expects: Expects = Expects.ANYTHING
    patient_age_months: int | None = None
    patient_sex: Sex | None = None
    patient_relation: Relation | None = None


class SymptomMention(Model):
    """A symptom or sign; ``start``/``end`` are offsets in the original text (0, 0 when only the question names it)."""

    name: str
    text: str
    status: Status
    body_part: str | None = None
    past: bool = False
    start: int = 0
    end: int = 0


class Finding(Model):
    """A stretch that the trained reader took for a symptom, sign or disease.

    ``label`` is its name in the reader's own, finer vocabulary (低热, 水样便), ``name`` the product's (发烧, 腹泻).
    Where ``asked``, it stands in the question before, and ``status`` is what the message answers; the offsets are 0, 0.
    """

    label: str
    name: str
    status: Status
    asked: bool = False
    start: int = 0
    end: int = 0


class Statement(Model):
    """A drug, a disease or a thing one is allergic to, with whether it holds."""

    name: str
    text: str
    status: Status = Status.POSITIVE
    start: int = 0
    end: int = 0


class ExaminationState(StrEnum):
    """How an examination stands, as the speaker says it."""

    DONE = "done"
    NORMAL = "normal"
    ABNORMAL = "abnormal"
    PLANNED = "planned"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


class Examination(Model):
    """An examination (心电图, 血常规 …), how it stands, and what it showed in the speaker's words."""

    name: str
    text: str
    state: ExaminationState = ExaminationState.DONE
    finding: str = ""
    start: int = 0
    end: int = 0


class Duration(Model):
    """How long: ``value`` in ``unit`` (分钟, 小时, 天, 周, 月, 年), the same in days, and the words used.

    Where nobody counted ("好几年"), ``value`` is a rough guess for rules alone, and ``vague`` what a record says: 数年.
    """

    value: float
    unit: str
    days: float
    text: str
    vague: str | None = None


class Vitals(Model):
    """Measured values: pressures in mmHg, glucose in mmol/L, rates per minute, oxygen saturation in %, weight in kg."""

    systolic: int | None = None
    diastolic: int | None = None
    glucose: float | None = None
    glucose_timing: GlucoseTiming | None = None
    heart_rate: int | None = None
    spo2: int | None = None
    respiratory_rate: int | None = None
    weight: float | None = None

    def updated(self, newer: "Vitals") -> "Vitals":
        """These values with every value that ``newer`` holds put in their place."""
        return self.model_copy(update=newer.model_dump(exclude_none=True))


class Pregnancy(Model):
    """Whether the patient is pregnant and, if said, for how many weeks."""

    status: Status
    weeks: int | None = None


class Withdrawal(Model):
    """A value that a correction takes back ("不是38度，是39度" withdraws temperature 38)."""

    slot: Slot
    value: str


class Entity(Model):
    """Any recognised piece of text: kind, normalised value, the words and their offsets in the original text."""

    kind: str
    value: str
    text: str
    start: int
    end: int


class RedFlag(Model):
    """A danger sign: what it is, what to do at once, what it was seen in, and the guideline behind it.

    ``level`` is the triage level it calls for: 1 (危急) or 2 (急重).
    """

    code: str
    title: str
    level: int
    advice: str
    evidence: tuple[str, ...]
    source: str


class Cue(Model):
    """A word of ``data/nlu/directions`` that tells which doctor the case is for; ``lead`` in the chief complaint."""

    word: str
    lead: bool = False


class Told(Model):
    """What words can tell of a case: those of one message, or all of them together."""

    symptoms: tuple[SymptomMention, ...] = ()
    temperature: float | None = None
    duration: Duration | None = None
    onset: str | None = None
    severity: Severity | None = None
    frequency: str | None = None
    vitals: Vitals = Vitals()
    age_months: int | None = None
    sex: Sex | None = None
    relation: Relation | None = None
    pregnancy: Pregnancy | None = None
    drugs: tuple[Statement, ...] = ()
    allergies: tuple[Statement, ...] = ()
    diseases: tuple[Statement, ...] = ()
    family: tuple[Statement, ...] = ()
    """Diseases of relatives, each named with whose it is (母亲高血压)."""
    cues: tuple[Cue, ...] = ()
    examinations: tuple[Examination, ...] = ()
    operations: tuple[Statement, ...] = ()
    """Operations the patient had (positive), did not have, or only asks about or plans (unknown)."""
    treatments: tuple[Statement, ...] = ()
    """What was done for the patient besides drugs and operations: 输液, 雾化, 住院."""
    habits: tuple[Statement, ...] = ()
    """吸烟, 饮酒 (positive: does) and 睡眠, 饮食, 大小便, 精神 (positive: in order)."""
    denies: tuple[Slot, ...] = ()
    """Whole histories that are denied: ALLERGIES for "没有过敏史", DRUGS for "没吃药", PAST_HISTORY for "身体很好"."""


class Understanding(Told):
    """Everything one message says."""

    text: str
    intent: Intent
    confidence: float = Field(ge=0, le=1)
    yes_no: YesNo | None = None
    correction: bool = False
    withdrawn: tuple[Withdrawal, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    command: Command | None = None
    entities: tuple[Entity, ...] = ()
    findings: tuple[Finding, ...] = ()


class Question(Model):
    """A question to the patient; ``quick_answers`` are texts short enough to tap.

    ``danger`` marks those that look for danger signs: they are not let go as long as they are merely passed over.
    """

    id: str
    text: str
    slot: Slot
    also: tuple[Slot, ...] = ()
    values: tuple[str, ...] = ()
    expects: Expects = Expects.ANYTHING
    quick_answers: tuple[str, ...] = ()
    why: str
    danger: bool = False

    def context(
        self,
        patient_age_months: int | None = None,
        patient_sex: Sex | None = None,
        patient_relation: Relation | None = None,
        said_before: str = "",
    ) -> Context:
        """The context in which the answer to this question is to be understood.

        ``said_before`` is what the patient said last, before the question.
        """
        before = (Utterance(speaker=Speaker.PATIENT, text=said_before),) if said_before else ()
        return Context(
            asked=Asked(slot=self.slot, values=self.values, also=self.also),
            before=(*before, Utterance(speaker=Speaker.DOCTOR, text=self.text)),
            expects=self.expects,
            patient_age_months=patient_age_months,
            patient_sex=patient_sex,
            patient_relation=patient_relation,
        )


class Provider(Protocol):
    """Whatever turns a message into an ``Understanding``."""

    async def prepare(self, text: str) -> None:
        """Do now what ``parse`` of ``text`` would have to wait for (a server). Bounded in time; never raises."""
        ...

    async def parse(self, text: str, context: Context) -> Understanding:
        """What ``text`` says, given ``context``. Never raises for any text, and waits for nothing outside."""
        ...
