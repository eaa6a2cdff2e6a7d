"""What a relative has is the family's history, not the patient's."""

from collections.abc import Callable

import pytest

from nlu.facts import CaseFacts
from nlu.summary import summarise
from nlu.types import Context, Relation, Understanding

Understand = Callable[..., Understanding]
SELF = Context(patient_relation=Relation.SELF)


def _own(said: Understanding) -> list[str]:
    return [disease.name for disease in said.diseases]


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("我妈有高血压", "母亲高血压"),
        ("我爸得过中风", "父亲中风"),
        ("我家里人有糖尿病", "亲属糖尿病"),
        ("父母都有高血压", "亲属高血压"),
    ],
)
def test_a_relatives_illness_is_not_the_writers_own(understand: Understand, text: str, family: str) -> None:
    said = understand(text, context=SELF)
    assert _own(said) == []
    assert [disease.name for disease in said.family] == [family]
    assert said.relation is None, "the patient is still the writer"
    assert said.sex is None


def test_one_sentence_may_tell_of_both(understand: Understand) -> None:
    said = understand("我头晕，我妈有高血压，我有糖尿病")
    assert (_own(said), [one.name for one in said.family], said.relation) == (["糖尿病"], ["母亲高血压"], Relation.SELF)


def test_the_mother_of_a_sick_child_speaks_of_herself(understand: Understand) -> None:
    said = understand("孩子发烧，我有哮喘")
    assert (_own(said), said.relation) == ([], Relation.CHILD)


@pytest.mark.parametrize("text", ["我妈有高血压", "我妈有高血压，头晕三天", "我妈头晕，她有高血压"])
def test_the_mother_is_the_patient_where_nobody_else_is(understand: Understand, text: str) -> None:
    said = understand(text)
    assert (_own(said), said.relation) == (["高血压"], Relation.MOTHER)


def test_the_patients_own_illness_stays_theirs(understand: Understand) -> None:
    assert _own(understand("我有高血压", context=SELF)) == ["高血压"]
    assert _own(understand("高血压", context=SELF)) == ["高血压"]
    assert _own(understand("我妈有高血压", context=Context(patient_relation=Relation.MOTHER))) == ["高血压"]


def test_the_record_says_whose_it_is(understand: Understand) -> None:
    case = CaseFacts().merge(understand("我头晕三天，我妈有高血压"))
    assert summarise(case).past_history == "未提供；家族史：母亲高血压"
