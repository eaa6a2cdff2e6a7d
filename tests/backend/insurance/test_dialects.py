"""A province's dialect is one small file."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from backend.insurance.dialects import DIALECTS
from backend.insurance.outputs import PresettleOutput, read
from backend.insurance.settings import InsurerSettings
from sandbox.insurer.envelope import LOCAL_KEY
from tests.support.insurer import HOSPITAL, settings_for

EXAMPLE = DIALECTS["example"]
WHEN = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_example_calls_fields_by_other_names_both_ways() -> None:
    ours = {"input": {"data": [{"ipt_otp_no": "V1", "psn_no": "N1"}]}}
    theirs = {"input": {"data": [{"otp_no": "V1", "psn_no": "N1"}]}}
    assert EXAMPLE.outgoing(ours) == theirs
    assert EXAMPLE.incoming(theirs) == ours
    assert DIALECTS["national"].outgoing(ours) == ours


def test_an_answer_of_the_example_is_read_under_its_own_names() -> None:
    amounts = {
        "medfee_sumamt": "200.00",
        "hifp_pay": "140.00",
        "fund_pay_sumamt": "140.00",
        "acct_pay": "0.00",
        "family_acct_pay": "50.00",
        "psn_cash_pay": "10.00",
    }
    told = read(PresettleOutput, EXAMPLE.incoming({"setlinfo": amounts}))
    told.check({"data": {"medfee_sumamt": "200.00"}})
    assert told.amounts.split("").account == Decimal("50.00")


def test_where_an_institution_lies_is_the_provinces_rule() -> None:
    assert DIALECTS["national"].region_of(HOSPITAL) == "999902"
    assert EXAMPLE.region_of(HOSPITAL) == "999900"


def test_every_sentence_is_one_that_a_patient_can_read() -> None:
    for dialect in DIALECTS.values():
        for code in (*dialect.sentences, "unknown"):
            sentence = dialect.sentence(code)
            assert sentence.endswith("。")
            assert not any("a" <= letter.lower() <= "z" for letter in sentence)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "insurer"},
        {"url": "ftp://10.0.0.1/api"},
        {"url": "http://insurer.example.org/api"},
        {"url": "http://8.8.8.8/api"},
        {"url": "http://169.254.169.254/api"},
        {"url": "https://name:word@insurer.example.org/api"},
        {"key": "short"},
        {"institution": "YC-H01"},
        {"institution": "H9999020000１"},
        {"signature": "sm2"},
        {"signature": "md5"},
        {"dialect": "klingon"},
        {"timeout": 0},
        {"timeout": 3600},
        {"keys": "x"},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refusal:
        InsurerSettings.model_validate(
            {"url": "https://insurer.example.org/api", "institution": HOSPITAL, "key": LOCAL_KEY, **wrong}
        )
    assert len(refusal.value.errors()) == 1
    if wrong == {"signature": "sm2"}:
        assert "certified" in str(refusal.value)


@pytest.mark.parametrize("url", ["https://insurer.example.org/api/", "http://10.3.4.5:20001/api", "http://127.0.0.1/a"])
def test_an_insurer_is_reached_encrypted_or_in_a_private_network(url: str) -> None:
    assert settings_for(url).url == url.rstrip("/")
    assert LOCAL_KEY not in repr(settings_for(url))
