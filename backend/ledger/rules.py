"""Postings of double entry: what one may be. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ACCOUNT = re.compile(
    r"(patient|wechat_pay|insurer|family_account|treasury|platform|suspense|(institution|expert):[0-9a-f]{32})"
)
_LARGEST_FEN = 10**9
_MOST_LINES = 20


@dataclass(frozen=True)
class Line:
    """One side of a posting.

    Args:
        account: "patient", "wechat_pay", "insurer", "family_account", "treasury", "platform", "suspense",
            "institution:ID" or "expert:ID".
        amount: whole fen; positive is a debit (the account receives), negative a credit (it gives).
    """

    account: str
    amount: int


class BadPosting(ValueError):
    """A posting that must not be: a mistake of the program, not of a person."""


def checked(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Give the lines of a posting in the order in which they are kept.

    Raises:
        BadPosting: they do not sum to zero, fewer than two, one of nothing, an account twice or unknown, or an amount
            that no fee of ours reaches.
    """
    if not 2 <= len(lines) <= _MOST_LINES:
        raise BadPosting("a posting has at least two lines, and not many")
    if sum(line.amount for line in lines) != 0:
        raise BadPosting("the lines of a posting sum to zero")
    for line in lines:
        if not _ACCOUNT.fullmatch(line.account):
            raise BadPosting(f"there is no account {line.account[:64]!r}")
        if not 0 < abs(line.amount) <= _LARGEST_FEN:
            raise BadPosting("an amount of nothing, or larger than any fee")
    if len({line.account for line in lines}) < len(lines):
        raise BadPosting("an account twice in one posting")
    return tuple(sorted(lines, key=lambda line: (-line.amount, line.account)))


def reversed_lines(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Give the lines that take a posting back."""
    return checked([Line(line.account, -line.amount) for line in lines])
