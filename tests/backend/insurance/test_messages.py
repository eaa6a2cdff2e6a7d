"""The envelope and its signature; what comes back is believed only when all of it holds."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.insurance.messages import (
    LARGEST_ANSWER,
    Address,
    Unverifiable,
    canonical,
    envelope,
    message_id,
    read_answer,
    signed,
)
from sandbox.insurer.envelope import answer, digest, read

KEY = b"a key of both sides"
AT = datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC)
MSGID = message_id("H99990200001", AT, 70_012)
ADDRESS = Address("H99990200001", "999902", "999901")
TEXTS = st.text(max_size=20)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**62), 2**62) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def told(**changes: Any) -> dict[str, Any]:
    whole = answer(MSGID, "0", {"mdtrt_id": "M1"}, AT.timestamp(), KEY.decode(), "R1")
    return {**whole, **changes}


def re_signed(**changes: Any) -> bytes:
    content = told(**changes)
    content.pop("cainfo")
    return json.dumps({**content, "cainfo": digest(KEY.decode(), f"{MSGID}\n{canonical(content).decode()}")}).encode()


def test_a_message_id_is_institution_time_of_china_and_number() -> None:
    assert MSGID == "H99990200001" + "20261123000509" + "0012"
    assert len(MSGID) == 30


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_the_other_side_reads_what_we_sign_and_nothing_else(content: dict[str, Any]) -> None:
    written = envelope("2207", MSGID, content, ADDRESS, AT, version="V1.0", receiver="01", operator="qiaoyi")
    message = read(signed(written, KEY).decode(), KEY.decode())
    assert (message.infno, message.msgid, message.institution, message.input) == (
        "2207",
        MSGID,
        "H99990200001",
        content,
    )


def test_the_envelope_has_every_field_of_the_specification() -> None:
    written = envelope("2207", MSGID, {}, ADDRESS, AT, version="V1.0", receiver="01", operator="qiaoyi")
    names = "infno msgid mdtrtarea_admvs insuplc_admdvs recer_sys_code dev_no dev_safe_info cainfo signtype infver"
    names += " opter_type opter opter_name inf_time fixmedins_code fixmedins_name sign_no input"
    assert sorted(json.loads(signed(written, KEY))) == sorted(names.split())
    assert written["inf_time"] == "2026-11-23 00:05:09"
    assert (written["mdtrtarea_admvs"], written["insuplc_admdvs"]) == ("999902", "999901")


def test_a_sound_answer_is_read() -> None:
    found = read_answer(json.dumps(told()).encode(), MSGID, KEY)
    assert (found.code, found.content, found.reference) == ("0", {"mdtrt_id": "M1"}, "R1")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (json.dumps(told(infcode="1")), "wrong_signature"),
        (json.dumps(told(output={"mdtrt_id": "M2"})), "wrong_signature"),
        (json.dumps(told(cainfo="0" * 64)), "wrong_signature"),
        (json.dumps(told(cainfo="no digits")), "wrong_signature"),
        (json.dumps(told(cainfo=None)), "not_signed"),
        (json.dumps(told(signtype="SM2")), "not_signed"),
        (json.dumps(told(signtype=None)), "not_signed"),
        (json.dumps(told(output={"amount": 1.5})), "no_json"),
        (json.dumps(told(output={"amount": float("inf")})), "no_json"),
        (json.dumps([told()]), "no_envelope"),
        ("nothing", "no_json"),
        (" " * (LARGEST_ANSWER + 1), "too_large"),
        (re_signed(infcode=0).decode(), "no_envelope"),
        (re_signed(infcode="").decode(), "no_envelope"),
        (re_signed(respond_time="today").decode(), "no_envelope"),
        (re_signed(output=["M1"]).decode(), "no_envelope"),
        (re_signed(err_msg="x" * 2_001).decode(), "no_envelope"),
        (
            re_signed(output={"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {}}}}}}}}}}}}).decode(),
            "no_envelope",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_what_does_not_hold_is_not_read(body: str, reason: str) -> None:
    with pytest.raises(Unverifiable) as refusal:
        read_answer(body.encode(), MSGID, KEY)
    assert refusal.value.reason == reason


def test_the_answer_to_another_message_is_none_to_ours() -> None:
    with pytest.raises(Unverifiable, match="wrong_signature"):
        read_answer(json.dumps(told()).encode(), message_id("H99990200001", AT, 13), KEY)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_not_hold(body: bytes) -> None:
    with pytest.raises(Unverifiable):
        read_answer(body, MSGID, KEY)
