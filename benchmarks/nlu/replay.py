"""Patients of recorded dialogues who answer a bot: with their own words where these fit, else from what they told."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.questions import QuestionRule, questions
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.types import Context, Relation, Sex, Slot, Speaker, Status, Understanding, Utterance
from sandbox.client import Message

_SHARES = (("report_dev", 4), ("diagnosis_text_dev", 3), ("intent_dialogue_dev", 2), ("symptoms_dev", 1))
"""Of ten dialogues so many from each set: children, then adults of many departments."""
_FEWEST_TURNS = 3
_FEWEST_SYMPTOMS = 4
"""Present or denied in the whole dialogue: enough for an interview."""
_LONGEST_ANSWER = 60
_OF_CHILDREN = ("imcs", "cmdd")
"""Sets whose patients are children, whether the parent says so or not."""
_UNKNOWN = "不清楚"
_WHO = {
    Relation.CHILD: "我的孩子",
    Relation.FATHER: "我父亲",
    Relation.MOTHER: "我母亲",
    Relation.SPOUSE: "我爱人",
    None: "我自己",
    Relation.SELF: "我自己",
}


@dataclass
class Turn:
    """Something that the patient said, what it was said to, and what it says."""

    text: str
    before: str
    said: Understanding
    used: bool = False


@dataclass
class Caller:
    """The patient of one dialogue."""

    name: str
    turns: list[Turn]
    facts: CaseFacts = field(default_factory=CaseFacts)
    questions: int = 0

    def answer(self, heard: Message) -> str:
        """What this patient says to a message of the bot."""
        if "哪里不舒服" in heard.text:
            return self._use(self.turns[0])
        self.questions += 1
        if "是谁不舒服" in heard.text:
            if self.facts.relation is None and self.name.startswith(_OF_CHILDREN):
                return _WHO[Relation.CHILD]
            return _WHO.get(self.facts.relation, "别的人")
        if "叫什么名字" in heard.text:
            return "先不说"
        rule = _rule_of(heard)
        if rule is None:
            return self._age() if "多大" in heard.text or "年纪" in heard.text else self._sex(heard)
        if rule.slot == Slot.SYMPTOM:
            return self._symptoms(rule, heard)
        return self._slot(Slot(rule.slot))

    def _use(self, turn: Turn) -> str:
        turn.used = True
        return turn.text

    def _symptoms(self, rule: QuestionRule, heard: Message) -> str:
        known = {name: self.facts.status(name) for name in rule.symptoms}
        for turn in self.turns:
            named = {mention.name for mention in turn.said.symptoms}
            if not turn.used and named & set(known) and len(turn.text) <= _LONGEST_ANSWER:
                return self._use(turn)
        words = rule.signs or dict(zip(rule.values, rule.quick_answers, strict=False))
        there = [words.get(name, name) for name, status in known.items() if status is Status.POSITIVE]
        if there:
            return "、".join(there)
        return "没有" if set(known.values()) == {Status.NEGATIVE} else _UNKNOWN

    def _slot(self, slot: Slot) -> str:
        for turn in self.turns:
            if not turn.used and _tells(turn.said, slot) and len(turn.text) <= _LONGEST_ANSWER:
                return self._use(turn)
        if slot is Slot.DURATION and self.facts.duration:
            return self.facts.duration.text
        return _UNKNOWN

    def _age(self) -> str:
        months, sex = self.facts.age_months, self._sex_word()
        if months is None:
            return _UNKNOWN
        if months == 0:
            return "不到一个月" + (f"，{sex}" if sex else "")
        return (f"{months}个月" if months < 24 else f"{months // 12}岁") + (f"，{sex}" if sex else "")

    def _sex(self, heard: Message) -> str:
        return (self._sex_word() or _UNKNOWN) if "男" in heard.text else _UNKNOWN

    def _sex_word(self) -> str:
        return {Sex.MALE: "男", Sex.FEMALE: "女", None: ""}[self.facts.sex]


def _tells(said: Understanding, slot: Slot) -> bool:
    """Whether a message tells this."""
    told: dict[Slot, object] = {
        Slot.DURATION: said.duration,
        Slot.TEMPERATURE: said.temperature,
        Slot.PAST_HISTORY: said.diseases,
        Slot.ALLERGIES: said.allergies,
        Slot.DRUGS: said.drugs,
        Slot.FREQUENCY: said.frequency,
        Slot.PREGNANCY: said.pregnancy,
    }
    return bool(told.get(slot)) or slot in said.denies


def _rule_of(heard: Message) -> QuestionRule | None:
    """The rule behind a question with answers to tap."""
    ids = {item["id"].removeprefix("answer:").rpartition(":")[0] for item in heard.items}
    return next((rule for rule in questions() if rule.id in ids), None)


def read_dialogues(folder: Path, count: int, seed: int) -> list[Caller]:
    """``count`` dialogues of the development sets in ``folder``, drawn by ``seed``."""
    dice = random.Random(seed)
    provider = EmbeddedProvider()
    callers: list[Caller] = []
    for name, share in _SHARES:
        fitting = []
        dialogues = list(_READERS[name](folder / f"{name}.jsonl"))
        dice.shuffle(dialogues)
        for id_, pairs in dialogues:
            caller = _caller(provider, id_, pairs)
            if caller is not None:
                fitting.append(caller)
            if len(fitting) >= share:
                break
        callers += fitting
    return callers[:count]


Pairs = list[tuple[str, str]]
"""What the patient said after what the doctor said."""


def _caller(provider: EmbeddedProvider, name: str, pairs: Pairs) -> Caller | None:
    """The patient of a dialogue; ``None`` where it is short or does not begin with a complaint."""
    if len(pairs) < _FEWEST_TURNS or not provider.understand(pairs[0][1], Context()).symptoms:
        return None
    caller = Caller(name, [])
    for before, text in pairs:
        said_before = (Utterance(speaker=Speaker.DOCTOR, text=before),) if before else ()
        facts = caller.facts
        context = Context(
            before=said_before,
            patient_age_months=facts.age_months,
            patient_sex=facts.sex,
            patient_relation=facts.relation,
        )
        said = provider.understand(text, context)
        caller.turns.append(Turn(text, before, said))
        caller.facts = facts.merge(said, context)
    told = len(caller.facts.symptoms) >= _FEWEST_SYMPTOMS and caller.facts.present
    return caller if told and caller.turns[0].said.symptoms else None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _report(path: Path) -> Iterator[tuple[str, Pairs]]:
    for row in _rows(path):
        before, pairs = "", []
        for turn in row["turns"]:
            speaker, _, text = turn.partition("：")
            if speaker == "患者":
                pairs.append((before, text))
            else:
                before = text
        yield row["id"], pairs


def _diagnosis_text(path: Path) -> Iterator[tuple[str, Pairs]]:
    for row in _rows(path):
        yield row["id"], [("", text) for text in row["patient_turns"]]


def _intent_dialogue(path: Path) -> Iterator[tuple[str, Pairs]]:
    for number, rows in itertools.groupby(_rows(path), key=lambda row: row["dialogue"]):
        yield f"remedi-{number}", [(row["prev_doctor"] or "", row["text"]) for row in rows]


def _symptoms(path: Path) -> Iterator[tuple[str, Pairs]]:
    for number, rows in itertools.groupby(_rows(path), key=lambda row: row["dialogue"]):
        pairs = []
        for row in rows:
            before = [line for line in row["context"] if line.startswith("医生：")]
            pairs.append((before[-1].removeprefix("医生：") if before else "", row["text"]))
        yield f"cmdd-{number}", pairs


_READERS = {
    "report_dev": _report,
    "diagnosis_text_dev": _diagnosis_text,
    "intent_dialogue_dev": _intent_dialogue,
    "symptoms_dev": _symptoms,
}
