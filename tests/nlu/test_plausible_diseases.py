"""A doctor reads these cases and would think of one of the expected diseases: so does the knowledge base.

Cases written for this purpose; each is understood by the reader, and one of the expected is among the first three.
"""

import json
from pathlib import Path

import pytest

from data.diseases import Disease
from data.knowledge import knowledge_base
from nlu.facts import CaseFacts
from nlu.posterior import differential
from nlu.types import Pregnancy, Sex, Status
from tests.nlu.conftest import Understand
from tests.support.case_facts import mention

CASES = json.loads((Path(__file__).parent / "data" / "plausible.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["text"] for case in CASES])
def test_the_disease_that_a_doctor_thinks_of_is_among_the_first_three(
    understand: Understand, case: dict[str, list[str]]
) -> None:
    facts = CaseFacts().merge(understand(str(case["text"])))
    found = differential(facts).top(3)
    assert {name for name, _ in found} & set(case["expected"]), (facts.present, found)


def test_nearly_every_disease_is_known_again_by_its_own_typical_findings() -> None:
    """Those that are not differ from a more frequent one by an examination alone (支原体肺炎, 脑瘤, 地中海贫血)."""
    typical = {row.name: [name for name, share in row.symptoms.items() if share >= 0.5] for row in knowledge_base()}
    rows = [row for row in knowledge_base() if typical[row.name]]
    found = [row for row in rows if row.name in dict(differential(_typical_case(row, typical[row.name])).top(5))]
    assert len(found) / len(rows) >= 0.9


def _typical_case(row: Disease, names: list[str]) -> CaseFacts:
    """A patient of a usual age and sex with what at least half of the patients have."""
    low, high = (row.usual_ages[side] if row.usual_ages[side] is not None else row.ages[side] for side in (0, 1))
    return CaseFacts(
        symptoms=tuple(mention(name) for name in names),
        age_months=((low or 0) + (high or max(720, (low or 0) + 120))) // 2,
        sex=None if row.sex == "all" else Sex(row.sex),
        pregnancy=Pregnancy(status=Status.POSITIVE) if row.pregnancy else None,
    )
