"""Joins what the rules and what the trained reader see in a message.

Each knows what the other cannot. The lexicon and its rules know every symptom of the product, adults' and danger signs
among them, and say clearly what is denied, asked or supposed. The reader knows how parents put what their children
have, in words that no list holds, but of nothing outside the consultations that it learnt from. Hence:

1. What the lexicon finds stays, whatever the reader makes of it: no danger sign is lost because a model is silent.
2. What the reader alone finds is added under the product's name, if it has one and no word of the lexicon (a drug, a
   disease, another symptom) stands there. Not so what only cuts into a longer word (烧水), and a temperature, of which
   its number says more. Diseases are not added: a disease is history only where it is said so.
3. A status that the rules read from a cue (a denial, a question, a supposition) stands: a cue means the same in every
   conversation, and the reader's statuses were learnt from whole dialogues, beyond the sentence at hand.
4. Where the rules saw no cue, a reader that is sure enough decides; but a sign that a red flag looks for counts as
   there unless the rules deny it.

5. Whether an answer affirms or denies what was asked is for the rules to say. Where they hear no answer (正常 to
   "有没有发烧？"), a reader that is very sure is believed, but not about danger signs: those are asked again.

Everything that the reader found is told besides, as it found it (``findings``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from data.red_flags import red_flags
from nlu.lexicon import Match
from nlu.normalise import Normalised, normalise
from nlu.reader import Reader, Reading, Stretch
from nlu.segment import WordBounds
from nlu.types import Asked, Context, Finding, Slot, Status, SymptomMention, Utterance

_OF_SYMPTOMS = (Slot.SYMPTOM, Slot.COMPLAINT)
_SURE = 0.9
"""From here on the reader's status outweighs the absence of a cue."""

_SURE_NAME = 0.5
"""What no word of ours confirms must at least have one likely name."""

_SURE_ANSWER = 0.95
"""From here on the reader's status of what was asked is taken for the answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reader saw, with the product's names of its labels."""

    reading: Reading
    names: Mapping[str, str]


def read(reader: Reader, source: Normalised, context: Context) -> Seen:
    """What the reader makes of a message in its context.

    A question for something else (how long, how old) tells nothing of symptoms and is left out, which halves the work.
    """
    asked = context.asked.values if context.asked else ()
    heard = context.before[-2:] if context.asked is None or context.asked.slot in _OF_SYMPTOMS else ()
    before = [Utterance(speaker=said.speaker, text=normalise(said.text).text) for said in heard]
    return Seen(reader.read(source.text, [said for said in before if said.text], asked), reader.names)


class JointReading:
    """One message as the rules and the reader see it together."""

    def __init__(self, seen: Seen, matches: Sequence[Match], bounds: WordBounds) -> None:
        """Join what was ``seen`` with the ``matches`` of the lexicon in the same text, whose words have ``bounds``."""
        self._names = seen.names
        self._reading = seen.reading
        self._by_place: dict[tuple[int, int], Stretch] = {}
        added = []
        for stretch in seen.reading.said:
            touched = [match for match in matches if match.start < stretch.end and stretch.start < match.end]
            name = self._names.get(stretch.label)
            for match in touched:
                if match.name == name:
                    self._by_place[match.start, match.end] = stretch
            if not touched and name is not None and self._stands_alone(stretch, bounds):
                added.append(Match("symptom", name, stretch.start, stretch.end))
                self._by_place[stretch.start, stretch.end] = stretch
        self.matches = sorted([*matches, *added], key=lambda match: match.start)

    def _stands_alone(self, stretch: Stretch, bounds: WordBounds) -> bool:
        """Whether the reader alone is to be believed about a stretch."""
        sure = stretch.name_certainty >= _SURE_NAME
        return sure and not stretch.is_temperature and not bounds.splits_word(stretch.start, stretch.end)

    def status(self, match: Match, by_rules: Status) -> Status:
        """How a symptom is meant, which the rules take as ``by_rules``."""
        stretch = self._by_place.get((match.start, match.end))
        if stretch is None or by_rules is not Status.POSITIVE or match.name in _danger_signs():
            return by_rules
        return stretch.status if stretch.certainty >= _SURE else by_rules

    def answers(self, asked: Asked, known: Collection[str]) -> list[SymptomMention]:
        """What the message, which the rules took for no answer, says of the asked symptoms that are not ``known``."""
        found = []
        for stretch in self._reading.asked:
            name = self._names.get(stretch.label)
            sure = stretch.certainty >= _SURE_ANSWER and stretch.status is not Status.UNKNOWN
            if sure and name in asked.values and name not in known and name not in _danger_signs():
                found.append(SymptomMention(name=name, text="", status=stretch.status))
        return found

    def findings(self, source: Normalised, answers: Collection[SymptomMention]) -> tuple[Finding, ...]:
        """All that the reader found, with offsets in the original.

        What the ``answers`` that the rules heard affirm (有 to "有没有发烧？") is not told as denied.
        """
        affirmed = {answer.name for answer in answers if answer.status is Status.POSITIVE}
        said = []
        for stretch in self._reading.said:
            start, end = source.span(stretch.start, stretch.end)
            name = self._names.get(stretch.label, stretch.label)
            said.append(Finding(label=stretch.label, name=name, status=stretch.status, start=start, end=end))
        asked = []
        for one in self._reading.asked:
            name = self._names.get(one.label, one.label)
            contradicted = name in affirmed and one.status is Status.NEGATIVE
            status = Status.POSITIVE if contradicted else one.status
            asked.append(Finding(label=one.label, name=name, status=status, asked=True))
        return (*said, *asked)


@cache
def _danger_signs() -> frozenset[str]:
    """The names of everything that a red flag looks for."""
    return frozenset(
        name
        for rule in red_flags()
        for condition in rule.when
        for name in (*condition.all_of, *condition.any_of, *condition.also_any)
    )
