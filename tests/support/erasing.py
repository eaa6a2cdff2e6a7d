"""A person with everything that the platform can hold of one, for tests of its destruction."""

from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, Table, func, insert, select, type_coerce

from backend.clock import Clock
from backend.db import Base, Database, EncryptedText, install_key_ring, key_ring
from backend.dispensing.reminders_rules import PlanLine
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Draft, Touch
from backend.messaging.service import MessagingService, Opened
from backend.migrations import import_tables
from backend.photographs import clean
from backend.records import NewObservation
from backend.records.monitoring.readings import Kind
from backend.rights.holdings import Class, rows_of, tables_of
from backend.security.keyring import open_key_file
from backend.security.policy import Actor
from tests.support import cases
from tests.support.house import House, build_house
from tests.support.pictures import jpeg

CHANNEL, ADDRESS = "wechat", "o-wang-xiuying"
PHONE, NUMBER = "13800138000", "110101195803122440"


@dataclass
class Life:
    """A house and somebody who lives on it."""

    house: House
    person_id: str

    async def actor(self) -> Actor:
        return await self.house.actor(self.person_id)

    async def rows(self, kind: Class) -> dict[str, int]:
        """Give how many rows of a class there are, by table; tables without any are left out."""
        found = {}
        async with self.house.database.reading() as session:
            for table, of_class in tables_of(kind):
                query = select(func.count()).select_from(table).where(rows_of(table.name, self.person_id), of_class)
                found[table.name] = await session.scalar(query) or 0
        return {name: count for name, count in found.items() if count}

    async def after(self, days: float) -> None:
        """Let days pass and what is due happen."""
        self.house.clock.advance(timedelta(days=days))
        await self.house.settle()


async def write(house: House, words: str, address: str = ADDRESS) -> Opened:
    """Let somebody write a message that is answered, and give what the turn was opened with."""
    messaging = MessagingService(house.database, house.clock, house.services.people)
    async with house.database.transaction() as session:
        key = f"{address}{house.clock.now().timestamp()}"
        opened = await messaging.open(session, CHANNEL, address, key, Touch.MESSAGE)
        assert isinstance(opened, Opened)
        await messaging.finish(session, opened, key, {"flow": "intake", "data": {"said": words}}, {"said": words})
        waiting = [Draft({"type": "text", "text": f"您说{words}"})]
        await OutboxService(house.database, house.clock).put(session, opened.contact.person_id, waiting)
    return opened


async def lead(database: Database, clock: Clock, folder: Path, *, treated: bool = True) -> Life:
    """Let somebody write, tell who they are, send pictures, measure, take medicines, and be treated if `treated`."""
    import_tables()
    install_key_ring(open_key_file(folder / "keys.json"))
    house = await build_house(database, clock, folder / "files")
    services = house.services
    person_id = (await write(house, "我咳嗽三天了")).contact.person_id
    life = Life(house, person_id)
    me = await life.actor()
    await services.people.update_person(
        me, person_id, name="王秀英", sex="female", id_number=NUMBER, phone=PHONE, region="青山县"
    )
    await services.people.give_consent(me, services.people.consent_document().version)
    await services.files.put_picture(clean(jpeg(), "image/jpeg"), person_id, own_of=person_id)
    if treated:
        await treat(life)
    await services.records.record(me, person_id, [NewObservation("heart_rate", 72, taken_at=clock.now())])
    if treated:
        lines = [PlanLine("氨氯地平片", (time(8),), 3, "饭后吃1片")]
        await services.reminders.plan(me, person_id, lines, clock.today().date())
        await services.monitoring.begin_pairing(me, person_id, Kind.BLOOD_PRESSURE)
    await write(house, "吃了药好多了")
    return life


async def treat(life: Life) -> str:
    """Open a case with a picture and bring it to its end."""
    house, services = life.house, life.house.services
    case_id = await cases.open_case(house, life.person_id)
    picture = await services.files.put_picture(clean(jpeg(), "image/jpeg"), life.person_id, own_of=life.person_id)
    await services.consultations.attach(await life.actor(), case_id, picture)
    await cases.assign(house, case_id)
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    return case_id


async def encrypted_values(database: Database) -> list[tuple[str, bytes]]:
    """Give every encrypted value of the database as it lies there, with its column: what a backup holds."""
    found: list[tuple[str, bytes]] = []
    async with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, EncryptedText):
                    query: Any = select(type_coerce(column, LargeBinary)).where(column.is_not(None))
                    found += [(column.type.column, value) for value in await session.scalars(query)]
    return found


def legible(values: list[tuple[str, bytes]]) -> str:
    """Give everything of these values that the keys of today still open."""
    read = []
    for column, value in values:
        try:
            read.append(key_ring().decrypt(value, column).decode("utf-8", "replace"))
        except Exception:  # noqa: S112  # whatever does not open is not legible
            continue
    return "\n".join(read)


async def copied(database: Database, tables: list[Table]) -> dict[str, list[dict[str, Any]]]:
    """Give the rows of tables, what is encrypted as it lies there."""
    rows: dict[str, list[dict[str, Any]]] = {}
    async with database.reading() as session:
        for table in tables:
            columns = [
                type_coerce(one, LargeBinary).label(one.name) if isinstance(one.type, EncryptedText) else one
                for one in table.columns
            ]
            rows[table.name] = [dict(row) for row in (await session.execute(select(*columns))).mappings()]
    return rows


async def put_back(database: Database, tables: list[Table], rows: dict[str, list[dict[str, Any]]]) -> None:
    """Insert rows that `copied` gave, as restoring a backup does."""
    async with database.transaction() as session:
        for table in tables:
            for row in rows[table.name]:
                held = {
                    name: type_coerce(value, LargeBinary) if isinstance(table.c[name].type, EncryptedText) else value
                    for name, value in row.items()
                }
                await session.execute(insert(table).values(held))
