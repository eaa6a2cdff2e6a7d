"""What is destroyed when somebody asks for it, what is kept and until when. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

COOLING_OFF = timedelta(days=7)
"""Between the second yes and the destruction, in which it can be taken back. No rule names a time; a week is enough to
sleep on it and to ask one's children."""

RECORD_YEARS = 15
"""Outpatient records: 《医疗机构管理条例实施细则》 article 53; counted from the last visit: 《医疗机构病历管理规定
（2013年版）》 article 29; those of internet diagnosis alike: 《互联网诊疗监管细则（试行）》."""

MONEY_YEARS = 30
"""Vouchers and ledgers: 《会计档案管理办法》 (财政部、国家档案局令第79号) article 14 and its table."""

EVIDENCE_YEARS = 3
"""What proves that somebody agreed and asked: 《民法典》 article 188, the time in which one may sue."""


class ErasureState(StrEnum):
    """How far an erasure is."""

    ASKED = "asked"  # it can be taken back
    TAKEN_BACK = "taken_back"
    ROWS_GONE = "rows_gone"  # the key is yet to be destroyed
    ERASED = "erased"  # what has to be kept waits for its end
    OVER = "over"  # nothing is left but what proves it


class Blocker(StrEnum):
    """What has to come to its end first."""

    CONSULTATION = "consultation"
    PRESCRIPTION = "prescription"
    REFILL = "refill"
    ORDER = "order"
    CHARGE = "charge"
    AMENDMENT = "amendment"
    RELATIVES = "relatives"


@dataclass(frozen=True)
class Overview:
    """What an erasure would mean for a patient.

    Args:
        blockers: what has to be finished first, in the order of `Blocker`.
        due_at: when it will happen, where it was asked for and can be taken back.
        record_until, money_until: until when records and accounts are kept; None where there are none.
    """

    blockers: tuple[Blocker, ...]
    due_at: datetime | None
    record_until: datetime | None
    money_until: datetime | None


def years_after(moment: datetime, years: int) -> datetime:
    """Give the same day `years` later; of 29 February the day after where there is none."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)
