"""Who the patient is: told once, and nobody else until a message says so."""

from collections.abc import Callable

import pytest

from nlu.types import Context, Relation, Sex, Understanding

Understand = Callable[..., Understanding]


@pytest.mark.parametrize(
    "text",
    [
        "我不知道",
        "我给她量了血压150/90",
        "我喂她吃了退烧药",
        "我自己也咳嗽",
        "我妈说她昨天没吃饭",
        "是我妈给我买的药",
        "是我看错了",
        "帮我看看",
    ],
)
def test_who_writes_or_is_mentioned_does_not_become_the_patient(understand: Understand, text: str) -> None:
    said = understand(text, context=Context(patient_relation=Relation.GRANDPARENT))
    assert (said.relation, said.sex, said.age_months) == (None, None, None)


def test_the_age_of_a_relative_is_not_the_patients(understand: Understand) -> None:
    said = understand("我儿子10岁了", context=Context(patient_relation=Relation.SELF))
    assert (said.relation, said.sex, said.age_months) == (None, None, None)


@pytest.mark.parametrize(
    ("known", "text", "relation"),
    [
        (Relation.SELF, "是我妈", Relation.MOTHER),
        (Relation.SELF, "不是我，是我妈", Relation.MOTHER),
        (Relation.SELF, "我妈头晕，不是我", Relation.MOTHER),
        (Relation.SELF, "帮我妈问的", Relation.MOTHER),
        (Relation.GRANDPARENT, "不是我奶奶，是我自己", Relation.SELF),
        (Relation.GRANDPARENT, "是我不舒服", Relation.SELF),
        (Relation.MOTHER, "其实是我爷爷", Relation.GRANDPARENT),
    ],
)
def test_a_message_that_says_who_it_is_corrects_it(
    understand: Understand, known: Relation, text: str, relation: Relation
) -> None:
    assert understand(text, context=Context(patient_relation=known)).relation is relation


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("我孙子帮我打的字，我腿疼", Relation.SELF),
        ("女儿不在家，我头晕", Relation.SELF),
        ("我老公说我脸色差，老是头晕", Relation.SELF),
        ("我是她女儿，我妈头晕", Relation.MOTHER),
        ("我妈让我问的，她头晕", Relation.MOTHER),
        ("我感冒了，传染给我儿子，他发烧39度", Relation.CHILD),
        ("孩子他爸胸口疼", Relation.SPOUSE),
    ],
)
def test_whoever_sends_or_helps_is_not_the_patient(understand: Understand, text: str, relation: Relation) -> None:
    assert understand(text).relation is relation


def test_the_writers_helper_does_not_lend_them_a_sex(understand: Understand) -> None:
    assert understand("我孙子帮我打的字，我腿疼").sex is None
    assert understand("我妈头晕").sex is Sex.FEMALE
