"""The status that an answer gives to each symptom of a doctor's question (ChineseBLUE, CMDD)."""

from typing import Any

from benchmarks.nlu.tasks.symptoms import provider
from nlu.reader import reader
from nlu.types import Asked, Context, Finding, Slot, Speaker, Status, Utterance


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """What the product takes the answer to say of every symptom that was asked for."""
    names = {label: reader().names.get(label, label) for label in row["asked"]}
    asked = Asked(slot=Slot.SYMPTOM, values=tuple(dict.fromkeys(names.values())))
    question = Utterance(speaker=Speaker.DOCTOR, text=row["question"])
    understood = provider().understand("\n".join(row["answer"]), Context(asked=asked, before=(question,)))
    found = [finding for finding in understood.findings if finding.asked]
    return {"symptoms": [{"name": label, "status": _status(label, name, found).value} for label, name in names.items()]}


def _status(label: str, name: str, found: list[Finding]) -> Status:
    """The status of the finding with this label, else of one that the product calls the same."""
    by_label = [finding.status for finding in found if finding.label == label]
    by_name = [finding.status for finding in found if finding.name == name]
    return next(iter([*by_label, *by_name]), Status.UNKNOWN)
