"""Whatever a page says is a message of the protocol or refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.messages import Chat, Join, MalformedMessageError, Pointer, read_message

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
kinds = st.sampled_from(
    [
        "join",
        "offer",
        "answer",
        "candidate",
        "leave",
        "mute",
        "share",
        "chat",
        "pointer",
        "lead",
        "look",
        "admit",
        "recording",
        "ping",
    ]
)
fields = st.sampled_from(
    [
        "version",
        "token",
        "purpose",
        "connection",
        "sdp",
        "candidate",
        "audio",
        "camera",
        "on",
        "text",
        "points",
        "agree",
        "state",
    ]
)
STROKE = {"kind": "pointer", "on": "p", "source": "camera", "shape": "arrow", "points": [[0.1, 0.2]], "stroke": "1"}


@given(st.text(max_size=200))
def test_any_text_is_a_message_or_refused(text: str) -> None:
    with pytest.raises(MalformedMessageError):
        read_message(text)


@given(kinds, st.dictionaries(fields, json_values, max_size=5))
def test_any_object_is_a_message_of_its_kind_or_refused(kind: str, rest: dict[str, Any]) -> None:
    text = json.dumps({**rest, "kind": kind})
    try:
        message = read_message(text)
    except MalformedMessageError:
        return
    assert message.kind == kind


def test_a_refusal_names_the_field_and_keeps_what_was_said_to_itself() -> None:
    with pytest.raises(MalformedMessageError) as refused:
        read_message('{"kind": "chat", "text": "", "secret": "我的身份证"}')
    assert "chat.text" in str(refused.value)
    assert "身份证" not in str(refused.value)


def test_a_page_of_another_version_is_refused() -> None:
    assert isinstance(read_message('{"kind": "join", "version": 1, "token": "t"}'), Join)
    with pytest.raises(MalformedMessageError, match="version"):
        read_message('{"kind": "join", "version": 2, "token": "t"}')


def test_a_line_of_chat_has_five_hundred_characters_at_most() -> None:
    line = "好" * 500
    assert read_message(json.dumps({"kind": "chat", "text": line})) == Chat(kind="chat", text=line)
    with pytest.raises(MalformedMessageError):
        read_message(json.dumps({"kind": "chat", "text": line + "好"}))


@pytest.mark.parametrize(
    "changed",
    [
        {"points": [[1.1, 0.5]]},
        {"points": [[float("nan"), 0.5]]},
        {"points": [[0.1, 0.2, 0.3]]},
        {"points": [[0.5, 0.5]] * 201},
        {"shape": "skull"},
        {"source": "audio"},
        {"stroke": "s" * 33},
        {"more": 1},
    ],
)
def test_a_stroke_outside_its_bounds_is_refused(changed: dict[str, Any]) -> None:
    assert isinstance(read_message(json.dumps(STROKE)), Pointer)
    with pytest.raises(MalformedMessageError):
        read_message(json.dumps({**STROKE, **changed}))


@pytest.mark.parametrize("text", ["", "null", "[]", '"join"', '{"kind": "reboot"}', '{"kind": ["join"]}', "{" * 1000])
def test_what_is_no_object_of_a_known_kind_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessageError):
        read_message(text)


def test_what_a_page_calls_a_field_that_there_is_not_is_not_repeated() -> None:
    """The reason goes into the log, where neither a patient's words nor a forged line belong."""
    with pytest.raises(MalformedMessageError) as refused:
        read_message(json.dumps({"kind": "ping", "王小明\n{}": "咳嗽"}))
    assert str(refused.value) == "the message: extra_forbidden"
    with pytest.raises(MalformedMessageError, match=r"mute\.audio: missing"):
        read_message('{"kind": "mute", "camera": true}')
