"""Reads symptoms, with their names and whether they are there, out of a sentence and what was said before it.

A small character-level network does it (``nlu/models/reader.md`` is its card); ``nlu/training/reader.py`` trains it. It
knows the symptoms, signs and diseases of children's consultations. What becomes of what it reads, beside what the
rules read, is decided in ``nlu/reading.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlu.models import FOLDER, ModelError, load_model
from nlu.reader_input import SPEAKERS, Eye, Sight, WordCount, has_temperature
from nlu.reader_status import StatusModel, asked_features, hashed, said_features
from nlu.types import Speaker, Status, Utterance

Scores = npt.NDArray[np.float32]

_STATUSES = (Status.POSITIVE, Status.NEGATIVE, Status.UNKNOWN)
_OUTSIDE, _BEGIN, _INSIDE = range(3)
_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of text that stands for a symptom.

    ``certainty`` (0-1) is how sure the reader is of the status, ``name_certainty`` of the name.
    ``is_temperature`` tells that it is a number of degrees, perhaps with words around it (烧到38.5度).
    """

    start: int
    end: int
    label: str
    status: Status
    certainty: float
    name_certainty: float = 1.0
    is_temperature: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: ``said`` in the sentence, ``asked`` in the doctor's words right before it.

    Offsets are those of the text that was read. The status of what was asked is the one that the sentence gives it.
    """

    said: tuple[Stretch, ...] = ()
    asked: tuple[Stretch, ...] = ()


class Reader:
    """The shipped network, ready to read. A sentence with what was said before it takes about a millisecond."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load ``reader.onnx`` and ``reader.json``; ``ModelError`` where one is missing or damaged."""
        self._session, described = load_model("reader", folder)
        try:
            self._labels: list[str] = list(described["labels"])
            self.names: dict[str, str] = {str(label): str(name) for label, name in described["names"].items()}
            self._numbers: dict[str, list[int]] = {}
            for number, label in enumerate(self._labels):
                self._numbers.setdefault(self.names.get(label, label), []).append(number)
            words = {
                word: WordCount(named, seen, {label: named})
                for word, (label, named, seen, _sure) in described["words"].items()
            }
            self._sure = {word: label for word, (label, _, _, sure) in described["words"].items() if sure}
            self._eye = Eye(described["characters"], words, described["terms"])
            self._transitions = [[float(score) for score in row] for row in described["transitions"]]
            self._statuses = StatusModel(folder)
            self.read("没有发烧", (Utterance(speaker=Speaker.DOCTOR, text="发烧吗"),))
        except ModelError:
            raise
        except Exception as error:  # whatever does not fit, the two files do not belong together
            path = folder / "reader.json"
            raise ModelError(f"{path}: the description of the model is damaged ({type(error).__name__})") from error

    def read(self, text: str, before: Sequence[Utterance], asked: Sequence[str] = ()) -> Reading:
        """What ``text`` says, after ``before`` (oldest first; the last two count). Both in normalised characters.

        ``asked`` are the product's names of symptoms that the last question asks for, in whatever words.
        """
        if not text:
            return Reading()
        sight = self._eye.see(text, before)
        inputs = {name: array[None] for name, array in sight.inputs().items()}
        tags, names, statuses = (output[0] for output in self._session.run(["tags", "names", "statuses"], inputs))
        scores = _Scores(tags, names, statuses)
        text = text[: len(tags) - sight.offset]
        said = self._said(scores, sight, text, before)
        if not sight.before:
            return Reading(said)
        asked_of = self._asked(scores, sight, text, before[-1].text, asked)
        told = {stretch.label: stretch for stretch in said}
        return Reading(said, tuple(_as_told(one, told.get(one.label)) for one in asked_of))

    def _said(self, scores: "_Scores", sight: Sight, text: str, before: Sequence[Utterance]) -> tuple[Stretch, ...]:
        """What the sentence names."""
        around = tuple((said.speaker is Speaker.DOCTOR, said.text) for said in before[-2:])
        found = []
        for start, end, label in self._stretches(scores, sight.offset, text):
            counted = self._counted(said_features(text, start, end, label, around))
            seen = scores.statuses[sight.offset + start : sight.offset + end].mean(axis=0)
            stretch = _stretch(text, start, end, label, (seen + counted) / 2)
            found.append(replace(stretch, name_certainty=self._name_certainty(scores, sight.offset, text, stretch)))
        return tuple(found)

    def _asked(
        self, scores: "_Scores", sight: Sight, answer: str, whole: str, names: Sequence[str]
    ) -> tuple[Stretch, ...]:
        """What the doctor's last words name, and what they are known to ask for where no word of theirs was found.

        Of what they name twice every mention tells something of the answer.
        """
        offset, question = sight.before[-1]
        if not question or sight.speakers[offset] != SPEAKERS[Speaker.DOCTOR]:
            return ()
        places = self._stretches(scores, offset, question)
        known = {self.names.get(label, label) for _, _, label in places}
        missed = [name for name in names if name not in known and name in self._numbers]
        places += [self._likeliest(scores, offset, len(question), name) for name in missed]
        cut = len(whole) - len(question)
        mentions = [question[start:end] for start, end, _ in places]
        shares: dict[str, list[Scores]] = {}
        for start, end, label in places:
            counted = self._counted(asked_features(whole, start + cut, end + cut, label, answer, mentions))
            seen = scores.statuses[offset + start : offset + end].mean(axis=0)
            shares.setdefault(label, []).append((seen + counted) / 2)
        return tuple(
            _stretch(question, start, end, label, np.mean(shares[label], axis=0)) for start, end, label in places
        )

    def _counted(self, features: list[str]) -> Scores:
        return self._statuses.log_shares(hashed(features))

    def _stretches(self, scores: "_Scores", offset: int, text: str) -> list[tuple[int, int, str]]:
        """Start, end and label of what is named in ``text``, which begins at ``offset`` of what was read."""
        tags = _best_tags(scores.tags[offset : offset + len(text)].tolist(), self._transitions)
        return [(start, end, self._label(scores, offset, text, start, end)) for start, end in _spans(tags)]

    def _label(self, scores: "_Scores", offset: int, text: str, start: int, end: int) -> str:
        label = self._sure.get(text[start:end])
        if label is None:
            label = int(scores.names[offset + start : offset + end].mean(axis=0).argmax())
        return self._labels[label]

    def _name_certainty(self, scores: "_Scores", offset: int, text: str, stretch: Stretch) -> float:
        """How sure the name is: wholly where the word always stood for it, else as far as the places agree on it."""
        if text[stretch.start : stretch.end] in self._sure:
            return 1.0
        places = slice(offset + stretch.start, offset + stretch.end)
        return float(np.exp(scores.names[places, self._labels.index(stretch.label)].mean()))

    def _likeliest(self, scores: "_Scores", offset: int, length: int, name: str) -> tuple[int, int, str]:
        """The place of a question that most likely asks for ``name``."""
        numbers = self._numbers[name]
        likely = scores.names[offset : offset + length, numbers]
        place, column = divmod(int(likely.argmax()), len(numbers))
        return place, place + 1, self._labels[numbers[column]]


@dataclass(frozen=True, slots=True)
class _Scores:
    """For each place: scores of the tags, logarithms of the shares of names and statuses."""

    tags: Scores
    names: Scores
    statuses: Scores


@cache
def reader() -> Reader:
    """The shipped reader."""
    return Reader()


def _as_told(asked: Stretch, told: Stretch | None) -> Stretch:
    """What was asked with the status that the answer gives it in so many words, where it names it."""
    return asked if told is None else replace(asked, status=told.status, certainty=told.certainty)


def _stretch(text: str, start: int, end: int, label: str, shares: Scores) -> Stretch:
    """A stretch with its likeliest status, from the logarithms of the shares."""
    likely = np.exp(shares)
    best = int(likely.argmax())
    certainty = float(likely[best] / likely.sum())
    return Stretch(start, end, label, _STATUSES[best], certainty, is_temperature=has_temperature(text[start:end]))


def _best_tags(scores: list[list[float]], transitions: list[list[float]]) -> list[int]:
    """The best sequence of tags (Viterbi 1967); inside never comes first."""
    best = list(scores[0])
    best[_INSIDE] = _NEVER
    came_from = []
    for place in scores[1:]:
        origins, following = [], []
        for tag, score in enumerate(place):
            reached = [best[origin] + transitions[origin][tag] for origin in range(len(best))]
            top = max(reached)
            origins.append(reached.index(top))
            following.append(top + score)
        came_from.append(origins)
        best = following
    tag = best.index(max(best))
    tags = [tag]
    for origins in reversed(came_from):
        tag = origins[tag]
        tags.append(tag)
    return tags[::-1]


def _spans(tags: list[int]) -> list[tuple[int, int]]:
    """Where the mentions begin and end."""
    found: list[tuple[int, int]] = []
    for place, tag in enumerate(tags):
        if tag == _BEGIN:
            found.append((place, place + 1))
        elif tag == _INSIDE:
            found[-1] = (found[-1][0], place + 1)
    return found
