"""The training data of Rasa: the same examples, marked so that Rasa reads back what was meant."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from data.intent_examples import IntentExamples, intent_examples
from nlu.rasa_export import Marker, export, terms, unambiguous
from nlu.types import Intent

# The regular expression with which Rasa 3.6.21 reads marks (rasa/shared/nlu/training_data/entities_parser.py).
_RASA_MARK = re.compile(
    r"\[(?P<entity_text>[^\]]+?)\](\((?P<entity>[^:)]+?)(?:\:(?P<value>[^)]+))?\)|\{(?P<entity_dict>[^}]+?)\}"
    r"|\[(?P<list_entity_dicts>.*?)\])"
)


@pytest.fixture(scope="module")
def marker() -> Marker:
    return Marker(clinical_language())


def read_back(example: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The text and its entities (kind, value, words) as Rasa reads them."""
    marks = [(json.loads(f"{{{m['entity_dict']}}}"), m["entity_text"]) for m in _RASA_MARK.finditer(example)]
    text = _RASA_MARK.sub(lambda m: m["entity_text"], example)
    return text, [(mark["entity"], mark["value"], words) for mark, words in marks]


def test_words_of_the_lexicon_are_marked_with_what_they_stand_for(marker: Marker) -> None:
    text, entities = read_back(marker.marked("孩子拉肚子，能吃阿莫西林吗"))
    assert text == "孩子拉肚子，能吃阿莫西林吗"
    assert entities == [("symptom", "腹泻", "拉肚子"), ("drug", "阿莫西林", "阿莫西林")]


@given(text=st.text(st.sampled_from("[](){}\"':头疼拉肚子ab "), max_size=30))
def test_rasa_never_takes_brackets_of_the_writer_for_a_mark(marker: Marker, text: str) -> None:
    read, entities = read_back(marker.marked(text))
    assert re.sub(r"\] ", "]", read) == re.sub(r"\] ", "]", text)
    assert {kind for kind, _, _ in entities} <= {"symptom", "drug", "disease"}


def test_a_text_that_also_answers_a_question_keeps_the_intent_that_it_has_alone() -> None:
    rows = [
        IntentExamples(intent="answer", asked="symptom", symptoms=("咳嗽",), texts=("没有", "咳得厉害")),
        IntentExamples(intent="deny", texts=("没有 ",)),
    ]
    assert unambiguous(rows) == {"deny": ["没有"], "answer": ["咳得厉害"]}


def test_every_intent_is_exported() -> None:
    assert unambiguous(intent_examples()).keys() == set(Intent)


def test_the_export_is_whole_and_always_the_same(tmp_path: Path) -> None:
    export(tmp_path / "one")
    export(tmp_path / "two")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert [str(file) for file in files] == ["config.yml", "dictionary/medical.txt", "nlu.yml"]
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    lines = (tmp_path / "one" / "nlu.yml").read_text("utf-8").splitlines()
    assert all(re.match(r'version|nlu:|- (?:intent|lookup|synonym): "|  examples: \||    - \S', line) for line in lines)


def test_every_word_stands_for_one_name() -> None:
    words = [word for names in terms(clinical_language()).values() for of in names.values() for word in of]
    assert len(words) == len(set(words))


def test_lookup_words_are_normalised_as_the_sentences_are() -> None:
    for names in terms(clinical_language()).values():
        assert all(word == word.lower() for words in names.values() for word in words)
