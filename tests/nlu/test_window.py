"""A stretch of conversation: what the patient says, what the doctor states, and what is only brought up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.embedded import EmbeddedProvider
from nlu.types import Speaker, Utterance
from nlu.window import Standing, read_window


def said(provider: EmbeddedProvider, *lines: str) -> set[tuple[str, str]]:
    """What "患：…" and "医：…" establish: pairs of name and standing."""
    speakers = {"患": Speaker.PATIENT, "医": Speaker.DOCTOR}
    utterances = [Utterance(speaker=speakers[line[0]], text=line[2:]) for line in lines]
    return {(item.name, item.standing.value) for item in read_window(provider, utterances)}


def test_what_the_patient_tells_stands_as_told(provider: EmbeddedProvider) -> None:
    assert said(provider, "患：胸闷三天，不咳嗽，做了心电图") == {
        ("胸闷", "positive"),
        ("咳嗽", "negative"),
        ("心电图", "positive"),
    }


def test_a_bare_no_denies_everything_that_was_asked(provider: EmbeddedProvider) -> None:
    assert said(provider, "医：有高血压、糖尿病吗？", "患：没有") == {("高血压", "negative"), ("糖尿病", "negative")}


def test_a_bare_yes_affirms_the_one_thing_that_was_asked(provider: EmbeddedProvider) -> None:
    assert said(provider, "医：有高血压吗？", "患：有") == {("高血压", "positive")}


def test_a_question_without_an_answer_leaves_it_open(provider: EmbeddedProvider) -> None:
    assert said(provider, "医：有高血压吗？", "患：我先去吃饭") == {("高血压", "unknown")}


def test_what_is_known_is_not_made_open_again_by_a_question(provider: EmbeddedProvider) -> None:
    assert said(provider, "患：我有高血压", "医：高血压多久了？") == {("高血压", "positive")}


def test_an_order_of_the_doctor_is_the_doctors(provider: EmbeddedProvider) -> None:
    assert said(provider, "患：胸闷", "医：建议做个心电图") == {("胸闷", "positive"), ("心电图", "doctor_positive")}


def test_what_the_doctor_states_and_rules_out(provider: EmbeddedProvider) -> None:
    assert ("早搏", "doctor_positive") in said(provider, "医：这个是早搏")
    assert ("心肌炎", "doctor_negative") in said(provider, "医：不考虑心肌炎")


def test_an_examination_asked_for_and_not_done(provider: EmbeddedProvider) -> None:
    assert said(provider, "医：做过心电图吗？", "患：没有") == {("心电图", "negative")}


@pytest.mark.parametrize("lines", [(), ("患：",), ("医：", "患：")])
def test_nothing_said_establishes_nothing(provider: EmbeddedProvider, lines: tuple[str, ...]) -> None:
    assert said(provider, *lines) == set()


FRAGMENTS = st.lists(
    st.sampled_from(["有", "没有", "高血压", "心电图", "做过", "吗？", "支架", "，", "胸闷", "建议", "不是", "抽烟"]),
    max_size=8,
).map("".join)


@settings(max_examples=100)
@given(
    st.lists(st.builds(Utterance, speaker=st.sampled_from(Speaker), text=FRAGMENTS | st.text(max_size=40)), max_size=5)
)
def test_any_conversation_can_be_read_and_says_a_thing_once_a_person(
    provider: EmbeddedProvider, utterances: list[Utterance]
) -> None:
    items = read_window(provider, utterances)
    doctors = (Standing.DOCTOR_POSITIVE, Standing.DOCTOR_NEGATIVE)
    voices = [(item.kind, item.name, item.standing in doctors) for item in items]
    assert len(voices) == len(set(voices))
