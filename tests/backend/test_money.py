"""Amounts: no fen appears or vanishes, and what is no amount is not taken for one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInput
from backend.money import in_capitals, read_yuan, rounded, said, shared, to_fen, to_yuan

FEN = st.integers(0, 10**9)


@given(FEN)
def test_fen_become_yuan_and_fen_again(fen: int) -> None:
    assert to_fen(to_yuan(fen)) == fen


@given(FEN)
def test_what_people_read_can_be_read_back(fen: int) -> None:
    assert read_yuan(said(to_yuan(fen))) == to_yuan(fen)


@given(FEN, st.lists(st.decimals(0, 1000, places=3), min_size=1, max_size=12).filter(any))
def test_shares_sum_to_the_whole_and_none_is_off_by_a_fen(total: int, weights: list[Decimal]) -> None:
    shares = shared(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - total * weight / sum(weights)) < 1


@given(FEN, st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_who_weighs_more_never_gets_less(total: int, weights: list[int]) -> None:
    shares = shared(total, weights)
    for (weight, share), (other, got) in [
        (one, two) for one in zip(weights, shares, strict=True) for two in zip(weights, shares, strict=True)
    ]:
        assert weight <= other or share >= got


@pytest.mark.parametrize(("amount", "expected"), [("0.005", "0.01"), ("0.0049", "0.00"), ("17.125", "17.13")])
def test_half_a_fen_is_rounded_up(amount: str, expected: str) -> None:
    assert rounded(Decimal(amount)) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "abc", "-1", "1.234", "NaN", "Infinity", "10000000.01", "1e9", "--5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_yuan(text)


def test_parts_of_a_fen_are_never_dropped_silently() -> None:
    with pytest.raises(ValueError, match="parts of a fen"):
        to_fen(Decimal("0.001"))
    with pytest.raises(ValueError, match="nobody"):
        shared(5, [0, 0])


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("10001", "壹万零壹元整"),
        ("9999999.99", "玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_amounts_in_capitals_are_those_of_the_rule(amount: str, words: str) -> None:
    assert in_capitals(Decimal(amount)) == words


@given(st.integers(0, 10**9 - 1))
def test_amounts_in_capitals_can_be_read_back(fen: int) -> None:
    worth = {"拾": 1000, "佰": 10_000, "仟": 100_000, "角": 10, "分": 1}
    total = section = digit = 0
    for mark in in_capitals(to_yuan(fen)).removesuffix("整"):
        if mark in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(mark)
        elif mark in "万元":
            section += digit * 100
            total, section, digit = (section * 10_000, 0, 0) if mark == "万" else (total + section, 0, 0)
        else:
            section, digit = section + digit * worth[mark], 0
    assert total + section == fen


@pytest.mark.parametrize("amount", ["-1", "10000000", "1.001"])
def test_what_no_receipt_states_has_no_capitals(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        in_capitals(Decimal(amount))
