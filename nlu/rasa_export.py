"""Writes the training data of the Rasa provider: ``python -m nlu.rasa_export FOLDER``.

The same examples that the embedded classifier learns from, with our lexicon as lookup tables, synonyms and jieba
dictionary, beside a copy of the pipeline (``nlu/rasa/config.yml``). Nothing of it is committed: it follows from
``data/``.
Format: https://legacy-docs-oss.rasa.com/docs/rasa/training-data-format/
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from data.clinical_language import ClinicalLanguage, Symptom, clinical_language
from data.diseases import Term
from data.intent_examples import IntentExamples, intent_examples
from nlu.embedded import EmbeddedProvider
from nlu.lexicon import Lexicon
from nlu.normalise import normalise
from nlu.segment import Segmenter
from nlu.types import Context

PIPELINE = Path(__file__).parent / "rasa" / "config.yml"
_MARKED = ("symptom", "drug", "disease")
_BRACKET = re.compile(r"[\[\]]")
_LOOKS_LIKE_A_MARK = re.compile(r"(\[[^\]]+\])(?=[({\[])")
_FREQUENCY = 20_000


def unambiguous(rows: Iterable[IntentExamples]) -> dict[str, list[str]]:
    """Normalised texts by intent, each once. Rasa hears no question, so 没有 is a denial and not an answer to one."""
    intents: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.asked is not None):
        for text in row.texts:
            intents.setdefault(" ".join(normalise(text).text.split()), row.intent)
    grouped: dict[str, list[str]] = {}
    for text, intent in intents.items():
        if text:
            grouped.setdefault(intent, []).append(text)
    return grouped


class Marker:
    """Marks the words of the lexicon in an example: ``[拉肚子]{"entity": "symptom", "value": "腹泻"}``."""

    def __init__(self, language: ClinicalLanguage) -> None:
        """Build what reads the examples."""
        self._provider = EmbeddedProvider(language)
        self._segmenter = Segmenter(Lexicon(language).words)

    def marked(self, text: str) -> str:
        """``text`` with its marks. Only what begins and ends with a token can be marked; the rest Rasa would refuse.

        Nothing is marked beside brackets of the writer's own, which Rasa would mix up with ours.
        """
        if _BRACKET.search(text):
            return _LOOKS_LIKE_A_MARK.sub(r"\1 ", text)
        borders = set(self._borders(text))
        pieces, last = [], 0
        for entity in self._provider.understand(text, Context()).entities:
            if entity.kind not in _MARKED or entity.start < last or not {entity.start, entity.end} <= borders:
                continue
            value = entity.value.replace('"', "")
            mark = f'[{entity.text}]{{"entity": "{entity.kind}", "value": "{value}"}}'
            pieces += [text[last : entity.start], mark]
            last = entity.end
        return "".join([*pieces, text[last:]])

    def _borders(self, text: str) -> Iterator[int]:
        position = 0
        yield position
        for word in self._segmenter.words(text):
            position += len(word)
            yield position


def terms(language: ClinicalLanguage) -> dict[str, dict[str, tuple[str, ...]]]:
    """By kind of entity, every name with the words for it, normalised; a word of several stands for the first, as in
    the lexicon (落枕 is a symptom, though a disease is called so, too).
    """
    rows: dict[str, Sequence[Symptom | Term]] = {
        "symptom": language.symptoms,
        "drug": language.drugs,
        "disease": language.diseases,
    }
    taken: set[str] = set()
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for kind, of in rows.items():
        found[kind] = {}
        for row in of:
            words = dict.fromkeys(normalise(word).text for word in (row.name, *row.synonyms))
            found[kind][row.name] = tuple(word for word in words if word not in taken)
            taken.update(words)
    return found


def training_data(language: ClinicalLanguage, rows: Iterable[IntentExamples]) -> str:
    """The ``nlu.yml``: examples by intent, lookup tables by kind of entity, synonyms by name."""
    marker = Marker(language)
    blocks = [
        _block("intent", intent, [marker.marked(text) for text in texts])
        for intent, texts in sorted(unambiguous(rows).items())
    ]
    for kind, names in terms(language).items():
        # The first that fits is taken, so the longest comes first.
        words = sorted({word for of in names.values() for word in of if len(word) > 1}, key=lambda w: (-len(w), w))
        blocks.append(_block("lookup", kind, words))
        blocks += [_block("synonym", name, of) for name, of in names.items() if len(of) > 1]
    return 'version: "3.1"\nnlu:\n' + "".join(blocks)


def _block(kind: str, name: str, lines: Iterable[str]) -> str:
    quoted = json.dumps(name, ensure_ascii=False)  # names are words of medicine, and YAML has its own idea of some
    return f"- {kind}: {quoted}\n  examples: |\n" + "".join(f"    - {line}\n" for line in lines)


def export(folder: Path) -> None:
    """Write pipeline, training data and dictionary into ``folder``, always the same for the same data."""
    language = clinical_language()
    (folder / "dictionary").mkdir(parents=True, exist_ok=True)
    (folder / "config.yml").write_text(PIPELINE.read_text("utf-8"), "utf-8")
    (folder / "nlu.yml").write_text(training_data(language, intent_examples()), "utf-8")
    words = "".join(f"{word} {_FREQUENCY}\n" for word in sorted(set(Lexicon(language).words)))
    (folder / "dictionary" / "medical.txt").write_text(words, "utf-8")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m nlu.rasa_export", description=__doc__)
    parser.add_argument("folder", type=Path)
    export(parser.parse_args().folder)


if __name__ == "__main__":
    main()
