"""What an intake remembers between two messages: the facts, the patient's own words, and the way back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.dialogue import Turn
from nlu.facts import CaseFacts
from nlu.types import Context, Question, RedFlag, Speaker, Understanding, Utterance

MAX_STEPS_BACK = 10
MAX_WORDS = 60
MAX_PICTURES = 9
LONGEST_WORDS = 5000
_OF_THE_PERSON = ("patient.name", "age_sex", "sex")
"""Questions whose answers are of one person; asked again where it turns out to be another."""


@dataclass
class Intake:
    """One intake, kept in the conversation's data while the flows `intake`, `review` and `place` share it.

    Args:
        facts: what was understood.
        words: what the patient wrote, in order; a doctor may want it where the understanding fell short.
        unread: those of the words that were not understood; the record quotes them.
        asked: ids of the questions that were asked.
        question: the one that waits for its answer.
        introduced: whether what the platform knows of the patient has been taken over.
        name: the patient's name; empty while unknown, `-` where they would rather not say.
        relatives: ids by name of those of the writer's relatives whom it may be about.
        relative_id: whom of them it is about; empty for the writer, and for somebody who was not known before.
        steps: earlier states, newest last, for 返回.
        flags: danger signs seen so far. They stay when the patient goes back: a doctor should see them.
        pictures: file ids of the pictures sent so far.
        place: latitude and longitude, where the patient has sent a location.
        edits: sections of the record that the patient has put in other words, by the section's field name.
        editing: the section that the next words are for.
        held: words that wait until it is clear whether they belong to this illness or to another.
        misses: how many answers in a row were not understood.
        missed: the words that were not understood the last time.
        put_again: how often the question that waits was put again, because something else was told.
        touched_at: when the last message came.
    """

    touched_at: datetime
    facts: CaseFacts = field(default_factory=CaseFacts)
    words: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    question: Question | None = None
    introduced: bool = False
    name: str = ""
    relatives: dict[str, str] = field(default_factory=dict)
    relative_id: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    flags: list[RedFlag] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    place: tuple[float, float] | None = None
    edits: dict[str, str] = field(default_factory=dict)
    editing: str = ""
    held: str = ""
    misses: int = 0
    missed: str = ""
    put_again: int = 0

    @classmethod
    def of(cls, turn: Turn) -> "Intake | None":
        """Give the intake that this conversation holds; None where none has begun."""
        held = turn.data.get("intake")
        return None if held is None else cls.from_json(held)

    def save(self, turn: Turn) -> None:
        """Keep this in the conversation, as touched now."""
        self.touched_at = turn.services.clock.now()
        turn.state.data = {**turn.state.data, "intake": self.to_json()}

    def to_json(self) -> dict[str, Any]:
        """Give the intake as a JSON value."""
        return {
            "touched_at": self.touched_at.isoformat(),
            "flags": [flag.to_json() for flag in self.flags],
            "pictures": self.pictures,
            "place": self.place,
            "held": self.held,
            "steps": self.steps,
            **self._answers(),
        }

    @classmethod
    def from_json(cls, held: dict[str, Any]) -> "Intake":
        """Give back what `to_json` wrote."""
        intake = cls(
            touched_at=datetime.fromisoformat(held["touched_at"]),
            flags=[RedFlag.from_json(flag) for flag in held["flags"]],
            pictures=list(held["pictures"]),
            place=tuple(held["place"]) if held["place"] else None,
            held=held["held"],
            steps=list(held["steps"]),
        )
        intake._restore(held)
        return intake

    def _answers(self) -> dict[str, Any]:
        """What an answer may change, and 返回 takes back."""
        return {
            "facts": self.facts.to_json(),
            "words": list(self.words),
            "unread": list(self.unread),
            "asked": list(self.asked),
            "question": self.question.to_json() if self.question else None,
            "introduced": self.introduced,
            "name": self.name,
            "relatives": dict(self.relatives),
            "relative_id": self.relative_id,
            "edits": dict(self.edits),
            "editing": self.editing,
            "misses": self.misses,
            "missed": self.missed,
            "put_again": self.put_again,
        }

    def _restore(self, answers: dict[str, Any]) -> None:
        self.facts = CaseFacts.from_json(answers["facts"])
        self.words = list(answers["words"])
        self.unread = list(answers["unread"])
        self.asked = list(answers["asked"])
        self.question = Question.from_json(answers["question"]) if answers["question"] else None
        self.introduced = answers["introduced"]
        self.name = answers["name"]
        self.relatives = dict(answers["relatives"])
        self.relative_id = answers["relative_id"]
        self.edits = dict(answers["edits"])
        self.editing = answers["editing"]
        self.misses = answers["misses"]
        self.missed = answers["missed"]
        self.put_again = answers["put_again"]

    def remember_step(self) -> None:
        """Note where the intake stands, so that 返回 finds the way back."""
        step = self._answers()
        # Words are only added: how many there were is enough to take the later ones away.
        step["words"] = len(self.words)
        self.steps = [*self.steps, step][-MAX_STEPS_BACK:]

    def go_back(self) -> bool:
        """Take the last answer back; False where there is none."""
        if not self.steps:
            return False
        step = self.steps.pop()
        self._restore({**step, "words": self.words[: step["words"]]})
        return True

    def earlier_question(self, question_id: str) -> Question | None:
        """Give a question of one of the remembered steps."""
        for step in reversed(self.steps):
            if step["question"] and step["question"]["id"] == question_id:
                return Question.from_json(step["question"])
        return None

    @property
    def context(self) -> Context:
        """The context in which the next words are to be understood."""
        return self._context(self.question)

    def _context(self, question: Question | None) -> Context:
        age, sex = self.facts.age_months, self.facts.sex
        # Before anything is complained of, 我想问个事 has not said yet who is ill.
        relation = self.facts.relation if self.facts.present or self.facts.diseases else None
        if question is None:
            before = (Utterance(speaker=Speaker.PATIENT, text=self._last_words),) if self._last_words else ()
            return Context(before=before, patient_age_months=age, patient_sex=sex, patient_relation=relation)
        return question.context(age, sex, relation, self._last_words)

    @property
    def _last_words(self) -> str:
        return self.words[-1] if self.words else ""

    def context_of(self, item_id: str) -> Context:
        """The context in which the tapped answer `item_id` was offered; the present one for words."""
        question_id = item_id.removeprefix("answer:").rpartition(":")[0]
        if not item_id.startswith("answer:") or (self.question is not None and self.question.id == question_id):
            return self.context
        return self._context(self.earlier_question(question_id))

    def absorb(self, said: Understanding, words: str, context: Context | None = None) -> None:
        """Take in what a message says. `context` is the one that it was understood in, if not the present one."""
        before = self.facts.relation
        self.facts = self.facts.merge(said, context or self.context)
        if before not in (None, self.facts.relation):
            self._meet_somebody_else(said)
        if words:
            self.words = [*self.words, words[:LONGEST_WORDS]][-MAX_WORDS:]

    def _meet_somebody_else(self, said: Understanding) -> None:
        """It was about another person all the time: name, age and sex of the one before are not theirs."""
        self.facts = self.facts.model_copy(update={"age_months": said.age_months, "sex": said.sex})
        self.introduced, self.name, self.relatives, self.relative_id = False, "", {}, ""
        self.asked = [asked for asked in self.asked if asked not in _OF_THE_PERSON]

    def put_question(self, question: Question | None) -> None:
        """Let `question` wait for its answer from now on."""
        self.question, self.misses, self.missed, self.put_again = question, 0, "", 0
        if question is not None:
            self.asked.append(question.id)

    def withdraw_question(self) -> None:
        """Let no question wait: whether the present one is still worth asking will be seen anew."""
        if self.question is not None and self.question.id in self.asked:
            self.asked.remove(self.question.id)
        self.question = None

    def add_flags(self, flags: tuple[RedFlag, ...]) -> list[RedFlag]:
        """Keep `flags`; give those that were not known before."""
        known = {flag.code for flag in self.flags}
        new = [flag for flag in flags if flag.code not in known]
        self.flags.extend(new)
        return new

    @property
    def is_critical(self) -> bool:
        """Whether a danger sign was seen that must not wait."""
        return any(flag.level == 1 for flag in self.flags)
