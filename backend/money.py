"""Amounts of money: `Decimal` yuan with two places inside, whole fen on the wire and in the database."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from backend.errors import InvalidInput

FEN = Decimal("0.01")
_CAPITALS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
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


def in_capitals(amount: Decimal) -> str:
    """Give an amount as it stands on receipts, in figures that cannot be altered: 1004.5 as “壹仟零肆元伍角整”.

    After 支付结算办法 (1997), 附一: 正确填写票据和结算凭证的基本规定.

    Raises:
        ValueError: below zero, of ten million or more, or with parts of a fen.
    """
    fen = to_fen(amount)
    if not 0 <= amount < LARGEST:
        raise ValueError("no amount of a receipt")
    yuan, (jiao, rest) = fen // 100, divmod(fen % 100, 10)
    words = f"{_whole_in_capitals(yuan)}元" if yuan else ""
    if not jiao and not rest:
        return f"{words or '零元'}整"
    if jiao:
        words += f"{_CAPITALS[jiao]}角"
    elif yuan:
        words += "零"
    return f"{words}{_CAPITALS[rest]}分" if rest else f"{words}整"


def _whole_in_capitals(number: int) -> str:
    found = ""
    for place, digit in enumerate(reversed(str(number))):
        if place == 4 and number % 10**8 // 10**4:
            found = f"万{found}"
        if digit != "0":
            found = f"{_CAPITALS[int(digit)]}{_PLACES[place % 4]}{found}"
        elif found and found[0] not in "零万":
            found = f"零{found}"
    return found


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
