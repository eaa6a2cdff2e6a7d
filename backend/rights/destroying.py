"""How rows and files of a person are destroyed, class by class.

Images without a row are swept by the imaging room within a day; their keys were in the rows.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.append_only import only_grows
from backend.db import Base, Owned
from backend.files import FileStore
from backend.migrations import import_tables
from backend.rights.holdings import HOLDINGS, Class, rows_of, tables_of
from backend.teaching_cases.rules import CaseState

_BATCH = 200
_WITH_FILES = (
    "consultation_attachments",
    "consultation_messages",
    "imaging_key_images",
    "recording_segments",
    "laboratory_slips",
)
"""Tables whose `file_id` says what a file belongs to."""


class Destroying:
    """Destroys, in the transactions of its caller."""

    def __init__(self, files: FileStore) -> None:
        import_tables()  # what is not known here would be left
        self._files = files

    async def rows(self, session: AsyncSession, person_id: str, kind: Class) -> None:
        """Remove a person's rows of a class, with the files and images that belong to nothing else then."""
        if kind is Class.OWN:
            await self._forget_waiting(session, person_id)
        held = await self._files_of_cases(session, person_id) if kind is Class.RECORD else set()
        for table, of_class in tables_of(kind):
            of_person = rows_of(table.name, person_id)
            if only_grows(table):
                await session.execute(update(table).where(of_person, of_class).values(document={}, pdf=b""))
            else:
                await session.execute(delete(table).where(of_person, of_class))
        if kind in (Class.OWN, Class.RECORD):
            await self._remove_files(session, person_id, held)

    async def tidy(self, session: AsyncSession, person_id: str, asked_by: str, *, keeps_record: bool) -> None:
        """Empty what is the person's own in rows that stay, and in the conversation of who spoke for them."""
        people, orders = _table("people"), _table("medicine_orders")
        contact: dict[str, Any] = {"phone": None, "phone_index": None, "address": None, "region": ""}
        await session.execute(update(people).where(people.c.id == person_id).values(contact))
        if not keeps_record:
            await self.forget_identity(session, person_id)
        await self._empty_teaching(session, person_id)
        nowhere = {"address": Owned(None, ""), "phone": Owned(None, "")}
        await session.execute(update(orders).where(orders.c.patient_id == person_id).values(nowhere))
        if asked_by not in ("", person_id):
            await self._forget_draft(session, person_id, asked_by)

    async def _empty_teaching(self, session: AsyncSession, person_id: str) -> None:
        """Take what was written of the person for teaching out of the library; the points that doctors have stay."""
        cases, questions = _table("teaching_cases"), _table("teaching_questions")
        nothing: dict[str, Any] = {"content": {}, "removed": [], "proposed_reason": "", "decision_reason": ""}
        nothing |= {"state": CaseState.DECLINED, "published_at": None, "length": 0}
        await session.execute(update(cases).where(rows_of(cases.name, person_id)).values(nothing))
        unasked = {"stem": "", "options": [], "explanation": "", "source": "", "active": False}
        await session.execute(update(questions).where(rows_of(questions.name, person_id)).values(unasked))

    async def forget_identity(self, session: AsyncSession, person_id: str) -> None:
        """Leave nothing of who somebody was but their identifier."""
        people = _table("people")
        nobody: dict[str, Any] = {"name": Owned(None, ""), "sex": "unknown", "birth_date": None}
        nobody |= {"id_number": None, "id_number_index": None}
        await session.execute(update(people).where(people.c.id == person_id).values(nobody))

    async def came_back(self, session: AsyncSession, person_ids: Sequence[str]) -> list[str]:
        """Give those of these persons of whom rows that are their own are there."""
        found: set[str] = set()
        for table, of_class in tables_of(Class.OWN):
            column = table.c[HOLDINGS[table.name].by]
            for start in range(0, len(person_ids), _BATCH):
                among = column.in_(person_ids[start : start + _BATCH])
                found.update(await session.scalars(select(column).where(among, of_class).distinct()))
        return sorted(found)

    async def _forget_draft(self, session: AsyncSession, person_id: str, speaker_id: str) -> None:
        conversations = _table("conversations")
        mine = conversations.c.person_id == speaker_id
        state = await session.scalar(select(conversations.c.state).where(mine).with_for_update())
        if state is not None and person_id in json.dumps(state):
            await session.execute(
                update(conversations).where(mine).values(state=None, version=conversations.c.version + 1)
            )

    async def _forget_waiting(self, session: AsyncSession, person_id: str) -> None:
        """Remove messages whose turn is yet to come; they are found by the address."""
        contacts, deferred = _table("contacts"), _table("deferred_messages")
        lanes = select(contacts.c.address_index).where(contacts.c.person_id == person_id)
        await session.execute(delete(deferred).where(deferred.c.lane.in_(lanes)))

    async def _files_of_cases(self, session: AsyncSession, person_id: str) -> set[str]:
        """Give the files that belong to the person's consultations, whoever sent them."""
        found: set[str] = set()
        for name in _WITH_FILES:
            table = _table(name)
            found.update(await session.scalars(select(table.c.file_id).where(rows_of(name, person_id))))
        supplements = _table("consultation_supplements")
        query = select(supplements.c.file_ids).where(rows_of(supplements.name, person_id))
        found.update(one for ids in await session.scalars(query) for one in ids or ())
        return found - {None}  # a message has none

    async def _remove_files(self, session: AsyncSession, person_id: str, held: Iterable[str]) -> None:
        """Remove what the person sent or what is theirs, and `held`, but for what still belongs to somebody's case."""
        files = _table("files")
        mine = set(await session.scalars(select(files.c.id).where(_of_person(files, person_id))))
        wanted = sorted(mine | set(held))
        kept = await self._files_of_cases(session, person_id)
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            for name in _WITH_FILES:
                table = _table(name)
                kept.update(await session.scalars(select(table.c.file_id).where(table.c.file_id.in_(batch))))
        await self._files.into_record(session, kept & mine)
        await self._files.remove(session, [one for one in wanted if one not in kept])


def _of_person(files: Table, person_id: str) -> ColumnElement[bool]:
    return or_(files.c.owner_id == person_id, files.c.own_of == person_id)


def _table(name: str) -> Table:
    return Base.metadata.tables[name]
