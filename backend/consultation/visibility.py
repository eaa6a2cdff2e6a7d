"""Which consultations somebody may read, as a query: the table of the policy, asked about all of them at once."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, false, or_, select, true, union
from sqlalchemy.orm import InstrumentedAttribute

from backend.consultation.tables import Consultation
from backend.errors import Forbidden
from backend.security.policy import Action, Actor, Relation, granted


def case_ids(actor: Actor, action: Action, patients: Collection[str] = ()) -> Select[str] | CompoundSelect[str] | None:
    """Give the query of the identifiers of the consultations to which the actor may do `action`; None for all.

    Args:
        patients: only those of these patients; of everybody where empty.

    Raises:
        Forbidden: of none, whosoever they are.
    """
    return _of_cases(Consultation.id, actor, action, patients)


def cared_for(column: Any, actor: Actor, action: Action, patients: Collection[str] = ()) -> ColumnElement[bool]:
    """Give the condition that `column` names a patient about whom the actor may do `action`: the actor, somebody for
    whom they speak, or somebody in whose care they have a part.

    Args:
        patients: it can be none but these, which makes it cheap; anybody where empty.

    Raises:
        Forbidden: about nobody, whosoever they are.
    """
    relations = granted(actor, action)
    if Relation.ANY in relations:
        return true()
    own: ColumnElement[bool] = column.in_(actor.own) if Relation.OWN in relations else false()
    return or_(own, column.in_(_of_cases(Consultation.patient_id, actor, action, patients)))


def _of_cases(
    column: InstrumentedAttribute[str], actor: Actor, action: Action, patients: Collection[str]
) -> Select[str] | CompoundSelect[str] | None:
    ways = case_ways(actor, action)
    if patients:
        return select(column).where(Consultation.patient_id.in_(patients), or_(*ways))
    if Relation.ANY in granted(actor, action):
        return None
    # A query for each way reads the index of that way; one with all of them at once would read the whole table.
    return union(*(select(column).where(way) for way in ways))


def case_ways(actor: Actor, action: Action) -> list[ColumnElement[bool]]:
    """Give the relations in which the actor may do `action`, as conditions of which one has to hold; each has an index.

    Raises:
        Forbidden: there is none.
    """
    relations = granted(actor, action)
    if Relation.ANY in relations:
        return [true()]
    columns: dict[Relation, list[tuple[Any, str | None]]] = {
        Relation.OWN: [(Consultation.patient_id, one) for one in sorted(actor.own)],
        Relation.PARTICIPANT: [
            (Consultation.doctor_id, actor.practitioner_id),
            (Consultation.expert_id, actor.practitioner_id),
        ],
        Relation.INSTITUTION: [(Consultation.institution_id, actor.institution_id)],
        Relation.ANSWERING: [(Consultation.expert_institution_id, actor.institution_id)],
    }
    ways = [column == value for relation in relations for column, value in columns[relation] if value]
    if not ways:
        raise Forbidden(action=action.value)
    return ways
