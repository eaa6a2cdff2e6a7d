"""Prescriptions from above: how many, where they stand, what was passed over or returned. Nothing of what they say."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.clock import local
from backend.errors import InvalidInput, NotFound
from backend.people import masked_name
from backend.prescription.context import NO_SUCH_PRESCRIPTION, PrescriptionContext
from backend.prescription.rules import State
from backend.prescription.tables import Prescription, SignedVersion
from backend.security.policy import Action, Actor, only_institution, require

LONGEST_SPAN = timedelta(days=366)
"""Totals are of at most a year."""

_NUMBER = re.compile(r"[A-Z0-9-]{1,32}")


@dataclass(frozen=True)
class PrescriptionFilter:
    """Which prescriptions; what is None or empty does not matter.

    Attributes:
        institution_ids: where they were written. number: the beginning of it.
        since, until: of when they were begun; `until` itself is not among them.
        overridden, returned: those alone that pass over a warning, or that a pharmacist has ever returned.
    """

    state: State | None = None
    institution_ids: Collection[str] | None = None
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None
    overridden: bool = False
    returned: bool = False


@dataclass(frozen=True)
class PrescriptionOverview:
    """A prescription in a list; the patient's name is masked.

    Attributes:
        overridden: how many warnings its newest version passes over with a reason. returns: how often it was returned.
    """

    id: str
    number: str
    state: State
    institution_id: str
    patient_name: str = field(repr=False)
    prescriber_name: str
    overridden: int
    returns: int
    created_at: datetime
    signed_at: datetime | None
    approved_at: datetime | None


@dataclass(frozen=True)
class PrescriptionPage:
    """A page of a list, and what the next one is asked with; empty at the end."""

    items: list[PrescriptionOverview]
    next_cursor: str


@dataclass(frozen=True)
class PrescriptionTotals:
    """How many prescriptions, by their state, the day in China on which they were begun, and where they were written.

    Attributes:
        overridden: how many pass over a warning; warnings: how many they pass over. returned: how many were returned.
    """

    total: int
    by_state: dict[State, int]
    by_day: dict[date, int]
    by_institution: dict[str, int]
    overridden: int
    warnings: int
    returned: int


@dataclass(frozen=True)
class Moment:
    """Something that happened to a prescription: begun, signed, returned, approved, revoked, expired.

    Attributes:
        by: the name of who did it; "" where nobody did. overridden: of a signature, how many warnings it passes over.
    """

    at: datetime
    kind: str
    by: str
    overridden: int = 0


@dataclass(frozen=True)
class PrescriptionDossier:
    """A prescription and what happened to it, without what it says."""

    id: str
    number: str
    state: State
    consultation_id: str
    institution_id: str
    patient_name: str = field(repr=False)
    prescriber_name: str
    reviewer_name: str
    chronic: bool
    valid_until: datetime | None
    moments: list[Moment]


class Overseeing(PrescriptionContext):
    """The part of `PrescriptionService` for those who oversee prescriptions. What was never signed is its writer's
    alone, and stays out of it."""

    async def search(
        self, actor: Actor, wanted: PrescriptionFilter, *, limit: int = 20, cursor: str = ""
    ) -> PrescriptionPage:
        """List prescriptions, the latest begun first; audited as a list.

        Raises:
            Forbidden: the actor oversees none. InvalidInput: the number or the cursor has not the shape of one.
        """
        row = Prescription
        query = select(row, _overridden(), _returns()).where(*_conditions(actor, wanted))
        if cursor:
            query = query.where(paging.older(cursor, row.created_at, row.id))
        limit = min(max(limit, 1), paging.LONGEST)
        async with self._database.transaction() as session:
            found = await session.execute(query.order_by(row.created_at.desc(), row.id.desc()).limit(limit + 1))
            rows, more = paging.cut([(one, overridden, returns) for one, overridden, returns in found], limit)
            subject = f"prescriptions:{len(rows)}"
            await self._audit.record(session, actor, Action.PRESCRIPTION_OVERSEE, subject=subject)
        names = await self._people.names({one for held, _, _ in rows for one in (held.patient_id, held.prescriber_id)})
        items = [_overview(held, overridden or 0, returns or 0, names) for held, overridden, returns in rows]
        return PrescriptionPage(items, paging.cursor(rows[-1][0].created_at, rows[-1][0].id) if more else "")

    async def totals(self, actor: Actor, wanted: PrescriptionFilter) -> PrescriptionTotals:
        """Add up the prescriptions of a span of at most a year.

        Raises:
            Forbidden: the actor oversees none. InvalidInput: the span has no end, or is too long.
        """
        span = wanted.until - wanted.since if wanted.since and wanted.until else timedelta()
        if not timedelta() < span <= LONGEST_SPAN:
            raise InvalidInput("请选一段时间，最长一年。", field="since")
        row, conditions = Prescription, _conditions(actor, wanted)
        # A moment is written alike by every database of ours; by hours, because days in China begin within one of UTC.
        hour = func.substr(cast(row.created_at, String(32)), 1, 13)
        counted = select(row.state, row.institution_id, hour, func.count()).where(*conditions)
        counted = counted.group_by(row.state, row.institution_id, hour)
        warned = select(func.count(), func.coalesce(func.sum(SignedVersion.overridden), 0)).join(
            row, (row.id == SignedVersion.prescription_id) & (row.version == SignedVersion.version)
        )
        returned = select(func.count(SignedVersion.prescription_id.distinct())).join(
            row, row.id == SignedVersion.prescription_id
        )
        async with self._database.reading() as session:
            rows = (await session.execute(counted)).all()
            passed = (await session.execute(warned.where(*conditions, SignedVersion.overridden > 0))).one()
            back = await session.scalar(returned.where(*conditions, SignedVersion.returned_at.is_not(None)))
        by_state: dict[State, int] = defaultdict(int)
        by_day: dict[date, int] = defaultdict(int)
        by_institution: dict[str, int] = defaultdict(int)
        for state, institution_id, of, count in rows:
            by_state[state] += count
            by_day[local(datetime.fromisoformat(f"{of}:00:00+00:00")).date()] += count
            by_institution[institution_id] += count
        return PrescriptionTotals(
            total=sum(by_state.values()),
            by_state=dict(by_state),
            by_day=dict(sorted(by_day.items())),
            by_institution=dict(by_institution),
            overridden=passed[0],
            warnings=int(passed[1]),
            returned=back or 0,
        )

    async def dossier(self, actor: Actor, prescription_id: str) -> PrescriptionDossier:
        """Give where one prescription stands and what happened to it; the read is audited, with whose it is.

        Raises:
            NotFound: no such prescription, or nobody has signed it yet. Forbidden: the actor does not oversee it.
        """
        async with self._database.transaction() as session:
            row = await session.get(Prescription, prescription_id)
            if row is None or row.version == 0:
                raise NotFound(NO_SUCH_PRESCRIPTION)
            require(actor, Action.PRESCRIPTION_OVERSEE, institution_id=row.institution_id)
            await self._record(session, actor, Action.PRESCRIPTION_OVERSEE, row)
            versions = await self._versions(session, row.id)
            people = {row.patient_id, row.prescriber_id, row.reviewer_id, *(one.returned_by for one in versions)}
            names = await self._people.names({one for one in people if one})
            return PrescriptionDossier(
                id=row.id,
                number=row.number,
                state=row.state,
                consultation_id=row.consultation_id,
                institution_id=row.institution_id,
                patient_name=names.get(row.patient_id, ""),
                prescriber_name=names.get(row.prescriber_id, ""),
                reviewer_name=names.get(row.reviewer_id or "", ""),
                chronic=row.chronic,
                valid_until=row.valid_until,
                moments=_moments(row, versions, names),
            )

    async def _versions(self, session: AsyncSession, prescription_id: str) -> Sequence[SignedVersion]:
        query = select(SignedVersion).where(SignedVersion.prescription_id == prescription_id)
        return (await session.scalars(query.order_by(SignedVersion.version))).all()


def _overridden() -> ColumnElement[int]:
    newest = (SignedVersion.prescription_id == Prescription.id, SignedVersion.version == Prescription.version)
    return select(SignedVersion.overridden).where(*newest).correlate(Prescription).scalar_subquery()


def _returns() -> ColumnElement[int]:
    returned = (SignedVersion.prescription_id == Prescription.id, SignedVersion.returned_at.is_not(None))
    return select(func.count(SignedVersion.id)).where(*returned).correlate(Prescription).scalar_subquery()


def _conditions(actor: Actor, wanted: PrescriptionFilter) -> list[ColumnElement[bool]]:
    row, own = Prescription, only_institution(actor, Action.PRESCRIPTION_OVERSEE)
    conditions: list[ColumnElement[bool]] = [row.version > 0]
    if own is not None:
        conditions.append(row.institution_id == own)
    if wanted.state is not None:
        conditions.append(row.state == wanted.state)
    if wanted.institution_ids is not None:
        conditions.append(row.institution_id.in_(wanted.institution_ids))
    if wanted.number:
        number = wanted.number.strip().upper()
        if not _NUMBER.fullmatch(number):
            raise InvalidInput("处方编号只有字母、数字和“-”，比如 CF20261121-0001-01。", field="number")
        conditions.append(row.number.between(number, number + "~"))
    if wanted.since is not None:
        conditions.append(row.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.created_at < wanted.until)
    if wanted.overridden:
        conditions.append(_overridden() > 0)
    if wanted.returned:
        conditions.append(_returns() > 0)
    return conditions


def _overview(row: Prescription, overridden: int, returns: int, names: dict[str, str]) -> PrescriptionOverview:
    return PrescriptionOverview(
        id=row.id,
        number=row.number,
        state=row.state,
        institution_id=row.institution_id,
        patient_name=masked_name(names.get(row.patient_id, "")),
        prescriber_name=names.get(row.prescriber_id, ""),
        overridden=overridden,
        returns=returns,
        created_at=row.created_at,
        signed_at=row.signed_at,
        approved_at=row.approved_at,
    )


def _moments(row: Prescription, versions: Sequence[SignedVersion], names: dict[str, str]) -> list[Moment]:
    """Give what happened, in its order: moments of signatures are whole seconds, and do not tell it."""
    doctor = names.get(row.prescriber_id, "")
    found = [Moment(row.created_at, "begun", doctor)]
    for version in versions:
        found.append(Moment(version.signed_at, "signed", doctor, version.overridden))
        if version.returned_at is not None:
            found.append(Moment(version.returned_at, "returned", names.get(version.returned_by or "", "")))
    if row.approved_at is not None:
        found.append(Moment(row.approved_at, "approved", names.get(row.reviewer_id or "", "")))
    if row.revoked_at is not None:
        found.append(Moment(row.revoked_at, "revoked", doctor))
    if row.state is State.EXPIRED and row.valid_until is not None:
        found.append(Moment(row.valid_until, "expired", ""))
    return found
