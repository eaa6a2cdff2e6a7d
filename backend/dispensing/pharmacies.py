"""Pharmacies: what they have, and which one suits a prescription."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispensing.context import DispensingContext
from backend.dispensing.rules import Item, Option, OrderState, lines_in_stock, ranked
from backend.dispensing.tables import MedicineOrder, PharmacyStock
from backend.dispensing.views import StockItem
from backend.errors import Conflict, InvalidInput
from backend.security.policy import SYSTEM, Action, Actor, require

_MOST_PHARMACIES = 100
_MOST_PACKS = 100_000


class Pharmacies(DispensingContext):
    """The part of `DispensingService` about what pharmacies have."""

    async def set_stock(self, actor: Actor, pharmacy_id: str, packs: Mapping[str, int]) -> None:
        """Say how many packs of each preparation a pharmacy can hand out, beside what is ordered already.

        Raises:
            InvalidInput: a preparation that nobody knows, or a number that cannot be; nothing is changed.
        """
        require(actor, Action.DISPENSING_STOCK, institution_id=pharmacy_id)
        known = self._prescriptions.formulary.reference.preparations
        for preparation, count in packs.items():
            if preparation not in known:
                raise InvalidInput("药品目录里没有这个药。", field=preparation[:64])
            if not 0 <= count <= _MOST_PACKS:
                raise InvalidInput("库存要是0到100000之间的整数。", field=preparation)
        async with self._database.transaction() as session:
            now = self._clock.now()
            for preparation, count in sorted(packs.items()):
                row = await session.get(PharmacyStock, (pharmacy_id, preparation), with_for_update=True)
                if row is None:
                    row = PharmacyStock(pharmacy_id=pharmacy_id, preparation=preparation)
                    session.add(row)
                row.packs, row.updated_at = count, now
            await self._audit.record(session, actor, Action.DISPENSING_STOCK, subject=f"institution:{pharmacy_id}")

    def preparations(self) -> tuple[str, ...]:
        """Give the codes of everything that a pharmacy can have."""
        return tuple(self._prescriptions.formulary.reference.preparations)

    async def stock(self, actor: Actor, pharmacy_id: str) -> list[StockItem]:
        """Give what a pharmacy has, in the order of the preparations' codes."""
        require(actor, Action.DISPENSING_STOCK, institution_id=pharmacy_id)
        query = select(PharmacyStock).where(PharmacyStock.pharmacy_id == pharmacy_id)
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(PharmacyStock.preparation))).all()
        return [StockItem(row.preparation, row.packs, row.updated_at) for row in rows]

    async def options(
        self, actor: Actor, prescription_id: str, *, near: tuple[float, float] | None = None
    ) -> list[Option]:
        """Give the pharmacies that have something of what is left of a prescription, the most suitable first; one that
        has refused it is left out.

        Args:
            near: (latitude, longitude) in degrees, GCJ-02; where it is not given, the township centre of the case.
        """
        prescription = await self._prescriptions.prescription(actor, prescription_id)
        require(actor, Action.DISPENSING_ORDER, patient_id=prescription.patient_id)
        async with self._database.reading() as session:
            wanted = await self._free_items(session, prescription)
            stocks = await self._stocks(session, wanted)
            refused = select(MedicineOrder.pharmacy_id).where(
                MedicineOrder.prescription_id == prescription_id, MedicineOrder.state == OrderState.REFUSED
            )
            without = set(await session.scalars(refused))
        here = near or await self._place_of(prescription.consultation_id)
        found = []
        for pharmacy in await self._people.institutions(kind="pharmacy", near=here, limit=_MOST_PHARMACIES):
            if pharmacy.id in without:
                continue
            lines, missing = lines_in_stock(wanted, stocks[pharmacy.id])
            found.append(Option(pharmacy.id, pharmacy.name, pharmacy.address, pharmacy.distance_km, lines, missing))
        return ranked(found)

    async def _place_of(self, consultation_id: str) -> tuple[float, float] | None:
        case = await self._consultations.get(SYSTEM, consultation_id)
        return (await self._people.institution(case.institution_id)).place

    async def _stocks(self, session: AsyncSession, wanted: Iterable[Item]) -> defaultdict[str, dict[str, int]]:
        query = select(PharmacyStock).where(PharmacyStock.preparation.in_({item.preparation for item in wanted}))
        stocks: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in await session.scalars(query):
            stocks[row.pharmacy_id][row.preparation] = row.packs
        return stocks

    async def _take(self, session: AsyncSession, pharmacy_id: str, items: Iterable[Item]) -> None:
        """Take packs off the stock. Raises Conflict where somebody was quicker."""
        for item in items:
            if not await self._shift(session, pharmacy_id, item, -item.packs):
                raise Conflict(f"{item.name}刚刚被别人订走了，请再选一家药店。", preparation=item.preparation)

    async def _put_back(self, session: AsyncSession, pharmacy_id: str, items: Iterable[Item]) -> None:
        for item in items:
            await self._shift(session, pharmacy_id, item, item.packs)

    async def _has_none(self, session: AsyncSession, pharmacy_id: str, items: Iterable[Item]) -> None:
        """Believe a pharmacy that has not what its stock said, so that nobody else is sent there for it."""
        for item in items:
            row = await session.get(PharmacyStock, (pharmacy_id, item.preparation), with_for_update=True)
            if row is not None:
                row.packs, row.updated_at = 0, self._clock.now()

    async def _shift(self, session: AsyncSession, pharmacy_id: str, item: Item, by: int) -> bool:
        """Change a stock in one statement, so that two who order at once are told apart by the database."""
        moved = await session.execute(
            update(PharmacyStock)
            .where(
                PharmacyStock.pharmacy_id == pharmacy_id,
                PharmacyStock.preparation == item.preparation,
                PharmacyStock.packs >= -by,
            )
            .values(packs=PharmacyStock.packs + by, updated_at=self._clock.now())
        )
        return bool(moved.rowcount)  # type: ignore[attr-defined]  # of an UPDATE
