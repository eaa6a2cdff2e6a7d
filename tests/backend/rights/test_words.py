"""Everything that can be done to a person's data has words that they understand."""

import re

import pytest

from backend.rights.words import deed, deed_for_auditors, kind_and_reason
from backend.security.policy import Action, Role

# What is done to no patient, so that nobody reads of it.
_OF_NOBODY = {
    "research.read_exports",
    "keys.rotate",
    "file.put",
    "remuneration.read",
    "remuneration.list",
    "reconciliation.read",
    "operations.read",
    "console.manage_accounts",
    "matching.steer",
    "analytics.reckon",
    "masked.export",
    "messaging.manage_channel",
    "surveillance.read",
    "surveillance.assess",
    "surveillance.acknowledge",
}


@pytest.mark.parametrize("action", [one.value for one in Action if one.value not in _OF_NOBODY])
def test_every_operation_is_told_in_plain_words(action: str) -> None:
    told = deed(action)
    assert told != "处理了您的资料", action
    assert re.fullmatch(r"[一-鿿、，（）]+", told), "no code, no abbreviation"


@pytest.mark.parametrize("action", [one.value for one in Action])
def test_who_watches_reads_words_and_is_not_spoken_to_as_the_patient(action: str) -> None:
    told = deed_for_auditors(action)
    assert told != "处理了患者的资料", action
    assert "您" not in told


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_every_role_is_told_with_what_they_look_for(role: Role) -> None:
    kind, why = kind_and_reason(role.value)
    assert kind != "工作人员"
    assert why


def test_who_is_several_things_is_told_as_who_treats() -> None:
    assert kind_and_reason("patient,grassroots_doctor") == ("卫生院医生", "给您看病")
    assert kind_and_reason("") == ("工作人员", "办理您的事")
