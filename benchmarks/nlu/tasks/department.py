"""Age, chief complaint and description → the 20 directions of the iFLYTEK 2022 triage challenge."""

from functools import cache
from typing import Any

from benchmarks.nlu.departments import named_shares
from nlu.directions import TEMPERATURE
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.types import Context, Relation, Status

_NAMES = {
    "respiratory": "呼吸内科",
    "thoracic_surgery": "呼吸内科",
    "cardiology": "心内科",
    "gastroenterology": "消化内科",
    "neurology": "神经内科",
    "neurosurgery": "神经内科",
    "rehabilitation": "神经内科",
    "psychiatry": "神经内科",
    "thyroid": "甲状腺疾病",
    "breast": "乳腺外科",
    "anorectal": "直肠肛管疾病",
    "spine": "脊柱退行性变",
    "joint_sports": "运动医学",
    "orthopedics": "骨科",
    "pain": "骨科",
    "prenatal": "产前检查",
    "gynecology": "妇产科",
    "child_digestive": "小儿消化疾病",
    "child_respiratory": "小儿呼吸系统疾病",
    "child_general": "小儿呼吸系统疾病",
    "child_ent": "小儿耳鼻喉",
    "child_health": "小儿保健",
    "child_surgery": "小儿保健",
    "throat": "咽喉疾病",
    "nose": "咽喉疾病",
    "ear": "咽喉疾病",
    "stomatology": "咽喉疾病",
    "ophthalmology": "眼科",
    "dermatology": "皮肤科",
    "allergy": "皮肤科",
    "burns": "皮肤科",
}
"""Which of the set's directions ours are nearest to; what is not here is 内科, the rest of them all."""


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The set's directions for one row, the likeliest first."""
    shares = shares_of(facts_of(row))
    return {"departments": sorted(shares, key=lambda name: -shares[name])}


def shares_of(facts: CaseFacts, temperature: float = TEMPERATURE) -> dict[str, float]:
    """The probability of each of the set's directions."""
    return named_shares(facts, _NAMES, "内科", temperature)


def facts_of(row: dict[str, Any]) -> CaseFacts:
    """The case as an intake would hold it: the chief complaint first, then the description."""
    said = CaseFacts()
    for text in (row["chief"], row["text"]):
        context = Context(patient_relation=said.relation)
        said = said.merge(_provider().understand(text, context), context)
    if said.age_months is None:
        return said.model_copy(update={"age_months": _age_months(row["age"], said)})
    return said


def _age_months(band: str, said: CaseFacts) -> int | None:
    """The middle of a band of ten years ("20+"), where the words do not tell of somebody of another age.

    It is the age of whoever filled in the form: a mother of thirty who writes of her baby, or a baby still unborn.
    The band of 10 to 19 years lies on both sides of the limit of paediatrics and tells nothing.
    """
    decade = int(band.removesuffix("+"))
    pregnant = said.pregnancy is not None and said.pregnancy.status is Status.POSITIVE
    another = said.relation is Relation.CHILD if decade else pregnant
    return None if decade < 0 or decade == 10 or another else (decade + 5) * 12


@cache
def _provider() -> EmbeddedProvider:
    return EmbeddedProvider()
