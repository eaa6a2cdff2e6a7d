"""A doctor reads these cases and would think of one of the expected diseases: so does the knowledge base.

Cases written for this purpose; each is understood by the reader, and one of the expected is among the first three.
"""

import json
from pathlib import Path

import pytest

from nlu.facts import CaseFacts
from nlu.posterior import differential
from tests.nlu.conftest import Understand

CASES = json.loads((Path(__file__).parent / "data" / "plausible.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["text"] for case in CASES])
def test_the_disease_that_a_doctor_thinks_of_is_among_the_first_three(
    understand: Understand, case: dict[str, list[str]]
) -> None:
    facts = CaseFacts().merge(understand(str(case["text"])))
    found = differential(facts).top(3)
    assert {name for name, _ in found} & set(case["expected"]), (facts.present, found)
