"""What records hand out over FHIR: sources of `Observation`, `AllergyIntolerance`, `MedicationStatement`, `Condition`.

What is said of a patient stands under names that are encrypted, and the newest of a name counts: so all that is said of
a patient is read, and what does not stand is left out before it is searched.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.consultation.visibility import cared_for
from backend.db import Database
from backend.errors import InvalidInput, NotFound
from backend.fhir.elements import Resource
from backend.fhir.rows import (
    Filter,
    Made,
    RowSource,
    by_id,
    by_identifier,
    by_moment,
    by_reference,
    has_code,
    lies_in,
    of_patient,
    page_of,
)
from backend.fhir.searching import (
    Found,
    FoundPage,
    ParameterType,
    Position,
    ResourceSource,
    Search,
    SearchParameter,
    Token,
)
from backend.fhir.systems import LOINC
from backend.records.drug_codes import allergen_code, atc_code, medicine_code
from backend.records.fhir import (
    LABORATORY,
    VITAL_SIGNS,
    allergy,
    known_condition,
    medication,
    no_allergies,
    no_medicines,
    observation,
)
from backend.records.observations import view_of
from backend.records.rules import Question
from backend.records.statements import says_yes, standing
from backend.records.tables import AllergyRow, Answer, ConditionRow, CurrentMedicineRow, Observation
from backend.security.policy import Action, Actor
from data.observations import Group, observation_kinds

_MOST_ROWS = 500


def _by_loinc() -> Filter:
    def condition(token: Token) -> Any:
        kinds = [kind.key for kind in observation_kinds().values() if kind.loinc == token.code]
        return Observation.kind.in_(kinds if token.is_of(LOINC) else [])

    return Filter(SearchParameter("code", ParameterType.TOKEN, "LOINC"), condition)


def _by_category() -> Filter:
    parameter = SearchParameter("category", ParameterType.TOKEN, "vital-signs or laboratory")

    def condition(token: Token) -> Any:
        def fits(group: Group) -> bool:
            code = VITAL_SIGNS if group is Group.VITAL else LABORATORY
            return token.code == code["code"] and token.is_of(code["system"])

        return Observation.kind.in_([kind.key for kind in observation_kinds().values() if fits(kind.group)])

    return Filter(parameter, condition)


def _by_status() -> Filter:
    parameter = SearchParameter("status", ParameterType.TOKEN, "final, or corrected where it replaces another")
    conditions = {"final": Observation.replaces_id.is_(None), "corrected": Observation.replaces_id.is_not(None)}
    return Filter(parameter, lambda token: conditions.get(token.code, Observation.id.is_(None)))


class ObservationSource(RowSource):
    """Measurements, without those that were replaced or taken back."""

    type = "Observation"
    action = Action.RECORDS_READ
    order_columns = {"date": Observation.taken_at, "_lastUpdated": Observation.recorded_at, "_id": Observation.id}
    filters = {
        "_id": by_id(Observation.id),
        "_lastUpdated": by_moment("_lastUpdated", Observation.recorded_at, "When it was written down"),
        **of_patient(Observation.patient_id),
        "identifier": by_identifier(Observation.id, {}),
        "encounter": by_reference("encounter", "Encounter", Observation.consultation_id, "In which consultation"),
        "date": by_moment("date", Observation.taken_at, "When it was measured"),
        "code": _by_loinc(),
        "category": _by_category(),
        "status": _by_status(),
    }

    def query(self) -> Any:
        newer = aliased(Observation)
        is_replaced = select(newer.id).where(newer.replaces_id == Observation.id).exists()
        return select(Observation).where(Observation.value.is_not(None), ~is_replaced)

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        return [cared_for(Observation.patient_id, actor, self.action, search.patients)]

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        return [(observation(view_of(row)), row.patient_id) for (row,) in rows]


@dataclass(frozen=True)
class _Kind:
    """A kind of statement: its table, how a row becomes a resource, and what "asked, none" is."""

    type: str
    table: Any
    make: Callable[[Any], Resource]
    question: Question | None = None
    none: Callable[[Any], Resource] | None = None


def _allergy(row: AllergyRow) -> Resource:
    return allergy(row, atc_code(row.code or allergen_code(row.substance)))


def _medicine(row: CurrentMedicineRow) -> Resource:
    return medication(row, atc_code(row.code or medicine_code(row.name)))


_KINDS = (
    _Kind("AllergyIntolerance", AllergyRow, _allergy, Question.ALLERGIES, no_allergies),
    _Kind("MedicationStatement", CurrentMedicineRow, _medicine, Question.MEDICINES, no_medicines),
    _Kind("Condition", ConditionRow, known_condition),
)
_CONCEPTS = ("code", "medicationCodeableConcept")


def _of_concept(resource: Resource, token: Token) -> bool:
    return any(has_code(resource[name], token) for name in _CONCEPTS if name in resource)


def _has_identifier(resource: Resource, token: Token) -> bool:
    return any(token.is_of(one["system"]) and one["value"] == token.code for one in resource["identifier"])


def _is_of_encounter(resource: Resource, identifier: str) -> bool:
    said = resource.get("encounter") or resource.get("context") or {}
    return bool(said.get("reference") == f"Encounter/{identifier}")


class StatementSource:
    """What is said of a patient, as far as it stands. A search names its patient."""

    action = Action.RECORDS_READ
    orders: tuple[str, ...] = ("_lastUpdated", "_id")

    def __init__(self, database: Database, kind: _Kind) -> None:
        self._database = database
        self._kind = kind
        self.type = kind.type
        changed = SearchParameter("_lastUpdated", ParameterType.DATE, "When it was said")
        code = SearchParameter("code", ParameterType.TOKEN, "ICD-10 or ATC")
        encounter = SearchParameter("encounter", ParameterType.REFERENCE, "In which consultation", target="Encounter")
        identifier = SearchParameter("identifier", ParameterType.TOKEN, "urn:uuid")
        self._filters = {
            "_id": Filter(by_id(kind.table.id).parameter, test=lambda resource, token: resource["id"] == token.code),
            **{name: Filter(one.parameter) for name, one in of_patient(kind.table.patient_id).items()},
            "_lastUpdated": Filter(changed, test=lambda resource, at: lies_in(resource["meta"]["lastUpdated"], at)),
            "identifier": Filter(identifier, test=_has_identifier),
            "encounter": Filter(encounter, test=_is_of_encounter),
            "code": Filter(code, test=_of_concept),
        }
        self.parameters: Mapping[str, SearchParameter] = {name: one.parameter for name, one in self._filters.items()}

    async def read(self, actor: Actor, resource_id: str) -> Found:
        """See `ResourceSource`."""
        async with self._database.reading() as session:
            patient_id = await self._whose(session, resource_id)
        every = await self._standing(actor, [patient_id] if patient_id else [], "_id")
        found = next((one for one in every if one.resource["id"] == resource_id), None)
        if found is None:
            raise NotFound
        return found

    async def search(self, actor: Actor, search: Search) -> FoundPage:
        """See `ResourceSource`."""
        patients = set(search.patients)
        if not patients:
            ids = [value.code for value in search.values("_id") if isinstance(value, Token)]
            async with self._database.reading() as session:
                patients = {one for id_ in ids if (one := await self._whose(session, id_))}
            if not ids:
                raise InvalidInput("要写明是哪位患者（patient）。", field="patient")
        every = await self._standing(actor, patients, search.order)
        every.sort(key=lambda one: (one.position.key, one.position.id), reverse=search.descending)
        return page_of(every, search, self._filters)

    async def _whose(self, session: AsyncSession, resource_id: str) -> str | None:
        """Give the patient of a statement or of an answer."""
        for table in (self._kind.table, Answer):
            patient_id: str | None = await session.scalar(select(table.patient_id).where(table.id == resource_id))
            if patient_id is not None:
                return patient_id
        return None

    async def _standing(self, actor: Actor, patients: Collection[str], order: str) -> list[Found]:
        """Give what stands of these patients, as far as the actor may read it."""
        table = self._kind.table
        found: list[Found] = []
        async with self._database.reading() as session:
            for patient_id in sorted(patients):
                query = select(table).where(
                    table.patient_id == patient_id, cared_for(table.patient_id, actor, self.action, [patient_id])
                )
                newest = query.order_by(table.recorded_at.desc(), table.id.desc()).limit(_MOST_ROWS)
                rows = standing(list(reversed((await session.scalars(newest)).all())))
                made = [(row, row.recorded_at, self._kind.make(row)) for row in rows]
                if not made:
                    made = [(row, row.answered_at, none) for row, none in await self._none(session, actor, patient_id)]
                found += [
                    Found(resource, Position(row.id if order == "_id" else at, row.id), patient_id)
                    for row, at, resource in made
                ]
        return found

    async def _none(self, session: AsyncSession, actor: Actor, patient_id: str) -> Iterable[tuple[Answer, Resource]]:
        """Give that a patient was asked and there is none; nothing where nobody asked, or they said that there is."""
        if self._kind.none is None:
            return ()
        query = select(Answer).where(
            Answer.patient_id == patient_id,
            Answer.question == self._kind.question,
            cared_for(Answer.patient_id, actor, self.action, [patient_id]),
        )
        row = await session.scalar(query.order_by(Answer.answered_at.desc(), Answer.id.desc()).limit(1))
        return () if row is None or says_yes(row) else ((row, self._kind.none(row)),)


def record_sources(database: Database) -> list[ResourceSource]:
    """Give the sources of this subject."""
    return [ObservationSource(database), *(StatementSource(database, kind) for kind in _KINDS)]
