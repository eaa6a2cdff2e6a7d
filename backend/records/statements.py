"""Statements: what a person reacts to, takes and has, and what they were asked. Rows are added, never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import require_text
from backend.errors import NotFound
from backend.ids import new_id
from backend.records.background import Allergy, Answered, Condition, CurrentMedicine
from backend.records.desk import RecordDesk, source_of
from backend.records.drug_codes import allergen_code, medicine_code
from backend.records.learned import Learned, NewAllergy, NewCondition, NewMedicine, icd10_code
from backend.records.observations import Provenance
from backend.records.rules import Question
from backend.records.tables import AllergyRow, Answer, ConditionRow, CurrentMedicineRow
from backend.security.policy import Action, Actor

Row = TypeVar("Row", AllergyRow, CurrentMedicineRow, ConditionRow)

_MOST_ROWS = 500
_LONGEST_NAME, _LONGEST_TEXT = 100, 200


@dataclass(frozen=True)
class StatementRows:
    """What is said of a patient, the oldest first, with what has ended since, and the newest answer of a question."""

    allergies: Sequence[AllergyRow]
    medicines: Sequence[CurrentMedicineRow]
    conditions: Sequence[ConditionRow]
    answers: dict[Question, Answered]

    def asked(self, question: Question, rows: Iterable[AllergyRow | CurrentMedicineRow]) -> datetime | None:
        """Give when somebody last said anything to a question: an answer, or one of the things asked for."""
        moments = [row.recorded_at for row in rows]
        if question in self.answers:
            moments.append(self.answers[question].answered_at)
        return max(moments, default=None)


class Statements(RecordDesk):
    """The part of `RecordService` about what is said of a patient."""

    async def add_allergy(
        self,
        actor: Actor,
        patient_id: str,
        substance: str,
        *,
        reaction: str = "",
        severe: bool = False,
        code: str | None = None,
        where: Provenance | None = None,
    ) -> None:
        """Keep that a patient reacts to something; said again, the newer words count.

        Args:
            substance: the Chinese name as it was said. code: of `data.drugs`, where it is known.
            severe: the reaction threatened life.
            where: None for the actor's own word.
        """
        new = NewAllergy(_name(substance, "过敏的东西"), _text(reaction, "过敏反应"), severe, code)
        async with self._database.transaction() as session:
            await self._begin_writing(session, actor, patient_id, "allergies")
            session.add(self._allergy(patient_id, new, where or _own(actor, patient_id)))

    async def refute_allergy(self, actor: Actor, patient_id: str, substance: str) -> None:
        """Keep that a patient does not react to something that stands as their allergy.

        Raises:
            NotFound: none of that name stands.
        """
        await self._end(actor, patient_id, AllergyRow, substance, "allergies")

    async def add_medicine(
        self,
        actor: Actor,
        patient_id: str,
        name: str,
        *,
        dose: str = "",
        since: date | None = None,
        code: str | None = None,
        where: Provenance | None = None,
    ) -> None:
        """Keep that a patient takes something; arguments as in `add_allergy`."""
        new = NewMedicine(_name(name, "药名"), _text(dose, "用法"), code)
        async with self._database.transaction() as session:
            await self._begin_writing(session, actor, patient_id, "medicines")
            session.add(self._medicine(patient_id, new, where or _own(actor, patient_id), since))

    async def end_medicine(self, actor: Actor, patient_id: str, name: str) -> None:
        """Keep that a patient does not take something any more; raises as `refute_allergy`."""
        await self._end(actor, patient_id, CurrentMedicineRow, name, "medicines")

    async def add_condition(
        self, actor: Actor, patient_id: str, name: str, *, icd10: str = "", where: Provenance | None = None
    ) -> None:
        """Keep that a patient has a disease; the code is looked up by the name where none is given."""
        new = NewCondition(_name(name, "疾病名称"), icd10 or icd10_code(name.strip()))
        async with self._database.transaction() as session:
            await self._begin_writing(session, actor, patient_id, "conditions")
            session.add(self._condition(patient_id, new, where or _own(actor, patient_id)))

    async def end_condition(self, actor: Actor, patient_id: str, name: str) -> None:
        """Keep that a patient does not have a disease (any more); raises as `refute_allergy`."""
        await self._end(actor, patient_id, ConditionRow, name, "conditions")

    async def answer(
        self, actor: Actor, patient_id: str, question: Question, yes: bool, *, where: Provenance | None = None
    ) -> None:
        """Keep what a patient answered; "no" to allergies or medicines leaves standing what was said of them before."""
        async with self._database.transaction() as session:
            await self._begin_writing(session, actor, patient_id, question.value)
            session.add(self._answer(patient_id, question, yes, where or _own(actor, patient_id)))

    # inside

    async def _begin_writing(self, session: AsyncSession, actor: Actor, patient_id: str, what: str) -> None:
        await self._allow(session, actor, Action.RECORDS_WRITE, patient_id, what)
        await self._events.publish(session, "background.changed", patient_id=patient_id, what=what)

    async def _end(self, actor: Actor, patient_id: str, table: type[Row], name: str, what: str) -> None:
        async with self._database.transaction() as session:
            await self._begin_writing(session, actor, patient_id, what)
            rows = standing(await self._rows(session, patient_id, table))
            row = next((one for one in rows if _key(one) == _folded(name)), None)
            if row is None:
                raise NotFound("没有找到这一条，可能已经改过了。")
            where = _own(actor, patient_id)
            held = {column.key: getattr(row, column.key) for column in table.__table__.columns}
            session.add(table(**{**held, "id": new_id(), "active": False, **self._from(where)}))

    async def _statements(self, session: AsyncSession, patient_id: str) -> StatementRows:
        answers = select(Answer).where(Answer.patient_id == patient_id).order_by(Answer.answered_at, Answer.id)
        return StatementRows(
            allergies=await self._rows(session, patient_id, AllergyRow),
            medicines=await self._rows(session, patient_id, CurrentMedicineRow),
            conditions=await self._rows(session, patient_id, ConditionRow),
            answers={row.question: Answered(says_yes(row), row.answered_at) for row in await session.scalars(answers)},
        )

    async def _take_over(self, session: AsyncSession, patient_id: str, learned: Learned, where: Provenance) -> None:
        """Keep the statements of a consultation, each once: neither what stands, nor what it has handed over before."""
        new: list[Any] = []
        allergies = [self._allergy(patient_id, one, where) for one in learned.allergies]
        medicines = [self._medicine(patient_id, one, where) for one in learned.medicines]
        conditions = [self._condition(patient_id, one, where) for one in learned.conditions]
        new += _unknown(await self._rows(session, patient_id, AllergyRow), allergies, where)
        new += _unknown(await self._rows(session, patient_id, CurrentMedicineRow), medicines, where)
        new += _unknown(await self._rows(session, patient_id, ConditionRow), conditions, where)
        asked = select(Answer.question).where(
            Answer.patient_id == patient_id, Answer.consultation_id == where.consultation_id
        )
        handed = set(await session.scalars(asked))
        new += [self._answer(patient_id, *one, where) for one in learned.answers if one[0] not in handed]
        session.add_all(new)
        if new:
            await self._events.publish(session, "background.changed", patient_id=patient_id, what="consultation")

    async def _rows(self, session: AsyncSession, patient_id: str, table: type[Row]) -> Sequence[Row]:
        query = select(table).where(table.patient_id == patient_id)
        newest = query.order_by(table.recorded_at.desc(), table.id.desc()).limit(_MOST_ROWS)
        return list(reversed((await session.scalars(newest)).all()))

    def _from(self, where: Provenance) -> dict[str, Any]:
        return {
            "source": where.source,
            "recorded_by": where.recorded_by,
            "consultation_id": where.consultation_id,
            "recorded_at": self._clock.now(),
        }

    def _allergy(self, patient_id: str, new: NewAllergy, where: Provenance) -> AllergyRow:
        return AllergyRow(
            id=new_id(),
            patient_id=patient_id,
            active=True,
            substance=new.substance,
            code=new.code,
            reaction=new.reaction,
            severe=new.severe,
            **self._from(where),
        )

    def _medicine(
        self, patient_id: str, new: NewMedicine, where: Provenance, since: date | None = None
    ) -> CurrentMedicineRow:
        return CurrentMedicineRow(
            id=new_id(),
            patient_id=patient_id,
            active=True,
            name=new.name,
            code=new.code,
            dose=new.dose,
            since=since,
            **self._from(where),
        )

    def _condition(self, patient_id: str, new: NewCondition, where: Provenance) -> ConditionRow:
        return ConditionRow(
            id=new_id(), patient_id=patient_id, active=True, icd10=new.icd10, name=new.name, **self._from(where)
        )

    def _answer(self, patient_id: str, question: Question, yes: bool, where: Provenance) -> Answer:
        said = self._from(where)
        said["answered_at"] = said.pop("recorded_at")
        return Answer(id=new_id(), patient_id=patient_id, question=question, yes=_YES if yes else _NO, **said)


_YES, _NO = "yes", "no"


def says_yes(row: Answer) -> bool:
    """Tell whether the answer is yes."""
    return row.yes == _YES


def allergy_of(row: AllergyRow) -> Allergy:
    """Show an allergy; a name that had no code when it was said may have one by now."""
    code = row.code or allergen_code(row.substance)
    return Allergy(row.substance, code, row.reaction, row.severe, row.source, row.recorded_at)


def medicine_of(row: CurrentMedicineRow) -> CurrentMedicine:
    """Show a medicine that is taken; its code as in `allergy_of`."""
    return CurrentMedicine(row.name, row.code or medicine_code(row.name), row.dose, row.source, row.recorded_at)


def condition_of(row: ConditionRow) -> Condition:
    """Show a disease."""
    return Condition(row.icd10, row.name, row.source, row.recorded_at)


def standing(rows: Sequence[Row]) -> list[Row]:
    """Give the newest row of each name, where it is active."""
    newest = {_key(row): row for row in rows}
    return [row for row in newest.values() if row.active]


def _unknown(rows: Sequence[Row], given: Iterable[Row], where: Provenance) -> list[Row]:
    """Give those of `given` that neither stand in `rows` nor were handed over by the same consultation before."""
    known = {_key(row) for row in (*standing(rows), *(row for row in rows if _same_case(row, where)))}
    new = {_key(row): row for row in given}
    return [row for key, row in new.items() if key not in known]


def _same_case(row: AllergyRow | CurrentMedicineRow | ConditionRow, where: Provenance) -> bool:
    return row.consultation_id == where.consultation_id


def _key(row: AllergyRow | CurrentMedicineRow | ConditionRow) -> str:
    return _folded(row.substance if isinstance(row, AllergyRow) else row.name)


def _folded(name: str) -> str:
    return "".join(name.split()).lower()


def _own(actor: Actor, patient_id: str) -> Provenance:
    return Provenance(source_of(actor, patient_id), actor.practitioner_id or actor.person_id)


def _name(text: str, what: str) -> str:
    return require_text(text, what, longest=_LONGEST_NAME)


def _text(text: str, what: str) -> str:
    return require_text(text, what, longest=_LONGEST_TEXT, required=False)
