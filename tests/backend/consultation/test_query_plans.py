"""What is asked at every turn reads an index, so that it costs the same however many consultations are stored."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import Status
from backend.consultation.reading import list_queries
from backend.security.policy import Role
from tests.support.clinic import Clinic

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def _plan(session: AsyncSession, statement: str, parameters: object) -> list[str]:
    connection = await session.connection()
    rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
    return [str(tuple(row)[-1]) for row in rows]


async def test_no_statement_of_a_whole_consultation_reads_a_whole_table(clinic: Clinic) -> None:
    seen: dict[str, object] = {}

    def remember(_c: object, _cursor: object, statement: str, parameters: object, _context: object, many: bool) -> None:
        if not many and re.match(r"SELECT|UPDATE|DELETE", statement):
            seen[statement] = parameters

    event.listen(clinic.database.engine.sync_engine, "before_cursor_execute", remember)
    patient, doctor, expert = await clinic.patient(), await clinic.doctor(), await clinic.expert()
    care = clinic.care
    case = await clinic.draft(patient)
    await care.acknowledge_task(doctor, case.id)
    await care.submit(doctor, case.id, icd10="J18.9")
    await care.offers_for(expert)
    await clinic.accept(expert, case.id)
    [slot] = await care.bookable_slots(patient, case.id, 1)
    await care.book(patient, case.id, slot.id)
    await care.request_supplement(expert, case.id, "血常规")
    await care.waiting_for_supplement(doctor)
    await care.answer_supplement(doctor, case.id, "正常")
    await care.start(expert, case.id)
    await care.post(patient, case.id, kind="image", file_id=await clinic.picture(patient))
    await care.messages(expert, case.id)
    await care.focus(expert)
    await care.timeline(patient, case.id)
    await care.get(doctor, case.id)
    await care.list_for(doctor)
    other = await clinic.draft(patient)
    await clinic.pass_time(timedelta(days=1))
    await care.cancel(patient, other.id, "好了")
    event.remove(clinic.database.engine.sync_engine, "before_cursor_execute", remember)

    assert len(seen) > 40
    async with clinic.database.reading() as session:
        for statement, parameters in seen.items():
            whole = [step for step in await _plan(session, statement, parameters) if _grows(step)]
            assert not whole, f"{whole}: {statement}"


@pytest.mark.parametrize("status", [None, Status.IN_PROGRESS])
@pytest.mark.parametrize("role", [Role.PATIENT, Role.GRASSROOTS_DOCTOR, Role.EXPERT, Role.ADMINISTRATOR])
async def test_lists_come_out_of_an_index_in_order(clinic: Clinic, role: Role, status: Status | None) -> None:
    actors = {
        Role.PATIENT: clinic.patient,
        Role.GRASSROOTS_DOCTOR: clinic.doctor,
        Role.EXPERT: clinic.expert,
        Role.ADMINISTRATOR: clinic.administrator,
    }
    actor = await actors[role]()
    [query] = list_queries(actor, status, role)
    compiled = query.limit(10).compile(clinic.database.engine, compile_kwargs={"render_postcompile": True})
    positions = compiled.positiontup or []
    async with clinic.database.reading() as session:
        plan = await _plan(session, str(compiled), tuple(compiled.params[name] for name in positions))
    assert "USING INDEX ix_consultations_" in plan[0]
    assert not [step for step in plan if "TEMP B-TREE" in step]


def _grows(step: str) -> bool:
    """Tell whether a step of a plan reads all rows of a table that grows with consultations."""
    table = re.match(r"SCAN (\w+)", step)
    return table is not None and table[1] not in ("CONSTANT", "practitioners", "weekly_hours")
