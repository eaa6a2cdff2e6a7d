"""Devices at home for tests: the service on a clinic, and a cuff that sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backend.ids import new_id
from backend.records import RecordService, Source
from backend.records.monitoring.readings import Kind, Said
from backend.records.monitoring.service import MonitoringService
from backend.records.monitoring.views import Taken
from backend.security.policy import Actor
from tests.support.clinic import Clinic


def monitoring_on(clinic: Clinic) -> MonitoringService:
    """Give the service of the devices at home on a clinic."""
    records = RecordService(clinic.database, clinic.clock, clinic.events, clinic.audit, clinic.people, clinic.care)
    return MonitoringService(
        clinic.database, clinic.clock, clinic.events, clinic.timers, clinic.audit, clinic.people, clinic.care, records
    )


def pressure(upper: float, lower: float, taken_at: datetime, id_: str = "") -> Said:
    """Give a blood pressure as a cuff says it."""
    return Said(id_ or new_id(), Kind.BLOOD_PRESSURE, taken_at, {"systolic": upper, "diastolic": lower})


def single(kind: Kind, value: float, taken_at: datetime, id_: str = "", timing: str = "", unit: str = "") -> Said:
    """Give a reading of one value."""
    return Said(id_ or new_id(), kind, taken_at, {kind.value: value}, timing, unit)


@dataclass
class Home:
    """A patient with a paired cuff, and the doctor who watches over them."""

    clinic: Clinic
    monitoring: MonitoringService
    patient: Actor
    doctor: Actor
    device: Actor

    async def send(self, *said: Said, **more: Any) -> list[Taken]:
        """Let the cuff send."""
        return await self.monitoring.take(self.device, said, **more)

    async def kept(self) -> list[tuple[str, str]]:
        """Give what stands in the patient's record, the newest first: kinds and values."""
        records = self.monitoring._records
        found = await records.history(self.patient, self.patient.person_id)
        return [(one.kind_key, one.value) for one in found if one.source is Source.DEVICE]

    async def measure(self, upper: float, lower: float) -> Taken:
        """Let the cuff measure and send at once."""
        [taken] = await self.send(pressure(upper, lower, self.clinic.clock.now()))
        return taken

    async def measure_later(self, upper: float, lower: float, after: timedelta = timedelta(minutes=5)) -> Taken:
        """Let some time pass, with what is due in it, and measure then."""
        await self.clinic.pass_time(after)
        return await self.measure(upper, lower)


async def home_at(clinic: Clinic) -> Home:
    """Let a patient of a doctor pair a cuff."""
    monitoring = monitoring_on(clinic)
    doctor, patient = await clinic.doctor(), await clinic.patient()
    await clinic.draft(patient)
    return Home(clinic, monitoring, patient, doctor, await paired(monitoring, patient, patient.person_id))


async def paired(monitoring: MonitoringService, by: Actor, patient_id: str, kind: Kind = Kind.BLOOD_PRESSURE) -> Actor:
    """Pair a device and give it as somebody who acts."""
    pairing = await monitoring.begin_pairing(by, patient_id, kind)
    new = await monitoring.redeem_code(pairing.code)
    device = await monitoring.device_of_token(new.token)
    assert device is not None
    return device
