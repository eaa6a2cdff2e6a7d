"""Whether a symptom is there: what the words around its mention tell a linear model.

The network reads the sentence as a whole; this model counts which words stand beside a mention, in front of it, behind
it, at the end of the sentence, and in the answer. Both err differently, so their judgements are averaged. Training and
running share ``said_features`` and ``asked_features``.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nlu.models import FOLDER, ModelError, load_model

ROWS = 1 << 16
"""How many rows the table of weights has; features are hashed into them."""

_CLAUSE = re.compile(r"[,。?!; ]")
_SENTENCE = re.compile(r"[。!]")
_ASKING = re.compile(r"吗|没|有无|是否|\?")
_OPENING = re.compile(r"没有|不|有|嗯|是|恩|对|好")
_NEAR = 10
_LONGEST_ANSWER = 60


class StatusModel:
    """The shipped linear model."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load ``reader_status.onnx``; ``ModelError`` where a file is missing or damaged."""
        self._session, described = load_model("reader_status", folder)
        if described.get("rows") != ROWS:
            raise ModelError(f"{folder / 'reader_status.json'}: made for another version; train the model again")

    def log_shares(self, features: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The logarithms of the shares of the three statuses, from a mention's features."""
        shares: npt.NDArray[np.float32] = self._session.run(["shares"], {"features": features})[0]
        return shares


def said_features(text: str, start: int, end: int, label: str, before: tuple[tuple[bool, str], ...]) -> list[str]:
    """What stands around ``text[start:end]``; ``before`` are the utterances before, each with whether a doctor's."""
    mention = text[start:end]
    found = ["name " + label, "mention " + mention]
    found += _grams("in", mention, 2)
    found += _grams("front", _CLAUSE.split(text[:start])[-1][-_NEAR:], 3)
    found += _grams("behind", _CLAUSE.split(text[end:])[0][:_NEAR], 3)
    for length in range(1, 5):
        found.append(f"front{length} " + text[max(0, start - length) : start])
        found.append(f"behind{length} " + text[end : end + length])
    found += _grams("end", text[-4:], 3)
    found += _grams("begin", text[:4], 3)
    if len(text) < _LONGEST_ANSWER:
        found += _grams("text", text, 2)
    for age, (doctor, words) in enumerate(reversed(before[-2:])):
        who = "doctor" if doctor else "patient"
        place = words.find(mention)
        found.append(f"{age} {who} {place >= 0}")
        if age == 0:
            found += _grams("before " + who, words[-15:], 3)
        if place >= 0:
            found += _grams(f"there front {age} {who}", words[max(0, place - 5) : place], 3)
            found += _grams(f"there behind {age} {who}", words[place + len(mention) :][:5], 3)
    return ["said " + one for one in found]


def asked_features(question: str, start: int, end: int, label: str, answer: str, mentions: Sequence[str]) -> list[str]:
    """What stands around ``question[start:end]`` and in the answer; ``mentions`` are all that it asks for."""
    mention = question[start:end]
    other_told = any(other in answer for other in mentions if other != mention)
    front = _CLAUSE.split(question[:start])[-1][-_NEAR:]
    behind = _SENTENCE.split(question[end:])[0][:_NEAR]
    first = answer.split(" ")[0][:15]
    found = ["name " + label, "mention " + mention, "answer " + first]
    found.append(f"name {label} {_ASKING.search(question) is not None}")
    found.append(f"questions {question.count('?')}")
    found.append(f"there {mention in answer}")
    found += [f"several {number}" for number in range(1, min(len(mentions), 6))]
    found.append(f"told {mention in answer} {other_told}")
    found.append(f"messages {answer.count(' ')}")
    found.append(f"length {min(len(answer), 60) // 6} {min(len(question), 60) // 10}")
    found += _grams("front", front, 3)
    found += _grams("behind", behind, 3)
    found += _grams("end", question[-8:], 3)
    found += _grams("first", first, 4)
    found += _grams("answer", answer[:_LONGEST_ANSWER], 3)
    opening = _OPENING.match(answer)
    if opening is not None:
        for beside in ("", label, "behind " + behind[:2], "front " + front[-2:]):
            found.append(f"opening {opening.group()} {beside}")
        found.append(f"opening {opening.group()} {min(len(mentions), 3)} {other_told}")
    place = answer.find(mention)
    if place >= 0:
        found += _grams("there front", answer[max(0, place - 5) : place], 3)
        found += _grams("there behind", answer[place + len(mention) :][:4], 3)
    return ["asked " + one for one in found]


def hashed(features: list[str]) -> npt.NDArray[np.int64]:
    """The rows of the features, each once."""
    return np.array(sorted({crc32(one.encode()) % ROWS for one in features}), dtype=np.int64)


def _grams(kind: str, text: str, longest: int) -> Iterator[str]:
    """Every run of up to ``longest`` characters, ends marked."""
    text = f"^{text}$"
    for length in range(1, longest + 1):
        for start in range(len(text) - length + 1):
            yield f"{kind} {text[start : start + length]}"
