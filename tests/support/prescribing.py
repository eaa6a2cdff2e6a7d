"""Prescribing on a clinic: its services, a pharmacist, certificates, a small drug reference, and what is known of a
patient."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from backend.prescription import Formulary, Line, PrescriptionService, PrescriptionView
from backend.records.background import Background
from backend.security.policy import SYSTEM, Actor, Role
from backend.signing import SigningService
from data.drugs import DrugClass, Form, Frequency, Interaction, Medicine, Reference
from data.drugs.loading import FOLDER
from data.drugs.rows import Source
from data.files import read_rows
from tests.support.clinic import Clinic, practitioner_of

AMOXICILLIN = "amoxicillin-capsule-250-24"
IBUPROFEN = "ibuprofen-tablet-200-24"
WARFARIN = "warfarin-tablet-2.5-60"
PARACETAMOL_DROPS = "paracetamol-suspension-32-60"
CETIRIZINE = "cetirizine-tablet-10-12"
OMEPRAZOLE = "omeprazole-capsule-20-14"
SALBUTAMOL = "salbutamol-tablet-2-100"


def amoxicillin(days: int = 5, note: str = "饭后吃") -> Line:
    """Amoxicillin as it is often written."""
    return Line(AMOXICILLIN, Decimal(500), "tid", "oral", days, note)


def line(code: str, dose: int | str = 1, days: int = 5, frequency: str = "bid") -> Line:
    """Give a line by mouth."""
    return Line(code, Decimal(dose), frequency, "oral", days)


def small_reference() -> Reference:
    """Give some medicines, so that a test says what it means whatever the shipped reference says tomorrow."""
    adult, child = {"ages": [12, None]}, {"ages": [0, 12]}
    rows: list[dict[str, Any]] = [
        _medicine("amoxicillin", "阿莫西林", "capsule", 250, 24, [500, 1000], ["tid"], classes=["penicillins"]),
        _medicine("ibuprofen", "布洛芬", "tablet", 200, 24, [200, 400], ["tid"]),
        _medicine("warfarin", "华法林钠", "tablet", "2.5", 60, ["2.5", 5], ["qd"]),
        _medicine("cetirizine", "西替利嗪", "tablet", 10, 12, [10, 10], ["qd"]),
        _medicine("omeprazole", "奥美拉唑", "capsule", 20, 14, [20, 40], ["qd"]),
        _medicine("salbutamol", "沙丁胺醇", "tablet", 2, 100, [2, 4], ["tid"]),
    ]
    drops = _medicine("paracetamol", "对乙酰氨基酚", "suspension", 32, 60, [500, 1000], ["q6h"])
    drops["doses"] = [
        {"time": [500, 1000], "max_day": 4000, "frequencies": ["q6h"], **adult},
        {"time": [10, 15], "kg": True, "max_kg_day": 60, "max_day": 2000, "frequencies": ["q6h"], **child},
    ]
    return Reference(
        [Medicine.model_validate(row) for row in [*rows, drops]],
        [DrugClass(code="penicillins", name="青霉素类", allergy="stop", source="insert")],
        [
            Interaction(
                between=("ibuprofen", "warfarin"),
                severity="warning",
                how="出血的危险变大",
                act="换对乙酰氨基酚退烧止痛",
                source="insert",
            )
        ],
        [],
        read_rows(FOLDER / "forms.json", Form),
        read_rows(FOLDER / "frequencies.json", Frequency),
        [Source(code="insert", title="药品说明书")],
        [],
        [],
    )


def _medicine(
    code: str, name: str, form: str, strength: float | str, pack: int, time: list[Any], often: list[str], **more: Any
) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "atc": "",
        "source": "insert",
        "days": [3, 7],
        "preparations": [{"form": form, "strength": str(strength), "pack": pack}],
        "doses": [{"time": time, "max_day": 4000, "frequencies": often, "ages": [0, None]}],
        **more,
    }


@dataclass
class KnownPatients:
    """Stands where `backend.records` does: what a test says is known."""

    by_patient: dict[str, Background] = field(default_factory=dict)

    async def background(self, actor: Actor, patient_id: str) -> Background:
        """Give what is known; nothing where nothing was said."""
        return self.by_patient.get(patient_id, Background(patient_id, date(1980, 5, 1), "male"))

    def know(self, patient_id: str, **facts: Any) -> None:
        """Let something be known."""
        known = self.by_patient.get(patient_id, Background(patient_id, date(1980, 5, 1), "male"))
        self.by_patient[patient_id] = replace(known, **facts)


@dataclass
class Pharmacy:
    """A clinic in which prescriptions are written and reviewed."""

    clinic: Clinic
    known: KnownPatients
    signing: SigningService
    prescriptions: PrescriptionService

    async def pharmacist(self, name: str = "叶青禾", institution: str = "") -> Actor:
        """Make a pharmacist of the township centre, or of `institution`, who can sign."""
        place = institution or self.clinic.township
        actor = await self.clinic._join(Role.PHARMACIST, name, place, "", "主管药师", ())
        await self.certify(actor)
        return actor

    async def certify(self, *actors: Actor) -> None:
        """Give certificates."""
        for actor in actors:
            await self.signing.issue(SYSTEM, practitioner_of(actor))

    async def written(self, doctor: Actor, case: str, *lines: Line) -> PrescriptionView:
        """Write a draft."""
        draft = await self.prescriptions.draft(doctor, case)
        return await self.prescriptions.write(
            doctor, draft.id, lines=lines or (amoxicillin(),), diagnoses=draft.diagnoses or ("J20.9",)
        )

    async def signed(self, doctor: Actor, case: str, *lines: Line) -> PrescriptionView:
        """Write and sign."""
        draft = await self.written(doctor, case, *lines)
        return await self.prescriptions.sign(doctor, draft.id, revision=draft.revision)


def build_pharmacy(clinic: Clinic) -> Pharmacy:
    """Wire prescribing on a clinic."""
    known = KnownPatients()
    signing = SigningService(clinic.database, clinic.clock, clinic.audit, clinic.people)
    prescriptions = PrescriptionService(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.timers,
        clinic.audit,
        clinic.people,
        clinic.care,
        known,
        signing,
        Formulary(small_reference),
    )
    return Pharmacy(clinic, known, signing, prescriptions)
