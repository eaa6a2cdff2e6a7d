"""Bills of WeChat Pay: what was paid and refunded on a day, and how the merchant's balance moved.

A bill is text: a line of names, a line for each thing that happened, and two lines with sums. Each value begins with a
backtick. Source: pay.weixin.qq.com, 下载账单 / 交易账单详细说明, 资金账单详细说明.
"""

import hashlib
import hmac
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Literal, TypeVar

from backend.clock import LOCAL_ZONE
from backend.money import to_fen
from backend.payment.payments import BillLine

_Line = TypeVar("_Line")

_PART = 1000
_IN_MEMORY = 1 << 20
_SUMS = "总交易单数"
_FUND_SUMS = "资金流水总笔数"
_ALGORITHMS = {"SHA1": hashlib.sha1}


@dataclass(frozen=True)
class FundLine:
    """One movement of the merchant's balance, in fen; `number` is ours, of the payment or the refund."""

    number: str
    business: str
    direction: Literal["in", "out"]
    amount: int
    at: datetime


class BillError(ValueError):
    """The bill is not what its digest or its form says."""


async def kept(pieces: AsyncIterator[bytes], algorithm: str, digest: str) -> IO[bytes]:
    """Write a bill into a temporary file and check it; to be closed by whoever asks.

    Raises:
        BillError: it is not the one that `digest` is of.
    """
    if algorithm not in _ALGORITHMS:
        raise BillError("an unknown digest")
    summed = _ALGORITHMS[algorithm](usedforsecurity=False)
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 -- given to the caller
    try:
        async for piece in pieces:
            summed.update(piece)
            file.write(piece)
        if not hmac.compare_digest(summed.hexdigest(), digest.lower()):
            raise BillError("a changed bill")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def payments_in(file: IO[bytes]) -> Generator[list[BillLine], None, None]:
    """Give the lines of a trade bill ordered by number, in parts; whatever its length, little of it is in memory.

    Raises:
        BillError: it has another form.
    """
    # A database of SQLite's without a name is a file that vanishes with its connection; one thread at a time asks it.
    with closing(sqlite3.connect("", check_same_thread=False)) as sorter:
        sorter.execute("CREATE TABLE line (number TEXT, kind TEXT, origin TEXT, amount INTEGER, at TEXT)")
        sorter.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?)", _each(file, _SUMS, _trade_line))
        found = sorter.execute("SELECT kind, number, origin, amount, at FROM line ORDER BY number, kind")
        while part := found.fetchmany(_PART):
            yield [BillLine(kind, number, of, fen, datetime.fromisoformat(at)) for kind, number, of, fen, at in part]


def funds_in(file: IO[bytes]) -> Generator[list[FundLine], None, None]:
    """Give the lines of a fund bill as they stand there, in parts. Raises BillError."""
    part: list[FundLine] = []
    for line in _each(file, _FUND_SUMS, _fund_line):
        part.append(line)
        if len(part) == _PART:
            yield part
            part = []
    if part:
        yield part


def _each(file: IO[bytes], sums: str, read: Callable[[Mapping[str, str]], _Line | None]) -> Iterator[_Line]:
    """Give what the lines between the names and the sums say; None is left out."""
    names: list[str] | None = None
    for raw in file:
        text = _decoded(raw)
        if names is None:
            names = text.split(",")
            continue
        if text.startswith(sums):
            return
        # Only a backtick after a comma begins a value: what was bought may have a comma in its name.
        values = text.removeprefix("`").split(",`")
        if not text.startswith("`") or len(values) != len(names):
            raise BillError("a line of another form")
        if (line := read(dict(zip(names, values, strict=True)))) is not None:
            yield line
    raise BillError("a bill without its sums")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BillError("no text") from None


def _trade_line(line: Mapping[str, str]) -> tuple[str, str, str, int, str] | None:
    try:
        at = _moment(line["交易时间"]).isoformat()
        if line["交易状态"] != "REFUND":
            return line["商户订单号"], "payment", line["商户订单号"], _fen(line["订单金额"]), at
        if line["退款状态"] == "FAIL":
            return None
        return line["商户退款单号"], "refund", line["商户订单号"], _fen(line["申请退款金额"]), at
    except KeyError as error:
        raise BillError(f"no column {error}") from None


def _fund_line(line: Mapping[str, str]) -> FundLine:
    try:
        return FundLine(
            number=line["业务凭证号"],
            business=line["业务类型"],
            direction="in" if line["收支类型"] == "收入" else "out",
            amount=_fen(line["收支金额(元)"]),
            at=_moment(line["记账时间"]),
        )
    except KeyError as error:
        raise BillError(f"no column {error}") from None


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=LOCAL_ZONE)
    except ValueError:
        raise BillError("no time") from None


def _fen(yuan: str) -> int:
    try:
        return to_fen(Decimal(yuan))
    except (InvalidOperation, ValueError, OverflowError):
        raise BillError("no amount") from None
