"""Symptoms with their status in a patient's sentence, after two utterances of context (ChineseBLUE, CMDD)."""

from functools import cache
from typing import Any

from nlu.embedded import EmbeddedProvider
from nlu.types import Context, Speaker, Utterance

_DOCTOR = "医生"


@cache
def provider() -> EmbeddedProvider:
    """The provider that serves patients."""
    return EmbeddedProvider()


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """What the product understands of the row's ``text``, under the names of the set."""
    said = (line.partition("：") for line in row["context"])
    before = tuple(
        Utterance(speaker=Speaker.DOCTOR if who == _DOCTOR else Speaker.PATIENT, text=text) for who, _, text in said
    )
    understood = provider().understand(row["text"], Context(before=before))
    found = {(finding.label, finding.status.value) for finding in understood.findings if not finding.asked}
    return {"symptoms": [{"name": label, "status": status} for label, status in sorted(found)]}
