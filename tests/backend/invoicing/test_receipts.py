"""Receipts: what they say, who may have one, and that nobody can change one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.charging import ChargeState
from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden, IllegalMove
from backend.invoice_page import InvoicePage, print_invoice
from backend.invoicing import InvoicingService
from backend.invoicing.rules import page_of
from backend.security.policy import SYSTEM, Actor
from tests.support.cases import open_case, staff
from tests.support.charges import SPLIT, KnownCharges
from tests.support.house import House, build_house


@pytest_asyncio.fixture
async def house(database: Database, clock: Clock, tmp_path: Path) -> House:
    return await build_house(database, clock, tmp_path)


@pytest.fixture
def charges(house: House) -> KnownCharges:
    return KnownCharges(house)


@pytest_asyncio.fixture
async def receipts(house: House, charges: KnownCharges) -> AsyncIterator[InvoicingService]:
    service = InvoicingService(
        house.database,
        house.clock,
        house.audit,
        house.services.consultations,
        house.signing,
        charges,  # type: ignore[arg-type]  # the same method
    )
    yield service
    service.close()


async def paid(house: House, charges: KnownCharges) -> tuple[Actor, str]:
    """Give a patient, and the settled charge of their consultation."""
    person, people = await house.new_person(), house.services.people
    actor = await house.actor(person)
    await people.update_person(actor, person, name="欧阳小明")
    await people.give_consent(actor, people.consent_document().version)
    return actor, await charges.settled(await open_case(house, person))


def words_on(pdf: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))


async def test_a_receipt_says_what_was_paid_by_whom_and_whose_receipt_it_is(
    house: House, charges: KnownCharges, receipts: InvoicingService
) -> None:
    patient, charge = await paid(house, charges)
    pdf = await receipts.pdf(patient, charge)
    words = words_on(pdf)
    for said in ("欧**", "远程会诊费", "贰佰元整", "¥200.00", "150.00元", "20.00元", "30.00元", "青山镇卫生院"):
        assert said in words, said
    assert "不是税务部门监制的发票" in words
    assert "小明" not in words
    assert "作废" not in words
    page = pypdfium2.PdfDocument(pdf)[0]
    assert [round(side / 72 * 25.4) for side in page.get_size()] == [210, 148]


async def test_a_receipt_is_made_once_and_every_changed_byte_is_found(
    house: House, charges: KnownCharges, receipts: InvoicingService
) -> None:
    patient, charge = await paid(house, charges)
    files = await asyncio.gather(*(receipts.pdf(patient, charge) for _ in range(3)))
    assert len(set(files)) == 1
    pdf = files[0]
    assert await receipts.genuine(pdf)
    at = len(pdf) // 3
    assert not await receipts.genuine(pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :])
    assert not await receipts.genuine(pdf + b"\n")


async def test_once_the_money_is_given_back_the_receipt_says_that_it_counts_no_more(
    house: House, charges: KnownCharges, receipts: InvoicingService
) -> None:
    patient, charge = await paid(house, charges)
    before = await receipts.pdf(patient, charge)
    await charges.reversed(charge)
    after = await receipts.pdf(patient, charge)
    assert "作废" in words_on(after)
    assert "作废" not in words_on(before)
    assert await receipts.genuine(after)


async def test_nobody_but_the_patient_gets_it(house: House, charges: KnownCharges, receipts: InvoicingService) -> None:
    patient, charge = await paid(house, charges)
    for other in (
        await house.actor(await house.new_person()),
        await staff(house, "钟专家"),
        await staff(house, "村医甲"),
    ):
        with pytest.raises(Forbidden):
            await receipts.pdf(other, charge)
    await receipts.pdf(patient, charge)
    read = [one for one in await house.audit.entries(SYSTEM, limit=50) if one.action == "invoice.read"]
    assert [one.actor_id for one in read] == [patient.person_id]


@pytest.mark.parametrize(
    "state", [ChargeState.CONFIRMED, ChargeState.SETTLING, ChargeState.DISPUTED, ChargeState.REVERSED]
)
async def test_what_is_not_settled_has_no_receipt(
    house: House, charges: KnownCharges, receipts: InvoicingService, state: ChargeState
) -> None:
    patient, charge = await paid(house, charges)
    charges.views[charge] = replace(charges.views[charge], state=state)
    with pytest.raises(IllegalMove):
        await receipts.pdf(patient, charge)


@settings(max_examples=15)
@given(
    st.text(max_size=40),
    st.integers(0, 10**9 - 1).map(lambda fen: f"{Decimal(fen) / 100:.2f}"),
)
def test_whatever_is_on_it_the_receipt_stays_one_page_and_says_the_total(name: str, total: str) -> None:
    document = {
        "number": "FP20261122-0001-1",
        "charge": "FY20261122-0001-1",
        "buyer": name,
        "consultation": "HZ20261122-0001",
        "institution": name * 2,
        "settled_at": "2026-11-22T03:00:00+00:00",
        "issued_at": "2026-11-22T03:10:00+00:00",
        "lines": [["远程会诊费", total]],
        "total": total,
        "parts": [[f"{part}", f"{SPLIT.cash:.2f}"] for part in range(4)],
    }
    page: InvoicePage = page_of(document, void=True)
    pdf = print_invoice(page)
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert total in words_on(pdf)
    assert pdf == print_invoice(page)
