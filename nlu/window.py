"""What a stretch of conversation between a patient and a doctor establishes: what was named, and who says it is so."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from nlu.types import (
    Asked,
    Context,
    ExaminationState,
    Slot,
    Speaker,
    Status,
    Understanding,
    Utterance,
    YesNo,
)


class Standing(StrEnum):
    """How a thing stands at the end: as the patient tells it, as the doctor states it, or merely brought up."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"
    DOCTOR_POSITIVE = "doctor_positive"
    """Stated or ordered by the doctor."""
    DOCTOR_NEGATIVE = "doctor_negative"


@dataclass(frozen=True, slots=True)
class Item:
    """Something named in the conversation: kind (symptom, disease, examination, operation, habit), name, words."""

    kind: str
    name: str
    text: str
    standing: Standing


class Reader(Protocol):
    """Whatever understands one message on the spot."""

    def understand(self, text: str, context: Context) -> Understanding:
        """What ``text`` says, given ``context``."""
        ...


@dataclass(frozen=True, slots=True)
class _Mention:
    kind: str
    name: str
    text: str
    status: Status
    start: int
    end: int
    state: ExaminationState | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name


_EXAMINATION_STATUS = {
    ExaminationState.DONE: Status.POSITIVE,
    ExaminationState.NORMAL: Status.POSITIVE,
    ExaminationState.ABNORMAL: Status.POSITIVE,
    ExaminationState.NOT_DONE: Status.NEGATIVE,
    ExaminationState.PLANNED: Status.UNKNOWN,
    ExaminationState.UNKNOWN: Status.UNKNOWN,
}


def _mentions(understanding: Understanding) -> Iterator[_Mention]:
    """Everything that one utterance names."""
    for symptom in understanding.symptoms:
        yield _Mention("symptom", symptom.name, symptom.text, symptom.status, symptom.start, symptom.end)
    for kind, statements in (
        ("disease", (*understanding.diseases, *understanding.family)),
        ("operation", understanding.operations),
        ("habit", understanding.habits),
    ):
        for statement in statements:
            yield _Mention(kind, statement.name, statement.text, statement.status, statement.start, statement.end)
    for examination in understanding.examinations:
        yield _Mention(
            "examination",
            examination.name,
            examination.text,
            _EXAMINATION_STATUS[examination.state],
            examination.start,
            examination.end,
            examination.state,
        )


def read_window(reader: Reader, utterances: Iterable[Utterance]) -> tuple[Item, ...]:
    """What the utterances, oldest first, establish.

    A patient's word stands until the patient says otherwise; what is only asked about or supposed never hides it. The
    answer to a doctor's question decides what was asked. What a doctor states or orders stands beside it.
    """
    window = _Window(reader)
    for utterance in utterances:
        if utterance.speaker is Speaker.DOCTOR:
            window.hear_doctor(utterance.text)
        else:
            window.hear_patient(utterance.text)
    return window.items()


class _Window:
    """The conversation so far."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._before: list[Utterance] = []
        self._words: dict[tuple[str, str], str] = {}
        self._patient: dict[tuple[str, str], Status] = {}
        self._doctor: dict[tuple[str, str], Standing] = {}
        self._asked: list[_Mention] = []

    def hear_patient(self, text: str) -> None:
        """A patient speaks: asserts, denies, asks, or answers what was asked last."""
        names = tuple(dict.fromkeys(mention.name for mention in self._asked if mention.kind == "symptom"))
        asked = Asked(slot=Slot.SYMPTOM, values=names) if names else None
        context = Context(asked=asked, before=tuple(self._before[-2:]))
        understanding = self._reader.understand(text, context)
        named = set()
        for mention in _mentions(understanding):
            named.add(mention.key)
            self._put(mention, mention.status)
        self._answer(understanding, named)
        self._asked = []
        self._before.append(Utterance(speaker=Speaker.PATIENT, text=text))

    def _answer(self, understanding: Understanding, named: set[tuple[str, str]]) -> None:
        """A bare yes or no decides what was asked and is not named again: no denies all of it, yes one thing."""
        if understanding.yes_no not in (YesNo.YES, YesNo.NO):
            return
        open_mentions = [m for m in self._asked if m.key not in named]
        if understanding.yes_no is YesNo.YES and len(open_mentions) != 1:
            return
        status = Status.POSITIVE if understanding.yes_no is YesNo.YES else Status.NEGATIVE
        for mention in open_mentions:
            self._put(mention, status)

    def _put(self, mention: _Mention, status: Status) -> None:
        """Keep a patient's word, unless it is an open one about what is already known."""
        self._words.setdefault(mention.key, mention.text)
        if status is Status.UNKNOWN and mention.key in self._patient:
            return
        self._patient[mention.key] = status

    def hear_doctor(self, text: str) -> None:
        """A doctor speaks: asks, states or orders."""
        understanding = self._reader.understand(text, Context())
        self._asked = []
        for mention in _mentions(understanding):
            standing = _doctors_standing(text, mention)
            if standing is None:
                continue
            if standing is Standing.UNKNOWN:
                self._asked.append(mention)
                self._put(mention, Status.UNKNOWN)
            elif standing in (Standing.POSITIVE, Standing.NEGATIVE):
                self._put(mention, Status(standing.value))
            else:
                self._words.setdefault(mention.key, mention.text)
                self._doctor[mention.key] = standing
        self._before.append(Utterance(speaker=Speaker.DOCTOR, text=text))

    def items(self) -> tuple[Item, ...]:
        """All that was named, in the order in which it came up."""
        found = []
        for key, words in self._words.items():
            doctor, patient = self._doctor.get(key), self._patient.get(key)
            if patient is not None and not (patient is Status.UNKNOWN and doctor is not None):
                found.append(Item(*key, words, Standing(patient.value)))
            if doctor is not None:
                found.append(Item(*key, words, doctor))
        return tuple(found)


_STATES = re.compile(
    r"这是|这个是|考虑|属于|诊断|提示|就是|说明|存在|确实|明显|已经|应该是|你有|您有|患者有|是一[个种]|引起的|支持"
)
_RULES_OUT = re.compile(r"不是|不像|排除|可能性(?:不|较小|小)|不考虑|不支持|不存在|谈不上|算不上|不至于|看不出")
_ADVISES = re.compile(r"不要|避免|预防|防止|尽量|注意|小心")
_ASKS_FOR_RESULT = re.compile(r"有没有|做过|查过|是否|结果|报告|之前|以前|发|看看|看一下")
_ASKS_AFTER = re.compile(r"[^,，。!！]{0,8}(?:吗|\?|？|没有|多少|结果|怎么样)")
_REFERS = re.compile(r"这个|你的|您的|从")
_CLAUSE_MARK = re.compile(r"[,，。!！?？;；]")
_SENTENCE_END = re.compile(r"[。!！?？]")
_REACH = 16


def _doctors_standing(text: str, mention: _Mention) -> Standing | None:
    """What a doctor's mention does: ask or teach (unknown), refer to a result, state or order, rule out.

    Advice on habits (戒烟限酒) says nothing of the patient: ``None``.
    """
    before = _CLAUSE_MARK.split(text[max(0, mention.start - _REACH) : mention.start])[-1]
    if mention.kind == "habit":
        ending = _SENTENCE_END.search(text, mention.end)
        asked = mention.status is Status.UNKNOWN or (ending is not None and ending.group() in "?？")
        return Standing.UNKNOWN if asked and not _ADVISES.search(before) else None
    if mention.kind == "examination":
        return _doctors_examination(text, before, mention)
    if mention.kind == "operation":
        return Standing.DOCTOR_POSITIVE
    if mention.kind == "symptom" or mention.status is Status.UNKNOWN or _ADVISES.search(before):
        return Standing.UNKNOWN
    if mention.status is Status.NEGATIVE or _RULES_OUT.search(before):
        return Standing.DOCTOR_NEGATIVE
    return Standing.DOCTOR_POSITIVE if _STATES.search(before) else Standing.UNKNOWN


def _doctors_examination(text: str, before: str, mention: _Mention) -> Standing:
    """Asked for (unknown), referred to with its result (positive), or ordered."""
    if _ASKS_FOR_RESULT.search(before) or _ASKS_AFTER.match(text[mention.end : mention.end + 10]):
        return Standing.UNKNOWN
    if mention.state in (ExaminationState.NORMAL, ExaminationState.ABNORMAL) or _REFERS.search(before):
        return Standing.POSITIVE
    return Standing.DOCTOR_POSITIVE
