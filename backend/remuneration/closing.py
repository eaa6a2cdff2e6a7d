"""Closing a month: its amounts are written down once, posted to the ledger, and told."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.events import EventBus
from backend.ledger import LedgerService, Line, Posting
from backend.remuneration.counting import Counted, Counting, sums_of
from backend.remuneration.rules import EntryKind, Payee
from backend.remuneration.tables import ClosedMonth, EntryRow, PaidCase, StatementRow

_SHARE = "remuneration"
_SUBSIDY = "subsidy"


class Closing:
    """Closes months, in the caller's transaction."""

    def __init__(self, clock: Clock, events: EventBus, ledger: LedgerService, counting: Counting) -> None:
        self._clock = clock
        self._events = events
        self._ledger = ledger
        self._counting = counting

    async def close(self, session: AsyncSession, month: str) -> None:
        """Close a month; one that is closed stays as it is."""
        if await session.get(ClosedMonth, month) is not None:
            return
        session.add(ClosedMonth(month=month, closed_at=self._clock.now()))
        await session.flush()  # of two who close it at once, one goes on
        cases = await _rows(session, PaidCase.counted.is_(False), PaidCase.month <= month)
        reversals = await _rows(
            session, PaidCase.counted.is_(True), PaidCase.corrected.is_(False), PaidCase.reversed_month <= month
        )
        entries = await self._counting.entries(session, cases, reversals)
        session.add_all(EntryRow(month=month, **_columns(entry)) for entry in entries)
        await self._write_statements(session, month, entries)
        for case in cases:
            case.counted = True
            case.corrected = case.reversed_month is not None
            await self._post(case, [entry for entry in entries if entry.charge_id == case.charge_id])
        for case in reversals:
            case.corrected = True
            await self._post_back(case)
        await self._events.publish(session, "remuneration.closed", month=month)

    async def _write_statements(self, session: AsyncSession, month: str, entries: Sequence[Counted]) -> None:
        for payee, payee_id in sorted({(entry.payee, entry.payee_id) for entry in entries}):
            sums = await sums_of(session, month, payee_id, [one for one in entries if one.payee_id == payee_id])
            session.add(StatementRow(month=month, payee=payee, payee_id=payee_id, **vars(sums)))
            if payee is Payee.EXPERT:
                await self._events.publish(session, "remuneration.stated", month=month, practitioner_id=payee_id)

    async def _post(self, case: PaidCase, entries: Sequence[Counted]) -> None:
        """Owe experts and township institutions what they get: out of what the hospital is owed, and the treasury's."""
        for kind, name, source in (
            (EntryKind.SHARE, _SHARE, f"institution:{case.hospital_id}"),
            (EntryKind.SUBSIDY, _SUBSIDY, "treasury"),
        ):
            owed: dict[str, int] = defaultdict(int)
            for entry in entries:
                if entry.kind is kind:
                    owed[f"{entry.payee}:{entry.payee_id}"] -= entry.amount
                    owed[source] += entry.amount
            lines = [Line(account, amount) for account, amount in owed.items() if amount]
            if lines:
                await self._ledger.post(f"{name}:{case.charge_id}", name, f"charge:{case.charge_id}", lines)

    async def _post_back(self, case: PaidCase) -> None:
        posted: dict[str, Posting] = {one.key: one for one in await self._ledger.of(f"charge:{case.charge_id}")}
        for name in (_SHARE, _SUBSIDY):
            earlier = posted.get(f"{name}:{case.charge_id}")
            if earlier is not None:
                await self._ledger.reverse(f"{name}_back:{case.charge_id}", f"{name}_back", earlier)


async def _rows(session: AsyncSession, *conditions: object) -> list[PaidCase]:
    query = select(PaidCase).where(*conditions)  # type: ignore[arg-type]
    return list(await session.scalars(query.order_by(PaidCase.settled_at, PaidCase.charge_id).with_for_update()))


def _columns(entry: Counted) -> dict[str, object]:
    return vars(entry) | {"lines": list(entry.lines)}
