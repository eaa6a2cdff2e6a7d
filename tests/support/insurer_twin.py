"""An insurer in memory that does what docs/money.md asks of one, with books that can be compared with ours."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from backend.clock import Clock, local
from backend.insurance.coverage import Claim, Split, split
from backend.insurance.insurer import (
    InsurerRefused,
    InsurerUnclear,
    InsurerUnreachable,
    Person,
    SettledTotal,
    Settlement,
    Visit,
)
from backend.money import to_fen
from data.insurance import CoverageTable, table_for
from tests.support.money_wire import Wire

T = TypeVar("T")


@dataclass
class Entry:
    """What the insurer knows of a visit."""

    visit: Visit
    uploaded: bool = False
    settlement: Settlement | None = None


@dataclass
class InsurerTwin:
    """The insurer. `message` ids are answered as they were at first, refusals included."""

    clock: Clock
    people: dict[str, Person] = field(default_factory=dict)
    table: CoverageTable | None = None
    wire: Wire = field(default_factory=lambda: Wire(InsurerUnreachable, InsurerUnclear))
    visits: dict[str, Entry] = field(default_factory=dict)
    refuse: dict[str, InsurerRefused] = field(default_factory=dict)
    cheat: Decimal = Decimal(0)
    says_why: bool = True
    _answers: dict[str, object] = field(default_factory=dict)
    _numbers: int = 0

    # the interface

    async def person(self, identity: str, name: str, *, message: str) -> Person:
        return await self._do("person", message, lambda: self._person(identity))

    async def register(self, visit: Visit, *, message: str) -> None:
        await self._do("register", message, lambda: self._register(visit))

    async def unregister(self, visit: str, *, message: str) -> None:
        await self._do("unregister", message, lambda: self._unregister(visit))

    async def upload(self, visit: Visit, *, message: str) -> None:
        await self._do("upload", message, lambda: self._upload(visit))

    async def revoke_upload(self, visit: str, *, message: str) -> None:
        await self._do("revoke_upload", message, lambda: self._revoke_upload(visit))

    async def presettle(self, visit: Visit, *, message: str) -> Split:
        return await self._do("presettle", message, lambda: self._split(self._known(visit.number).visit))

    async def settle(self, visit: Visit, *, message: str) -> Settlement:
        return await self._do("settle", message, lambda: self._settle(visit, message))

    async def revoke(self, settlement: str, visit: str, *, message: str) -> None:
        await self._do("revoke", message, lambda: self._revoke(settlement, visit))

    async def reverse(self, original: str, *, message: str) -> None:
        raise NotImplementedError  # charging asks instead

    async def settled(self, visit: str) -> Settlement | None:
        def asked() -> Settlement | None:
            entry = self.visits.get(visit)
            return None if entry is None else entry.settlement

        return await self.wire.carry(asked)

    async def totals(self, institution: str, since: date, until: date) -> SettledTotal:
        def asked() -> SettledTotal:
            found = [one for day in (since, until) for one in self._of(institution, day)]
            if since == until:
                found = self._of(institution, since)
            return SettledTotal(
                len(found),
                sum(to_fen(one.split.total) for one in found),
                sum(to_fen(one.split.insurance + one.split.subsidy) for one in found),
                sum(to_fen(one.split.account) for one in found),
            )

        return await self.wire.carry(asked)

    async def settlements(self, institution: str, day: date) -> AsyncIterator[Sequence[Settlement]]:
        found = await self.wire.carry(lambda: self._of(institution, day))
        for at in range(0, len(found), 100):
            yield found[at : at + 100]

    # inside

    async def _do(self, name: str, message: str, work: Callable[[], T]) -> T:
        def once() -> T:
            if message not in self._answers:
                try:
                    if name in self.refuse:
                        raise self.refuse[name]
                    self._answers[message] = work()
                except InsurerRefused as refused:
                    self._answers[message] = refused
            answer = self._answers[message]
            if isinstance(answer, InsurerRefused):
                raise InsurerRefused(answer.code, answer.sentence)
            return answer  # type: ignore[return-value]

        return await self.wire.carry(once)

    def _person(self, identity: str) -> Person:
        if identity not in self.people:
            raise InsurerRefused("1001", "医保里没有查到这个身份证号。")
        return self.people[identity]

    def _register(self, visit: Visit) -> None:
        if visit.number in self.visits:
            raise InsurerRefused("2001", "这次就诊已经登记过了。")
        self.visits[visit.number] = Entry(visit)

    def _unregister(self, visit: str) -> None:
        if self._known(visit).uploaded:
            raise InsurerRefused("2002", "费用明细还没有撤销。")
        del self.visits[visit]

    def _upload(self, visit: Visit) -> None:
        self._known(visit.number).uploaded = True

    def _revoke_upload(self, visit: str) -> None:
        entry = self._known(visit)
        if entry.settlement is not None or not entry.uploaded:
            raise InsurerRefused("2003", "已经结算，不能撤销明细。")
        entry.uploaded = False

    def _settle(self, visit: Visit, message: str) -> Settlement:
        entry = self._known(visit.number)
        if not entry.uploaded or entry.settlement is not None:
            raise InsurerRefused("2004", "没有费用明细，或者已经结算。")
        self._numbers += 1
        parts = self._split(visit)
        if self.cheat:
            parts = replace(parts, cash=parts.cash + self.cheat, insurance=parts.insurance - self.cheat)
        now: datetime = self.clock.now()
        entry.settlement = Settlement(f"JS{self._numbers:08}", visit.number, message, parts, now)
        return entry.settlement

    def _revoke(self, settlement: str, visit: str) -> None:
        entry = self._known(visit)
        if entry.settlement is None or entry.settlement.number != settlement:
            raise InsurerRefused("2005", "没有这笔结算。")
        entry.settlement = None

    def _known(self, visit: str) -> Entry:
        if visit not in self.visits:
            raise InsurerRefused("2006", "没有这次就诊。")
        return self.visits[visit]

    def _split(self, visit: Visit) -> Split:
        [person] = [one for one in self.people.values() if one.number == visit.person]
        table = self.table or table_for(person.region, local(visit.at).date())
        claim = Claim(visit.service, visit.level, visit.fees)
        shared = split(claim, person.claiming(visit.service), table)
        return shared if self.says_why else replace(shared, lines=("医保算好了。",))

    def _of(self, institution: str, day: date) -> list[Settlement]:
        found = [
            entry.settlement
            for entry in self.visits.values()
            if entry.settlement is not None
            and entry.visit.institution == institution
            and local(entry.settlement.at).date() == day
        ]
        return sorted(found, key=lambda one: one.visit)
