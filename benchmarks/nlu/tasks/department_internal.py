"""Title and question → eleven departments of internal medicine."""

from functools import cache
from typing import Any

from benchmarks.nlu.departments import named_shares
from nlu.directions import TEMPERATURE
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.types import Context

_NAMES = {
    "hepatology": "肝病科",
    "gastroenterology": "消化科",
    "child_digestive": "消化科",
    "anorectal": "消化科",
    "general_surgery": "消化科",
    "neurology": "神经科",
    "neurosurgery": "神经科",
    "psychiatry": "神经科",
    "rehabilitation": "神经科",
    "cardiology": "心血管科",
    "endocrinology": "内分泌科",
    "thyroid": "内分泌科",
    "respiratory": "呼吸科",
    "child_respiratory": "呼吸科",
    "nephrology": "肾内科",
    "urology": "肾内科",
    "infection": "感染科",
    "hematology": "血液科",
    "rheumatology": "风湿免疫科",
}


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The set's departments for one row, the likeliest first."""
    shares = shares_of(facts_of(row))
    return {"departments": sorted(shares, key=lambda name: -shares[name])}


def shares_of(facts: CaseFacts, temperature: float = TEMPERATURE) -> dict[str, float]:
    """The probability of each of the set's departments."""
    return named_shares(facts, _NAMES, "普通内科", temperature)


def facts_of(row: dict[str, Any]) -> CaseFacts:
    """The case as an intake would hold it: the title first, then the question."""
    facts = CaseFacts()
    for text in (row["title"], row["text"]):
        facts = facts.merge(_provider().understand(text, Context()))
    return facts


@cache
def _provider() -> EmbeddedProvider:
    return EmbeddedProvider()
