"""Amounts of money: `Decimal` yuan with two places inside, whole fen on the wire and in the database."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from backend.errors import InvalidInput

FEN = Decimal("0.01")
LARGEST = Decimal(10_000_000)
"""More than this in one amount is a slip of the finger or an attack."""


def rounded(amount: Decimal) -> Decimal:
    """Give an amount in yuan rounded half up to the fen, as invoices are."""
    return amount.quantize(FEN, ROUND_HALF_UP)


def to_fen(yuan: Decimal) -> int:
    """Give an amount as whole fen.

    Raises:
        ValueError: it has parts of a fen; whoever computed it has to round, and to say where the rest goes.
    """
    fen = yuan * 100
    if fen != fen.to_integral_value():
        raise ValueError("an amount with parts of a fen")
    return int(fen)


def to_yuan(fen: int) -> Decimal:
    """Give whole fen as yuan with two places."""
    return (Decimal(fen) / 100).quantize(FEN)


def read_yuan(text: str) -> Decimal:
    """Read an amount in yuan: digits, at most two places.

    Raises:
        InvalidInput: it is none, it is negative, or larger than ten million.
    """
    try:
        amount = Decimal(text.strip().removeprefix("¥").removeprefix("￥").removesuffix("元").strip())
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and 0 <= amount <= LARGEST and amount == rounded(amount)):
        raise InvalidInput("金额不对，请写数字，最多两位小数，比如：35.50。", field="amount")
    return rounded(amount)


def said(amount: Decimal) -> str:
    """Give an amount as people read it: 35.5 as “35.50元”, 1234 as “1234元”."""
    whole = amount == amount.to_integral_value()
    return f"{amount:.0f}元" if whole else f"{rounded(amount):.2f}元"


def shared(total: int, weights: Sequence[Decimal | int]) -> list[int]:
    """Share whole fen by weights, so that the shares sum to the total and none is off by a fen or more.

    What is left after rounding down goes to the largest remainders, the earlier first among equals (largest remainder
    method).

    Raises:
        ValueError: a negative total or weight, or no weight above zero.
    """
    whole = sum((Decimal(weight) for weight in weights), Decimal(0))
    if total < 0 or whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("nothing to share, or nobody to share it among")
    exact = [Decimal(total) * Decimal(weight) / whole for weight in weights]
    shares = [int(one) for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: (shares[at] - exact[at], at))
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares
