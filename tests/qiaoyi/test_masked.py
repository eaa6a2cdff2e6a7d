"""`qiaoyi export-masked`: the product starts on it, with the same relations and nobody of the real one."""

import asyncio
import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from backend.consultation.tables import Consultation
from backend.db import Base, install_key_ring
from backend.masking import MaskedCopies, MaskingRefused
from backend.masking.masking import Masking
from backend.messaging.tables import Contact
from backend.people.tables import Person, Practitioner
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM, Actor, Role
from backend.seed import seed as seed_people
from miniprogram_api.sessions import Sessions
from qiaoyi.house import House, open_house
from qiaoyi.masked import export_masked
from qiaoyi.settings import Settings, load
from tests.support.product import BookedCase, booked_case, running_product

PATIENT, PHONE, IDENTITY = "欧阳念慈", "13912345678", "420101197001010027"
ADDRESS = "青山镇石桥村三组12号"
WORDS = f"我叫{PATIENT}，身份证{IDENTITY}，电话139 1234 5678，家住{ADDRESS}。咳嗽三天，张强医生让我来的。"
"""Whoever wrote it has not been careful."""
OPERATOR = Actor("", frozenset({Role.ADMINISTRATOR}))


@pytest.fixture(autouse=True)
def own_ring(key_ring: KeyRing) -> Iterator[None]:
    """The ring of the tests comes back afterwards."""
    yield
    install_key_ring(key_ring)


@dataclass(frozen=True)
class Real:
    """A data folder with cases of somebody whom everybody may read of in them, and everything that names anybody."""

    settings: Settings
    secret: frozenset[str]
    opened_at: datetime


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    """Made once: nobody changes it."""
    folder = tmp_path_factory.mktemp("real")
    async with running_product(folder) as product:
        return await _furnished(await booked_case(product), load(data=folder / "data"))


async def _furnished(case: BookedCase, settings: Settings) -> Real:
    house, care = case.product.house, case.product.house.consultations
    await seed_people(house.database, house.people, house.scheduling)
    patient, expert, doctor = await case.patient.actor(), await case.expert.actor(), await case.doctor.actor()
    await house.people.update_person(
        patient, patient.person_id, name=PATIENT, phone=PHONE, id_number=IDENTITY, address=ADDRESS, region="桥县"
    )
    await case.patient.phone.say(WORDS, wait_reply=True)
    await care.start(expert, case.id)
    await care.post(patient, case.id, text=WORDS)
    await care.record_opinion(expert, case.id, icd10="J18.9", diagnosis=f"{PATIENT}：肺炎", plan=WORDS)
    await care.complete(expert, case.id)
    opened = await care.open(
        patient, patient_id=patient.person_id, institution_id=doctor.institution_id or "",
        record={"chief_complaint": WORDS, "history": {"说的话": [WORDS]}}, facts={"onset": "2026-11-20"},
        department_code="respiratory", urgency="urgent",
    )  # fmt: skip
    secret: set[str | None] = set()
    async with house.database.reading() as session:
        for one in await session.scalars(select(Person)):
            secret |= {one.name, one.phone, one.id_number, one.address, one.id}
        for practitioner in await session.scalars(select(Practitioner)):
            secret |= {practitioner.name, practitioner.licence_number, practitioner.id}
        secret |= {contact.address for contact in await session.scalars(select(Contact))}
        secret |= set(await session.scalars(select(Consultation.id)))
    assert {PATIENT, PHONE, IDENTITY, ADDRESS, "张强", case.patient.phone.openid} <= secret
    return Real(settings, frozenset(one for one in secret if one), (await care.get(SYSTEM, opened.id)).opened_at)


async def test_the_product_starts_on_a_copy_with_everything_of_care_and_nobody_of_the_real_one(
    real: Real, tmp_path: Path
) -> None:
    async with open_house(real.settings) as house:
        counts = await _copies(house).make(OPERATOR, "李测试要看医生的列表", tmp_path / "data")
        said = [one for one in await house.audit.entries(OPERATOR, limit=200) if one.action == "masked.export"]
        assert [(one.subject, one.reason) for one in said] == [("masked_copy", "李测试要看医生的列表")]
    assert counts["consultations"] == 2
    written = b"".join(path.read_bytes() for path in sorted((tmp_path / "data").rglob("*")) if path.is_file())
    assert [one for one in real.secret if one.encode() in written] == []
    async with running_product(tmp_path) as product:
        told = json.dumps(await _everything(product.house), ensure_ascii=False, default=str)
        assert [one for one in real.secret if one in told] == []
        assert "咳嗽三天" in told
        assert "肺炎" in told
        async with product.house.database.reading() as session:
            held = (await session.scalars(select(Consultation).order_by(Consultation.opened_at.desc()))).all()
            doctor = await session.get_one(Practitioner, held[0].doctor_id)
        moved = real.opened_at - held[0].opened_at
        assert (moved.days % 7, moved.seconds, moved.days >= 7) == (0, 0, True)
        assert doctor.person_id is not None
        token, _ = Sessions(product.house.ring.derive("session"), product.house.clock).mint(doctor.person_id)
        status, listed = await product.call("GET", "/consultations", token=token)
        assert status == 200
        assert [one["id"] for one in listed["items"]] == [one.id for one in held]
        assert {one["doctor"] for one in listed["items"]} == {doctor.name}
        [patient] = {one["patient"] for one in listed["items"]}
        assert patient not in ("", PATIENT)


async def _everything(house: House) -> list[object]:
    """Every value of every column, decrypted."""
    async with house.database.reading() as session:
        tables = [await session.execute(select(table)) for table in Base.metadata.sorted_tables]
        return [list(row) for rows in tables for row in rows]


async def test_what_still_names_somebody_makes_that_there_is_no_copy(
    real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that cannot fail would be none: here words are not scrubbed."""
    monkeypatch.setattr(Masking, "_words", lambda _self, text, _one: text)
    async with open_house(real.settings) as house:
        with pytest.raises(MaskingRefused, match="still names somebody") as refused:
            await _copies(house).make(OPERATOR, "试一试", tmp_path / "copy")
    assert not [one for one in real.secret if one in str(refused.value)]
    assert await asyncio.to_thread(lambda: [*tmp_path.iterdir()]) == []


async def test_the_command_says_who_asked_and_writes_over_nothing(
    real: Real, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Namespace(folder=tmp_path / "copy", purpose="给测试组")
    assert await export_masked(real.settings, options) == 0
    assert "nobody among them" in capsys.readouterr().out
    assert sorted(one.name for one in (tmp_path / "copy").iterdir()) == ["keys.json", "person-keys", "qiaoyi.db"]
    assert await export_masked(real.settings, options) == 1
    assert "is there already" in capsys.readouterr().err
    assert await export_masked(real.settings, Namespace(folder=tmp_path / "other", purpose="  " * 200)) == 1
    async with open_house(real.settings) as house:
        [newest, *_] = [one for one in await house.audit.entries(OPERATOR) if one.action == "masked.export"]
        assert newest.reason is not None
        assert newest.reason.endswith("：给测试组")


def _copies(house: House) -> MaskedCopies:
    return MaskedCopies(house.database, house.ring, house.audit)
