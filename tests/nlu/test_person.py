"""Who the patient is."""

import pytest

from nlu.person import find_age_months, find_pregnancy, find_relation, find_sex
from nlu.types import Relation, Sex, Status


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("我今年35岁", 420),
        ("有两个多月了,我今年58男的", 696),
        ("孩子5岁半", 66),
        ("1岁3个月", 15),
        ("宝宝两个月发烧", 2),
        ("8个月大", 8),
        ("一个半月大的宝宝", 1),
        ("宝宝一个半月", 1),
        ("三个月的宝宝", 3),
        ("出生15天", 0),
        ("新生儿", 0),
        ("今年六十五了", 780),
    ],
)
def test_an_age_is_read(text: str, months: int) -> None:
    assert find_age_months(text) == months


@pytest.mark.parametrize("text", ["孩子咳嗽两个月了", "宝宝两个月前发烧", "三天了", "35度"])
def test_what_is_no_age_is_left(text: str) -> None:
    assert find_age_months(text) is None


def test_a_bare_number_is_an_age_only_when_asked() -> None:
    assert find_age_months("35") is None
    assert find_age_months("35", asked=True) == 420
    assert find_age_months("8个月", asked=True) == 8


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("20天", 0),
        ("半个月", 0),
        ("两个月", 2),
        ("6个月半,男孩", 6),
        ("八周", 1),
        ("45天", 1),
        ("12个星期", 2),
        ("男宝,40天", 1),
        ("不到两个月", 1),
        ("还没满一个月", 0),
    ],
)
def test_a_bare_length_answers_the_question_for_the_age_of_a_child(text: str, months: int) -> None:
    assert find_age_months(text, asked=True, child=True) == months


def test_a_bare_length_is_no_age_of_an_adult() -> None:
    assert find_age_months("20天", asked=True) is None
    assert find_age_months("20天", child=True) is None


@pytest.mark.parametrize(
    ("text", "relation", "sex"),
    [
        ("我爸头晕", Relation.FATHER, Sex.MALE),
        ("我妈腿疼", Relation.MOTHER, Sex.FEMALE),
        ("宝宝发烧", Relation.CHILD, None),
        ("我儿子发烧", Relation.CHILD, Sex.MALE),
        ("奶奶咳嗽", Relation.GRANDPARENT, Sex.FEMALE),
        ("我头疼", Relation.SELF, None),
        ("头疼", None, None),
        ("女,35岁", None, Sex.FEMALE),
    ],
)
def test_relation_and_sex_follow_from_the_words(text: str, relation: Relation | None, sex: Sex | None) -> None:
    assert (find_relation(text), find_sex(text)) == (relation, sex)


@pytest.mark.parametrize(
    ("text", "status", "weeks"),
    [
        ("怀孕20周", Status.POSITIVE, 20),
        ("怀孕三个月", Status.POSITIVE, 13),
        ("孕32周", Status.POSITIVE, 32),
        ("没有怀孕", Status.NEGATIVE, None),
        ("会不会是怀孕了", Status.UNKNOWN, None),
    ],
)
def test_pregnancy_is_told_denied_or_open(text: str, status: Status, weeks: int | None) -> None:
    found = find_pregnancy(text)
    assert found is not None
    assert (found.status, found.weeks) == (status, weeks)


@pytest.mark.parametrize("text", ["备孕两年", "头疼"])
def test_wishing_for_a_child_is_no_pregnancy(text: str) -> None:
    assert find_pregnancy(text) is None
