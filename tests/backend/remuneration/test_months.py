"""Months of pay: closed once, posted to the ledger, corrected later and never changed."""

import asyncio
import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.errors import Forbidden, InvalidInput
from backend.ledger import LedgerService
from backend.remuneration import EntryKind, Payee, RemunerationService, StatementView
from backend.remuneration.export import as_csv
from backend.remuneration.rules import end_of, month_of, next_month
from backend.security.policy import SYSTEM, Role
from tests.support.cases import assign, begin, complete, open_case, staff
from tests.support.charges import KnownCharges
from tests.support.house import House

SHARE, CENTRE_SHARE, SUBSIDY = 11_000, 2_000, 2_000
"""In fen; what is owed to somebody is below zero in the ledger.

Of a routine consultation over at once, the invitation accepted at once (base 50 % and 5 %), unrated."""


async def consulted(house: House) -> str:
    person, people = await house.new_person(), house.services.people
    await people.give_consent(await house.actor(person), people.consent_document().version)
    case_id = await open_case(house, person)
    await assign(house, case_id)
    await begin(house, case_id)
    await complete(house, case_id)
    return case_id


async def paid(house: House, charges: KnownCharges) -> str:
    return await charges.settled(await consulted(house))


async def to_the_end_of(house: House, month: str) -> None:
    """Let the month's last hour and the first hours of the next pass."""
    house.clock.advance(end_of(month) + timedelta(hours=4) - house.clock.now())
    await house.settle()


def expert_id(house: House) -> str:
    return house.practitioners["钟专家"]


async def statement(house: House, pay: RemunerationService, month: str) -> StatementView:
    return await pay.statement(await staff(house, "钟专家"), expert_id(house), month)


async def test_a_running_month_shows_what_is_known_and_a_closed_one_pays_it(
    house: House, charges: KnownCharges, pay: RemunerationService, ledger: LedgerService
) -> None:
    month = month_of(house.clock.now())
    charge = await paid(house, charges)
    running = await statement(house, pay, month)
    assert (running.closed_at, running.payable) == (None, Decimal("110.00"))
    assert await ledger.balance(f"expert:{expert_id(house)}") == 0

    await to_the_end_of(house, month)
    closed = await statement(house, pay, month)
    assert closed.closed_at is not None
    assert replace(closed, closed_at=None) == running
    [entry] = closed.entries
    assert entry.lines[1:3] == ("诊费200元。", "基本劳务：50%。")
    assert entry.lines[-1] == "劳务费110元。"
    centre = house.institutions["青山镇卫生院"]
    assert await ledger.balances() == {
        f"expert:{expert_id(house)}": -SHARE,
        f"institution:{centre}": -CENTRE_SHARE - SUBSIDY,
        f"institution:{house.institutions['省人民医院']}": SHARE + CENTRE_SHARE,
        "treasury": SUBSIDY,
    }
    assert {one.key for one in await ledger.of(f"charge:{charge}")} == {f"remuneration:{charge}", f"subsidy:{charge}"}


async def test_the_patients_stars_count_until_the_month_is_closed(
    house: House, charges: KnownCharges, pay: RemunerationService
) -> None:
    month = month_of(house.clock.now())
    case_id = await consulted(house)
    await charges.settled(case_id)
    view = await house.services.consultations.get(SYSTEM, case_id)
    await house.services.consultations.rate(await house.actor(view.patient_id), case_id, 5, "")
    assert (await statement(house, pay, month)).payable == Decimal("120.00")
    await to_the_end_of(house, month)
    [entry] = (await statement(house, pay, month)).entries
    assert "患者评了5颗星：5%。" in entry.lines


async def test_what_is_given_back_before_the_month_is_closed_pays_nothing_and_says_so(
    house: House, charges: KnownCharges, pay: RemunerationService, ledger: LedgerService
) -> None:
    month = month_of(house.clock.now())
    await charges.reversed(await paid(house, charges))
    await to_the_end_of(house, month)
    [entry] = (await statement(house, pay, month)).entries
    assert (entry.amount, entry.lines[0]) == (Decimal(0), "诊费已经退给患者，这次没有劳务费。")
    assert await ledger.balances() == {}
    await to_the_end_of(house, next_month(month))
    assert (await statement(house, pay, next_month(month))).entries == ()


async def test_a_late_refund_is_taken_back_in_the_next_month_by_a_line_that_says_so(
    house: House, charges: KnownCharges, pay: RemunerationService, ledger: LedgerService
) -> None:
    month = month_of(house.clock.now())
    charge = await paid(house, charges)
    await to_the_end_of(house, month)
    before = await statement(house, pay, month)
    await charges.reversed(charge)
    await paid(house, charges)
    await paid(house, charges)
    later = next_month(month)
    await to_the_end_of(house, later)

    assert await statement(house, pay, month) == before  # what was closed stays
    now = await statement(house, pay, later)
    [back] = [entry for entry in now.entries if entry.kind is EntryKind.SHARE_BACK]
    assert back.amount == Decimal("-110.00")
    assert back.lines[1] == "当时的劳务费110元在这里扣回。"
    assert (now.earned, now.payable) == (Decimal("110.00"), Decimal("110.00"))
    assert await ledger.balance(f"expert:{expert_id(house)}") == -2 * SHARE
    assert await ledger.balance("treasury") == 2 * SUBSIDY
    assert sum((await ledger.balances()).values()) == 0


async def test_nobody_is_asked_to_pay_back_what_the_month_does_not_bring(
    house: House, charges: KnownCharges, pay: RemunerationService
) -> None:
    first = month_of(house.clock.now())
    charges_of_first = [await paid(house, charges) for _ in range(2)]
    await to_the_end_of(house, first)
    for charge in charges_of_first:
        await charges.reversed(charge)
    await paid(house, charges)
    second, third = next_month(first), next_month(next_month(first))
    await to_the_end_of(house, second)
    poor = await statement(house, pay, second)
    assert (poor.earned, poor.payable, poor.carried_out) == (Decimal("-110.00"), Decimal(0), Decimal("-110.00"))
    for _ in range(2):
        await paid(house, charges)
    await to_the_end_of(house, third)
    rich = await statement(house, pay, third)
    assert (rich.earned, rich.carried_in, rich.payable) == (Decimal("220.00"), Decimal("-110.00"), Decimal("110.00"))


async def test_a_month_is_closed_once_and_what_comes_late_belongs_to_the_next(
    house: House, charges: KnownCharges, pay: RemunerationService, ledger: LedgerService
) -> None:
    month = month_of(house.clock.now())
    settled_at = house.clock.now()
    await paid(house, charges)
    case_id = await consulted(house)
    await to_the_end_of(house, month)
    await charges.settled(case_id, at=settled_at)  # its event was held up
    await asyncio.gather(*(pay._on_timer({"month": month}) for _ in range(3)))
    assert len((await statement(house, pay, month)).entries) == 1
    await to_the_end_of(house, next_month(month))
    assert len((await statement(house, pay, next_month(month))).entries) == 1
    assert await ledger.balance(f"expert:{expert_id(house)}") == -2 * SHARE


async def test_what_a_closed_month_says_cannot_be_changed_in_the_tables(
    house: House, charges: KnownCharges, pay: RemunerationService
) -> None:
    month = month_of(house.clock.now())
    await paid(house, charges)
    await to_the_end_of(house, month)
    for statement_ in (
        "UPDATE remuneration_entries SET amount = 1",
        "DELETE FROM remuneration_statements",
        "UPDATE remuneration_statements SET payable = 1",
        "DELETE FROM remuneration_months",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with house.database.transaction() as session:
                await session.execute(text(statement_))


async def test_an_expert_reads_their_own_statement_alone_and_every_read_is_audited(
    house: House, charges: KnownCharges, pay: RemunerationService
) -> None:
    month = month_of(house.clock.now())
    await paid(house, charges)
    doctor = await staff(house, "村医甲")
    other = await house.hire("别专家", Role.EXPERT, "省人民医院", "cardiology", "主任医师")
    for stranger in (doctor, other, await house.actor(await house.new_person())):
        with pytest.raises(Forbidden):
            await pay.statement(stranger, expert_id(house), month)
        with pytest.raises(Forbidden):
            await pay.months(stranger, expert_id(house))
        with pytest.raises(Forbidden):
            await pay.statements(stranger, month)
    own = await staff(house, "钟专家")
    await pay.statement(own, expert_id(house), month)
    assert await pay.months(own, expert_id(house)) == [month]
    entries = await house.audit.entries(SYSTEM, limit=50)
    assert ("remuneration.read", own.person_id) in {(one.action, one.actor_id) for one in entries}
    with pytest.raises(InvalidInput):
        await pay.statement(own, expert_id(house), "2026-13")


async def test_administrators_get_the_month_as_a_table_that_no_spreadsheet_runs(
    house: House, charges: KnownCharges, pay: RemunerationService
) -> None:
    month = month_of(house.clock.now())
    await paid(house, charges)
    await to_the_end_of(house, month)
    administrator = await house.hire("管理员", Role.ADMINISTRATOR, "省人民医院", "general_practice")
    found = await pay.statements(administrator, month)
    assert [(one.payee, one.payable) for one in found] == [
        (Payee.EXPERT, Decimal("110.00")),
        (Payee.INSTITUTION, Decimal("40.00")),
    ]
    evil = [replace(found[0], name=start + 'HYPERLINK("http://x")', entries=()) for start in "=+-@\t"]
    rows = list(csv.DictReader(io.StringIO(as_csv([*found, *evil]))))
    assert [row["金额（元）"] for row in rows if row["项目"] == "应发"][:2] == ["110.00", "40.00"]
    assert {row["机构"] for row in rows if row["类别"] == "机构"} == {"青山镇卫生院"}
    assert all(row["姓名"].startswith("'") for row in rows if "HYPERLINK" in row["姓名"])
    assert sum("HYPERLINK" in row["姓名"] for row in rows) == len(evil)
