"""Pain is found however strongly it is put, and how strong it is."""

from collections.abc import Callable

import pytest

from nlu.facts import CaseFacts
from nlu.types import Severity, Understanding

Understand = Callable[..., Understanding]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我胸口剧烈疼痛半小时了", "胸痛"),
        ("突发胸部剧烈疼痛", "胸痛"),
        ("剧烈胸痛", "胸痛"),
        ("胸口疼得要死", "胸痛"),
        ("胸口超级疼", "胸痛"),
        ("胸口贼疼", "胸痛"),
        ("胸口强烈疼痛", "胸痛"),
        ("胸口狠狠地疼", "胸痛"),
        ("胸口疼得打滚", "胸痛"),
        ("胸口一阵阵剧痛", "胸痛"),
        ("头剧烈疼痛", "剧烈头痛"),
        ("头巨疼", "剧烈头痛"),
        ("头疼得特别特别厉害", "头痛"),
        ("后背剧烈疼痛", "背痛"),
        ("右下腹剧烈疼痛", "右下腹痛"),
        ("肚子疼死我了", "剧烈腹痛"),
        ("肚子巨疼", "剧烈腹痛"),
        ("肚子痛到不行", "腹痛"),
        ("腰痛到直不起来", "腰痛"),
        ("腰疼得下不了床", "腰痛"),
        ("牙疼得睡不着", "牙痛"),
        ("嗓子疼得咽不下口水", "咽痛"),
        ("膝盖疼得站不住", "膝关节痛"),
    ],
)
def test_a_severe_pain_is_that_pain_and_severe(understand: Understand, text: str, name: str) -> None:
    case = CaseFacts().merge(understand(text))
    assert name in case.present
    assert case.severity is Severity.SEVERE


@pytest.mark.parametrize("text", ["胸口像刀绞一样疼", "胸口针扎一样疼", "胸口像被石头压着一样疼", "胸前区压榨样疼痛"])
def test_a_pain_that_is_compared_with_something_is_found(understand: Understand, text: str) -> None:
    assert CaseFacts().merge(understand(text)).present == ("胸痛",)


@pytest.mark.parametrize("text", ["胸口不疼", "胸口没有剧烈疼痛", "胸口不剧烈疼痛"])
def test_a_denied_pain_is_none_however_strong(understand: Understand, text: str) -> None:
    said = understand(text)
    assert CaseFacts().merge(said).absent == ("胸痛",)
    assert said.severity is None


def test_a_pain_that_is_not_bad_is_not_severe(understand: Understand) -> None:
    assert understand("胸口疼得不厉害").severity is None


def test_severe_chest_pain_of_an_adult_calls_for_the_ambulance(understand: Understand) -> None:
    assert [flag.code for flag in understand("我48岁，胸口疼得厉害").red_flags] == ["CHEST_PAIN"]
    assert [flag.code for flag in understand("胸口疼得满头大汗").red_flags] == ["CHEST_PAIN"]
    assert understand("我48岁，胸口有点疼").red_flags == ()
