"""The shipped reader: what it was recorded to read, of whatever text, and what happens to damaged files."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from nlu.embedded import EmbeddedProvider
from nlu.models import FOLDER, ModelError
from nlu.normalise import normalise
from nlu.reader import Reader, Reading, reader
from nlu.types import Context, Speaker, Utterance
from tests.support.provider import PROVIDER

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data/reader_sentences.json").read_text("utf-8"))
"""Sentences of our own with what is right (``said``, ``asked``), what the reader makes of them, and the figures."""

FILES = ("reader.onnx", "reader.json", "reader_status.onnx", "reader_status.json")

ANY_TEXT = st.text(max_size=120) | st.text(alphabet="没有不发烧咳嗽吐拉稀38.5度，。？ 肚子疼绿", max_size=400)


def read(sentence: dict[str, Any]) -> Reading:
    before = [Utterance(speaker=Speaker(who), text=normalise(text).text) for who, text in sentence["before"]]
    return reader().read(normalise(sentence["text"]).text, before)


def found(sentence: dict[str, Any]) -> dict[str, list[list[str]]]:
    reading = read(sentence)
    return {
        "said": [[one.label, one.status.value] for one in reading.said],
        "asked": [[one.label, one.status.value] for one in reading.asked],
    }


@pytest.mark.parametrize("sentence", RECORDED["sentences"], ids=lambda sentence: sentence["text"])
def test_a_sentence_is_read_as_recorded(sentence: dict[str, Any]) -> None:
    assert found(sentence) == sentence["read"]


def test_the_recorded_figures_are_those_of_the_sentences() -> None:
    assert len(RECORDED["sentences"]) >= 60
    figures = {"named": 0, "read": 0, "right names": 0, "right": 0, "asked": 0, "right answers": 0}
    for sentence in RECORDED["sentences"]:
        got = found(sentence)
        said, gold = {tuple(one) for one in got["said"]}, {tuple(one) for one in sentence["said"]}
        figures["named"] += len({name for name, _ in gold})
        figures["read"] += len({name for name, _ in said})
        figures["right names"] += len({name for name, _ in gold} & {name for name, _ in said})
        figures["right"] += len(gold & said)
        figures["asked"] += len(sentence["asked"])
        figures["right answers"] += sum(one in got["asked"] for one in sentence["asked"])
    assert figures == RECORDED["figures"]


@given(text=ANY_TEXT, before=st.lists(ANY_TEXT, max_size=3), doctor=st.booleans())
def test_any_text_is_read_with_offsets_that_lie_in_it(text: str, before: list[str], doctor: bool) -> None:
    who = Speaker.DOCTOR if doctor else Speaker.PATIENT
    said_before = tuple(Utterance(speaker=who, text=words) for words in before)
    understood = PROVIDER.understand(text, Context(before=said_before))
    for finding in understood.findings:
        assert finding.asked or 0 <= finding.start < finding.end <= len(text)
    for mention in understood.symptoms:
        assert mention.text == text[mention.start : mention.end]


def test_empty_words_before_are_no_question() -> None:
    assert reader().read("没有", (Utterance(speaker=Speaker.DOCTOR, text=""),), ["发烧"]).asked == ()


@given(text=ANY_TEXT.map(lambda words: normalise(words).text))
def test_reading_twice_gives_the_same(text: str) -> None:
    before = (Utterance(speaker=Speaker.DOCTOR, text="发烧吗"),)
    assert reader().read(text, before) == reader().read(text, before)


def test_stretches_do_not_overlap_and_stand_in_order() -> None:
    said = reader().read("发烧咳嗽流鼻涕,拉肚子,肚子疼", ()).said
    assert len(said) == 5
    assert all(left.end <= right.start for left, right in pairwise(said))


def test_what_was_asked_in_other_words_is_answered_as_well() -> None:
    before = (Utterance(speaker=Speaker.DOCTOR, text="体温怎么样,高不高"),)
    assert "发烧" not in {reader().names.get(one.label) for one in reader().read("不高", before).asked}
    asked = reader().read("不高", before, ["发烧"]).asked
    assert [reader().names[one.label] for one in asked] == ["发烧"]


def test_only_the_doctors_last_words_are_a_question() -> None:
    doctor = Utterance(speaker=Speaker.DOCTOR, text="发烧吗")
    patient = Utterance(speaker=Speaker.PATIENT, text="发烧了")
    assert reader().read("没有", (patient, doctor)).asked
    assert reader().read("没有", (doctor, patient)).asked == ()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other"])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, name: str, damage: str) -> None:
    for part in FILES:
        shutil.copy(FOLDER / part, tmp_path)
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    elif damage == "other":
        path.write_bytes(b'{"labels": ["x"]}')
    else:
        path.write_bytes(b"" if damage == "empty" else path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=name.replace(".", r"\.")) as raised:
        Reader(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_provider_does_not_start_on_a_damaged_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlu.embedded.reader", lambda: Reader(tmp_path))
    with pytest.raises(ModelError):
        EmbeddedProvider()


def test_every_name_of_the_reader_is_one_of_the_product() -> None:
    known = {row.name for row in clinical_language().symptoms}
    assert set(reader().names.values()) <= known
