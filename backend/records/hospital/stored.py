"""What hospitals told of a patient, as it is kept: for whoever has asked the policy and audited the read."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.records.background import Allergy, Condition, CurrentMedicine, Source
from backend.records.drug_codes import allergen_code, medicine_code
from backend.records.hospital.facts import AllergyFact, HospitalHistory, Measurement
from backend.records.hospital.reading import instant
from backend.records.hospital.views import Outcome
from backend.records.hospital_tables import HospitalHistoryRow, HospitalRow

_ESSENTIAL = {"AllergyIntolerance", "Condition", "MedicationRequest"}


@dataclass(frozen=True)
class Told:
    """What one hospital told of one patient.

    Args:
        fault: why not, where it told nothing: a code of `FaultCode` or of `Match`.
        fetched_at: when `history` was fetched; both None where there is none.
        due_at: when it is to be asked again; None for not. asking: it is being asked now.
    """

    hospital: str
    outcome: Outcome
    fault: str = ""
    fetched_at: datetime | None = None
    history: HospitalHistory | None = field(default=None, repr=False)
    due_at: datetime | None = None
    asking: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether what a prescriber has to know of this hospital is known."""
        if self.outcome is Outcome.ABSENT:
            return True
        history = self.history if self.outcome is Outcome.FETCHED else None
        return history is not None and history.complete and not _ESSENTIAL & set(history.missing)


@dataclass(frozen=True)
class HospitalFacts:
    """What the hospitals tell, in the values of `Background`.

    Args:
        no_known_allergies: when a hospital noted that there are none; None where none did, or another knows of one.
        measurements: the newest of each LOINC code.
        unreachable: names of the hospitals of which something may be missing.
    """

    allergies: tuple[Allergy, ...] = ()
    no_known_allergies: datetime | None = None
    medicines: tuple[CurrentMedicine, ...] = ()
    conditions: tuple[Condition, ...] = ()
    measurements: tuple[Measurement, ...] = field(default=(), repr=False)
    unreachable: tuple[str, ...] = ()


async def told_of(session: AsyncSession, patient_id: str) -> list[Told]:
    """Give what each hospital that is asked told of a patient, in the order of their registration."""
    matching = (HospitalHistoryRow.hospital_id == HospitalRow.id) & (HospitalHistoryRow.patient_id == patient_id)
    query = (
        select(HospitalRow.label, HospitalHistoryRow)
        .outerjoin(HospitalHistoryRow, matching)
        .where(HospitalRow.active)
        .order_by(HospitalRow.id)
        .execution_options(populate_existing=True)
    )
    return [_told(name, row) for name, row in (await session.execute(query)).all()]


def _told(name: str, row: HospitalHistoryRow | None) -> Told:
    if row is None:
        return Told(name, Outcome.WAITING)
    history = None if row.content is None else HospitalHistory.from_json(row.content)
    return Told(name, row.outcome, row.fault, row.fetched_at, history, row.due_at, row.asking)


async def hospital_facts(session: AsyncSession, patient_id: str) -> HospitalFacts:
    """Give what the hospitals tell of a patient, for `RecordService.background`. It asks no policy and audits nothing:
    the caller does."""
    told = await told_of(session, patient_id)
    histories = [one.history for one in told if one.history is not None]
    allergies = tuple(_allergy(one) for history in histories for one in history.allergies)
    none_known = [moment for history in histories if (moment := instant(history.no_known_allergies)) is not None]
    return HospitalFacts(
        allergies=allergies,
        no_known_allergies=max(none_known, default=None) if not allergies else None,
        medicines=tuple(
            CurrentMedicine(one.name, medicine_code(one.name), one.dose, Source.HOSPITAL, instant(one.since))
            for history in histories
            for one in history.medicines
        ),
        conditions=tuple(
            Condition(one.icd10, one.name, Source.HOSPITAL, instant(one.recorded))
            for history in histories
            for one in history.conditions
            if one.active
        ),
        measurements=_newest(histories),
        unreachable=tuple(one.hospital for one in told if not one.is_certain),
    )


def _allergy(one: AllergyFact) -> Allergy:
    code, recorded = allergen_code(one.substance), instant(one.recorded)
    return Allergy(one.substance, code, one.reaction, one.severe, Source.HOSPITAL, recorded)


def _newest(histories: list[HospitalHistory]) -> tuple[Measurement, ...]:
    newest: dict[str, tuple[datetime, Measurement]] = {}
    for history in histories:
        for one in history.measurements:
            taken = instant(one.taken)
            if one.code and taken is not None and (one.code not in newest or newest[one.code][0] < taken):
                newest[one.code] = (taken, one)
    return tuple(one for _, one in newest.values())
