"""Limits of one patient, set by a doctor of theirs."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Forbidden
from backend.records.monitoring.desk import MonitoringDesk
from backend.records.monitoring.limits import Level, Line, OwnLimit, checked, lines_for
from backend.records.monitoring.readings import Kind
from backend.records.monitoring.views import LimitsView, PatientView
from backend.records.monitoring_tables import Monitored, PatientLimit
from backend.security.policy import SYSTEM, Action, Actor, Role

_MOST_WATCHED = 1000
_MOST_CASES = 50
_DAYS_OF_MONTH = 365.25 / 12


class Thresholds(MonitoringDesk):
    """The part of `MonitoringService` about limits, and about the patients whom a doctor names."""

    async def limits(self, actor: Actor, patient_id: str) -> LimitsView:
        """Give the limits that hold for a patient; the read is audited."""
        async with self._database.transaction() as session:
            await self._allowed_care(session, actor, Action.MONITORING_READ, patient_id)
            await self._record(session, actor, Action.MONITORING_READ, patient_id, "monitoring_limits")
            return LimitsView(await self._lines(session, patient_id), await self._own(session, patient_id))

    async def set_limits(self, actor: Actor, patient_id: str, wanted: Sequence[OwnLimit]) -> None:
        """Set limits of one patient, all or none; from now on the doctor is the one who hears of the patient.

        Raises:
            Forbidden: the actor is no doctor of the patient. InvalidInput: a limit that would leave them unsafe.
        """
        if actor.practitioner_id is None:
            raise Forbidden
        async with self._database.transaction() as session:
            care = await self._allowed_care(session, actor, Action.MONITORING_SET_LIMITS, patient_id)
            await self._watched_by(session, actor, care)
            now = self._clock.now()
            # Danger lines first: an alert line has to come before the one that is set with it.
            for one in sorted(wanted, key=lambda own: -own.level.rank):
                passed = checked(one, await self._lines(session, patient_id))
                await session.merge(
                    PatientLimit(
                        patient_id=patient_id,
                        measure=passed.measure,
                        side=passed.side,
                        level=passed.level,
                        bound=f"{Decimal(str(passed.bound)):f}",
                        set_by=actor.practitioner_id,
                        set_at=now,
                    )
                )
                await session.flush()
            await self._record(session, actor, Action.MONITORING_SET_LIMITS, patient_id, "monitoring_limits")

    async def reset_limits(self, actor: Actor, patient_id: str, kind: Kind) -> None:
        """Let everybody's limits hold for a patient again.

        Raises:
            Forbidden: the actor is no doctor of the patient.
        """
        async with self._database.transaction() as session:
            await self._allowed_care(session, actor, Action.MONITORING_SET_LIMITS, patient_id)
            await session.execute(
                delete(PatientLimit).where(
                    PatientLimit.patient_id == patient_id, PatientLimit.measure.in_(kind.measures)
                )
            )
            await self._record(session, actor, Action.MONITORING_SET_LIMITS, patient_id, "monitoring_limits")

    async def patients_named(self, actor: Actor, name: str) -> list[PatientView]:
        """Give the patients of this name whom a grassroots doctor or their institution takes care of; audited.

        Raises:
            Forbidden: the actor is no grassroots doctor.
        """
        if Role.GRASSROOTS_DOCTOR not in actor.roles or actor.institution_id is None:
            raise Forbidden
        async with self._database.transaction() as session:
            watched = select(Monitored.patient_id).where(Monitored.institution_id == actor.institution_id)
            ids = set(await session.scalars(watched.order_by(Monitored.since.desc()).limit(_MOST_WATCHED)))
            running = await self._consultations.running_at(actor.institution_id)
            mine = await self._consultations.list_for(actor, role=Role.GRASSROOTS_DOCTOR, limit=_MOST_CASES)
            ids |= {case.patient_id for case in running} | {case.patient_id for case in mine}
            names = await self._people.names(ids)
            found = sorted(patient_id for patient_id, called in names.items() if called == name)
            for patient_id in found:
                await self._record(session, actor, Action.MONITORING_READ, patient_id, f"person:{patient_id}")
            return [PatientView(patient_id, name) for patient_id in found]

    async def _lines(self, session: AsyncSession, patient_id: str) -> tuple[Line, ...]:
        born = (await self._people.person(SYSTEM, patient_id)).birth_date
        age = None if born is None else int((self._clock.today().date() - born).days / _DAYS_OF_MONTH)
        return lines_for(age, await self._own(session, patient_id))

    async def _own(self, session: AsyncSession, patient_id: str) -> tuple[OwnLimit, ...]:
        rows = await session.scalars(select(PatientLimit).where(PatientLimit.patient_id == patient_id))
        return tuple(OwnLimit(row.measure, row.side, Level(row.level), float(row.bound)) for row in rows)
