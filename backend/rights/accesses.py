"""Who saw a person's data, when and what for: the audit log as the person themselves may read it.

《个人信息保护法》 articles 44 and 45: everybody may know how what is theirs is handled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from backend.clock import LOCAL_ZONE
from backend.consultation import ConsultationService
from backend.people import PeopleService, PractitionerView
from backend.rights.words import deed, kind_and_reason, of_which
from backend.security.audit import AuditLog, AuditRecord
from backend.security.policy import Actor

_READ_AT_ONCE = 200


@dataclass(frozen=True)
class Access:
    """What one person did on one day.

    Args:
        day: in China. name: of a practitioner, "" of anybody else. place: where they work, "" where that says nothing.
        kind: what they are. deeds: what they did, each once. why: what for, by what they are, and in which
            consultations.
    """

    day: date
    name: str
    place: str
    kind: str
    deeds: tuple[str, ...]
    why: str


class AccessHistory:
    """Reads the audit log for whom it is about."""

    def __init__(self, audit: AuditLog, people: PeopleService, consultations: ConsultationService) -> None:
        self._audit = audit
        self._people = people
        self._consultations = consultations

    async def of(self, actor: Actor, patient_id: str, before: int | None = None) -> tuple[list[Access], int | None]:
        """Give who did something with a person's data, the latest first, and where the next page begins (None: that
        was all). What the person did themselves and what the platform does by itself are left out; so a page may be
        empty. To look is audited too.

        Raises:
            Forbidden: it is not the actor's own.
        """
        records = await self._audit.accesses(actor, patient_id, limit=_READ_AT_ONCE, before=before)
        by_day: dict[tuple[date, str], list[AuditRecord]] = {}
        for record in records:
            day = record.at.astimezone(LOCAL_ZONE).date()
            by_day.setdefault((day, record.actor_id), []).append(record)
        staff = await self._people.practitioners_by_person({record.actor_id for record in records})
        cases = await self._consultations.opened({one for one in map(_consultation, records) if one})
        told = [_told(day, staff.get(actor_id), done, cases) for (day, actor_id), done in by_day.items()]
        return told, records[-1].id if len(records) == _READ_AT_ONCE else None


def _consultation(record: AuditRecord) -> str:
    kind, _, consultation_id = record.subject.partition(":")
    return consultation_id if kind == "consultation" else ""


def _told(
    day: date, practitioner: PractitionerView | None, done: list[AuditRecord], cases: Mapping[str, tuple[str, datetime]]
) -> Access:
    kind, why = kind_and_reason(done[0].actor_roles)
    of = [cases[one] for one in dict.fromkeys(map(_consultation, done)) if one in cases]
    return Access(
        day,
        practitioner.name if practitioner else "",
        practitioner.institution_name if practitioner else "",
        kind,
        tuple(dict.fromkeys(deed(record.action) for record in done)),
        of_which(why, of),
    )
