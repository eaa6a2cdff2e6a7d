"""A county with two pharmacies: a prescription is approved, and somebody has the medicines."""

from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from backend.clock import Clock
from backend.db import Database
from backend.dispensing import DispensingService
from backend.events import EventBus
from backend.ids import new_id
from backend.prescription import Line, PrescriptionView
from backend.security.policy import SYSTEM, Actor
from tests.backend.prescription.conftest import Desk, build_desk
from tests.support.prescribing import AMOXICILLIN, CETIRIZINE, amoxicillin, line

NEAR = (30.01, 114.0)
FAR = (30.20, 114.0)


@dataclass
class County:
    """Everybody around an order."""

    desk: Desk
    dispensing: DispensingService
    near: str
    far: str
    near_pharmacist: Actor
    far_pharmacist: Actor

    @property
    def patient(self) -> Actor:
        """Who gets the medicines."""
        return self.desk.patient

    @property
    def events(self) -> EventBus:
        """The bus."""
        return self.desk.clinic.events

    async def approved(self, *lines: Line, chronic: bool = False) -> PrescriptionView:
        """Have a prescription written, signed and approved: amoxicillin and cetirizine unless told otherwise."""
        lines = lines or (amoxicillin(), line(CETIRIZINE, 10, 7, "qd"))
        draft = await self.desk.written(*lines)
        if chronic:
            draft = await self.desk.prescriptions.write(self.desk.doctor, draft.id, chronic=True)
        for one in draft.unanswered:
            draft = await self.desk.prescriptions.override(
                self.desk.doctor, draft.id, one.rule, one.subject, "已当面问过"
            )
        signed = await self.desk.prescriptions.sign(self.desk.doctor, draft.id, revision=draft.revision)
        return await self.desk.prescriptions.approve(self.desk.pharmacist, signed.id)

    async def stock(self, pharmacy_id: str, amoxicillin_packs: int = 100, cetirizine_packs: int = 100) -> None:
        """Let a pharmacy have medicines."""
        pharmacist = self.near_pharmacist if pharmacy_id == self.near else self.far_pharmacist
        packs = {AMOXICILLIN: amoxicillin_packs, CETIRIZINE: cetirizine_packs}
        await self.dispensing.set_stock(pharmacist, pharmacy_id, packs)

    async def packs(self, pharmacy_id: str) -> dict[str, int]:
        """Give what a pharmacy has left."""
        pharmacist = self.near_pharmacist if pharmacy_id == self.near else self.far_pharmacist
        return {one.preparation: one.packs for one in await self.dispensing.stock(pharmacist, pharmacy_id)}


@pytest_asyncio.fixture
async def county(database: Database, clock: Clock, tmp_path: Path) -> County:
    """Two pharmacies with a pharmacist each, both full."""
    return await build_county(database, clock, tmp_path)


async def build_county(database: Database, clock: Clock, folder: Path) -> County:
    """Furnish the county."""
    desk = await build_desk(database, clock, folder)
    clinic = desk.clinic
    ids = []
    for code, (latitude, longitude) in (("P1", NEAR), ("P2", FAR)):
        ids.append(new_id())
        await clinic.people.put_institution(
            SYSTEM,
            ids[-1],
            code=code,
            name=f"{'近' if code == 'P1' else '远'}处大药房",
            kind="pharmacy",
            region="桥县",
            address="街上",
            latitude=latitude,
            longitude=longitude,
        )
    dispensing = DispensingService(
        database, clock, clinic.events, clinic.timers, clinic.audit, clinic.people, clinic.care, desk.prescriptions
    )
    near, far = ids
    county = County(
        desk,
        dispensing,
        near,
        far,
        await desk.pharmacy.pharmacist("孙近", near),
        await desk.pharmacy.pharmacist("钱远", far),
    )
    await county.stock(near)
    await county.stock(far)
    return county
