"""A clinic with finished cases of patients who agreed to research, and whose words name themselves."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.people import ConsentKind
from backend.research import ResearchExports
from backend.security.policy import Actor
from tests.support.clinic import Clinic, build_clinic

NAMES = ("欧阳念慈", "司马映雪", "诸葛青禾", "慕容秋白", "端木知微", "东方既明")
CODES = ("J18.9", "I10")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999


def phone(number: int) -> str:
    """The telephone of a patient."""
    return f"1391234567{number}"


def identity(number: int) -> str:
    """The identity number of a patient, a woman born in 1970."""
    digits = f"42010119700101{2 * number:03}"
    return digits + "10X98765432"[sum(int(one) * weight for one, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


@dataclass
class Study:
    """The clinic, its exports, and who takes part."""

    clinic: Clinic
    exports: ResearchExports
    administrator: Actor
    doctor: Actor
    expert: Actor
    patients: list[Actor] = field(default_factory=list)

    @property
    def canaries(self) -> list[str]:
        """What names somebody, as it stands in the database and in the words of the cases."""
        numbers = [made(n) for made in (phone, identity) for n in range(len(NAMES))]
        people = [patient.person_id for patient in self.patients]
        return [*NAMES, *numbers, *people, "李梅", "张强", "测试T1医院", "测试H1医院", "测试路1号", "HZ2026"]

    async def enrol(self, number: int, *, agrees: bool = True) -> Actor:
        """A patient whose words name them, with two finished cases of two diseases."""
        people, name = self.clinic.people, NAMES[number]
        patient = await self.clinic.patient(name)
        await people.update_person(
            patient, patient.person_id, sex="female", birth_date=date(1970, 1, 1), phone=phone(number),
            id_number=identity(number),
        )  # fmt: skip
        if agrees:
            version = people.consent_document(ConsentKind.RESEARCH).version
            await people.give_consent(patient, version, ConsentKind.RESEARCH)
        for code in CODES:
            await self.finish(patient, code, f"我叫{name}，电话{phone(number)}，身份证{identity(number)}，咳嗽三天")
        self.patients.append(patient)
        return patient

    async def finish(self, patient: Actor, code: str, words: str) -> None:
        """A case of a patient, brought to its end."""
        care = self.clinic.care
        record = {"chief_complaint": words, "present_illness": f"2026年11月20日在测试T1医院找李梅医生看过，{words}"}
        facts = {"symptoms": [{"name": "咳嗽", "text": "咳嗽", "status": "positive"}]}
        case = await self.clinic.draft(patient, record=record, facts=facts)
        seen = f"双肺湿啰音。家住测试路1号，{words}"
        await care.add_findings(self.doctor, case.id, vitals={"temperature": 38.5}, text=seen)
        await care.submit(self.doctor, case.id, icd10=code, question=f"请张强主任看看{words}")
        await self.clinic.accept(self.expert, case.id)
        await care.start(self.expert, case.id)
        diagnosis = f"{words}，社区获得性肺炎"
        await care.record_opinion(self.expert, case.id, icd10=code, diagnosis=diagnosis, plan="阿莫西林")
        await care.complete(self.expert, case.id)


@pytest.fixture
async def study(database: Database, clock: Clock, tmp_path: Path) -> Study:
    """Everybody but the patients."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    await clinic.furnish()
    exports = ResearchExports(database, clock, clinic.timers, clinic.audit, clinic.people, clinic.care, least_k=5)
    expert = await clinic.expert(icd10=["A00-Z99"])
    return Study(clinic, exports, await clinic.administrator(), await clinic.doctor(), expert)
