"""What the house asks of an insurer, whatever its dialect; transactions of the national platform (国家医保信息平台)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

from backend.insurance.coverage import Fee, Insured, Split
from data.insurance import Insurance, Level, Service


@dataclass(frozen=True)
class Used:
    """What somebody has used up of one kind of service this year, in yuan, without today's claims."""

    deductible_met: Decimal = Decimal("0.00")
    paid_year: Decimal = Decimal("0.00")


@dataclass(frozen=True)
class Person:
    """Somebody as the insurer knows them (1101): the insurer's number, and what has been used up this year.

    Args:
        region: where they are insured, as a code of six digits (参保地医保区划).
        insurance: None where the person is known but cannot claim; `refusal` then says why in Chinese.
        account: what their own account and their family's hold together, in yuan.
        used: by kind of service; what is not in it is untouched.
    """

    number: str = field(repr=False)
    region: str
    insurance: Insurance | None
    refusal: str = ""
    account: Decimal = Decimal("0.00")
    used: Mapping[Service, Used] = field(default_factory=lambda: MappingProxyType({}))

    def claiming(self, service: Service, *, use_account: bool = True) -> Insured:
        """Give the person as `coverage.split` takes them, to predict what the insurer will say."""
        used = self.used.get(service, Used())
        return Insured(
            self.insurance, used.deductible_met, used.paid_year, account=self.account, use_account=use_account
        )


@dataclass(frozen=True)
class Visit:
    """What a claim is for; `number` is ours and unique for ever: at most 30 letters and digits (ipt_otp_no).

    Args:
        person: their number at the insurer. institution: its code at the insurer, twelve characters.
    """

    number: str
    person: str = field(repr=False)
    institution: str
    level: Level
    service: Service
    at: datetime
    fees: tuple[Fee, ...]
    use_account: bool = True


@dataclass(frozen=True)
class Settlement:
    """A claim that the insurer has settled (2207); `message` is the id of the message that asked for it."""

    number: str
    visit: str
    message: str
    split: Split
    at: datetime


@dataclass(frozen=True)
class SettledTotal:
    """What the insurer has settled with an institution on days `since` to `until` (3201), in whole fen; taken back is
    not settled. `insurance` is of all funds together, so that subsidies are in it (fund_pay_sumamt)."""

    count: int
    total: int
    insurance: int
    account: int


class InsurerUnreachable(Exception):
    """The message has certainly not arrived: it may be sent again under the same id."""


class InsurerUnclear(Exception):
    """The message was sent and no answer came: what became of it has to be asked first."""


class InsurerRefused(Exception):
    """The insurer has answered no, and has changed nothing.

    Args:
        code: the insurer's. sentence: Chinese, may be shown to the person.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.code, self.sentence = code, sentence


class Insurer(Protocol):
    """An adapter to one insurer, whose dialect is one small file of it.

    `message` is an id of the caller's, kept before the call, at most 64 characters: a repeated call under the same id
    is answered as the first one was. The adapter keeps which messages of the platform it became. Calls are made outside
    of a transaction. Every method raises InsurerUnreachable, InsurerUnclear or InsurerRefused.

    A visit goes through `person`, `register` and `upload` before it can be pre-settled or settled.
    """

    async def person(self, identity: str, name: str, *, message: str) -> Person:
        """Look a person up by identity number and name (1101)."""

    async def register(self, visit: Visit, *, message: str) -> None:
        """Register a visit (2201)."""

    async def unregister(self, visit: str, *, message: str) -> None:
        """Take a registration back (2202)."""

    async def upload(self, visit: Visit, *, message: str) -> None:
        """Send what the visit is and its lines of fees (2203, 2204)."""

    async def revoke_upload(self, visit: str, *, message: str) -> None:
        """Take the lines of fees back (2205)."""

    async def presettle(self, visit: Visit, *, message: str) -> Split:
        """Ask what a settlement would be (2206); changes nothing."""

    async def settle(self, visit: Visit, *, message: str) -> Settlement:
        """Settle (2207): from here on the insurer owes its part."""

    async def revoke(self, settlement: str, visit: str, *, message: str) -> None:
        """Take a settlement back (2208)."""

    async def reverse(self, original: str, *, message: str) -> None:
        """Undo whatever a message did whose answer was lost (冲正 2601); nothing where it did nothing."""

    async def settled(self, visit: str) -> Settlement | None:
        """Ask whether a visit is settled now (5203)."""

    async def totals(self, institution: str, since: date, until: date) -> SettledTotal:
        """Ask for the totals of an institution (3201)."""

    def settlements(self, institution: str, day: date) -> AsyncIterator[Sequence[Settlement]]:
        """Give what was settled on a day, ordered by visit, page by page (3202)."""
