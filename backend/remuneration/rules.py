"""What an expert and a township institution get of a consultation, and why, line by line. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from backend.clock import LOCAL_ZONE, local
from backend.errors import InvalidInput
from backend.money import rounded, said
from data.remuneration import Band, Formula, UrgencyCode

ZERO = Decimal("0.00")
_MONTH = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])")
_URGENCY = {"critical": "危急", "urgent": "紧急", "semi_urgent": "较急", "routine": "普通"}


class Payee(StrEnum):
    """Who gets something: also the first part of their account in the ledger."""

    EXPERT = "expert"
    INSTITUTION = "institution"


class EntryKind(StrEnum):
    """What an amount of a statement is."""

    SHARE = "share"  # of a consultation's fee
    SUBSIDY = "subsidy"  # the treasury's, to a township institution
    SHARE_BACK = "share_back"  # taken back, for the fee was given back after the month was closed
    SUBSIDY_BACK = "subsidy_back"

    @property
    def label(self) -> str:
        """The word people read."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    EntryKind.SHARE: "劳务费",
    EntryKind.SUBSIDY: "补助",
    EntryKind.SHARE_BACK: "退费扣回",
    EntryKind.SUBSIDY_BACK: "补助扣回",
}
BACK = {EntryKind.SHARE: EntryKind.SHARE_BACK, EntryKind.SUBSIDY: EntryKind.SUBSIDY_BACK}
"""What takes what back."""


@dataclass(frozen=True)
class Work:
    """A consultation as the formula sees it.

    Args:
        fee: in yuan. duration: from its beginning to its end; None where it has no beginning.
        response: from the invitation to its acceptance; None where the expert was named without one.
        stars: None while nobody has rated it. has_report: images were read with a signed report.
    """

    fee: Decimal
    duration: timedelta | None
    urgency: UrgencyCode
    response: timedelta | None
    stars: int | None
    has_report: bool


@dataclass(frozen=True)
class Pay:
    """Who gets what of a fee, in yuan; the three parts sum to it. `lines` explain the expert's in plain Chinese.

    Args:
        institution: of the township. hospital: what stays with the expert's hospital, whose fee it is.
    """

    expert: Decimal
    institution: Decimal
    hospital: Decimal
    formula: str
    lines: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        """The fee."""
        return self.expert + self.institution + self.hospital


def pay(work: Work, formula: Formula) -> Pay:
    """Share the fee of a consultation by the formula that holds on its day.

    Raises:
        ValueError: a fee below zero, or with parts of a fen.
    """
    if work.fee < 0 or work.fee != rounded(work.fee):
        raise ValueError("a fee below zero, or with parts of a fen")
    parts = [("基本劳务", formula.base), *_additions(work, formula)]
    share = sum((part for _, part in parts), Decimal(0))
    held = min(share, formula.most)
    expert = rounded(work.fee * held)
    institution = min(rounded(work.fee * formula.institution), work.fee - expert)
    lines = [f"诊费{said(work.fee)}。", *(f"{why}：{_percent(part)}。" for why, part in parts)]
    if share > held:
        lines.append(f"合计{_percent(share)}，按规定最多{_percent(held)}。")
    else:
        lines.append(f"合计{_percent(share)}。")
    lines.append(f"劳务费{said(expert)}。")
    return Pay(expert, institution, work.fee - expert - institution, formula.code, tuple(lines))


def _additions(work: Work, formula: Formula) -> list[tuple[str, Decimal]]:
    """Give what is added to the base, each with its reason; also what was not, so that nobody has to guess."""
    found = []
    minutes = _minutes(work.duration)
    if minutes is not None:
        found.append((f"会诊{minutes}分钟", _reached(formula.duration, minutes)))
    else:
        found.append(("会诊时长没有记录", Decimal(0)))
    found.append((f"难度（{_URGENCY[work.urgency]}）", formula.urgency.get(work.urgency, Decimal(0))))
    if work.has_report:
        found.append(("写了影像报告", formula.report))
    if work.response is not None:
        waited = _minutes_begun(work.response)
        found.append((f"{waited}分钟内接受邀请", _within(formula.response, waited)))
    else:
        found.append(("由平台指派，不算接诊快慢", Decimal(0)))
    if work.stars is None:
        found.append(("患者还没有评价", Decimal(0)))
    else:
        found.append((f"患者评了{work.stars}颗星", _stars(formula, work.stars)))
    return found


def _minutes(span: timedelta | None) -> int | None:
    """Give the whole minutes of a span; one that runs backwards, as clocks may have it, counts as none."""
    return None if span is None else max(0, span // timedelta(minutes=1))


def _minutes_begun(span: timedelta) -> int:
    return max(1, -(-span // timedelta(minutes=1)))


def _reached(bands: Sequence[Band], minutes: int) -> Decimal:
    return next((band.share for band in reversed(bands) if minutes >= band.minutes), Decimal(0))


def _within(bands: Sequence[Band], minutes: int) -> Decimal:
    return next((band.share for band in bands if minutes <= band.minutes), Decimal(0))


def _stars(formula: Formula, stars: int) -> Decimal:
    return {int(key): share for key, share in formula.rating.items()}.get(stars, Decimal(0))


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"


def subsidy(formula: Formula, already: Decimal) -> Decimal:
    """Give what the treasury pays a township institution for one more consultation, `already` paid this month."""
    return max(ZERO, min(rounded(formula.subsidy_each), rounded(formula.subsidy_month) - already))


def payable(earned: Decimal, carried: Decimal) -> tuple[Decimal, Decimal]:
    """Give what is paid out for a month, and what is carried into the next one.

    Args:
        earned: of the month, corrections included; may be below zero.
        carried: from earlier months; never above zero.
    """
    balance = earned + carried
    return (balance, ZERO) if balance >= 0 else (ZERO, balance)


def month_of(at: datetime) -> str:
    """Give the month of a moment as people in China count it: "2026-11"."""
    return f"{local(at):%Y-%m}"


def next_month(month: str) -> str:
    """Give the month after one."""
    year, number = _year_and_month(month)
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def end_of(month: str) -> datetime:
    """Give the moment at which a month is over in China, aware.

    Raises:
        InvalidInput: it is no month.
    """
    year, number = _year_and_month(next_month(month))
    return datetime(year, number, 1, tzinfo=LOCAL_ZONE)


def last_day(month: str) -> date:
    """Give the last day of a month."""
    return (end_of(month) - timedelta(days=1)).date()


def said_month(month: str) -> str:
    """Give a month as people read it: 2026年11月."""
    year, number = _year_and_month(month)
    return f"{year}年{number}月"


def _year_and_month(month: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(month)
    if found is None:
        raise InvalidInput("月份要写成“2026-11”这样。", field="month")
    return int(found[1]), int(found[2])
