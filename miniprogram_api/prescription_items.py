"""What the API shows of a prescription, and how it is made of what the services give."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import segno
from pydantic import Field, StringConstraints

from backend.prescription import ROUTES, Finding, Line, PrescriptionView, Said, Severity, State
from data.icd10 import lookup
from miniprogram_api.endpoint import Call, Model, Number, Written

if TYPE_CHECKING:
    from data.drugs import Preparation

OF_CASE = "/api/v1/consultations/{consultation_id}/prescriptions"
ONE = "/api/v1/prescriptions/{prescription_id}"
CONSULTATION = {"consultation_id": "The consultation."}
PRESCRIPTION = {"prescription_id": "The prescription."}

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,96}$")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$")]


class LineItem(Model):
    """A line of a prescription; `dose` is a decimal number in the unit of the preparation's strength."""

    preparation: Code
    dose: Amount
    frequency: Code
    route: Code
    days: Number = Field(ge=1, le=90)
    note: Annotated[Written, Field(max_length=100)] = ""


class SaidItem(Model):
    """A line in words, as the paper has it."""

    name: str
    spec: str
    dose: str
    pieces: str
    frequency: str
    route: str
    packs: int
    pack_unit: str


class FindingItem(Model):
    """What a check found; `lines` are indices, empty for the whole."""

    rule: str
    subject: str
    severity: Severity
    lines: list[int]
    sentence: str
    advice: str
    source: str
    reason: str


class DocumentLine(Model):
    """A line of what was signed, in words."""

    name: str
    spec: str
    dose: str
    pieces: str
    frequency: str
    route: str
    days: int
    packs: int
    pack_unit: str
    note: str


class DocumentItem(Model):
    """What was signed, as far as a page shows it."""

    category: str
    institution: str
    patient_name: str
    patient_sex: str
    patient_age: str
    diagnoses: list[str]
    lines: list[DocumentLine]
    prescriber: str
    issued_at: datetime


class RouteItem(Model):
    """A way of giving a medicine."""

    code: str
    name: str


class MedicineItem(Model):
    """A preparation; `unit` is of doses, `strength` of one `piece` in it."""

    code: str
    name: str
    label: str
    unit: str
    piece: str
    strength: str
    routes: list[RouteItem]


class DiagnosisItem(Model):
    """A disease of ICD-10; a code that is not known stands for its own name."""

    code: str
    name: str


class PrescriptionItem(Model):
    """A prescription.

    Attributes:
        revision: to be sent with the next edit of a draft. lines, said, findings: of a draft.
        medicines: the preparation of each line, for who writes them.
        document: of the newest signed version; None before the first.
        verification_address: where the code on its paper leads; empty until it is approved.
        verification_code: a picture of that code, as a data address.
    """

    id: str
    number: str
    consultation_id: str
    state: State
    state_label: str
    revision: int
    chronic: bool
    in_person: bool | None
    diagnoses: list[DiagnosisItem]
    lines: list[LineItem]
    medicines: list[MedicineItem]
    said: list[SaidItem]
    findings: list[FindingItem]
    document: DocumentItem | None
    return_reason: str
    revocation_reason: str
    valid_until: datetime | None
    updated_at: datetime
    verification_address: str
    verification_code: str
    may_write: bool
    is_patient: bool


class Done(Model):
    """What it was done to."""

    id: str


def prescription_item(call: Call, view: PrescriptionView) -> PrescriptionItem:
    """Give a prescription as far as whoever asks may see it; its lines are for who writes them."""
    writes = view.prescriber_id == call.actor.practitioner_id and view.state is State.DRAFT
    formulary = call.context.prescriptions.formulary
    reasons = {(one.rule, one.subject): one.reason for one in view.overrides}
    address = f"{call.context.public_url}/verify/{view.code}" if view.code else ""
    return PrescriptionItem(
        id=view.id,
        number=view.number,
        consultation_id=view.consultation_id,
        state=view.state,
        state_label=view.state.label,
        revision=view.revision,
        chronic=view.chronic,
        in_person=view.in_person,
        diagnoses=[diagnosis_item(one) for one in view.diagnoses],
        lines=[line_item(one) for one in view.lines] if writes else [],
        medicines=[medicine_item(formulary.preparation(one.preparation)) for one in view.lines] if writes else [],
        said=[_said(one) for one in view.said],
        findings=[_finding(one, reasons.get((one.rule, one.subject), "")) for one in view.findings],
        document=_document(view) if view.document else None,
        return_reason=view.return_reason,
        revocation_reason=view.revocation_reason,
        valid_until=view.valid_until,
        updated_at=view.updated_at,
        verification_address=address,
        verification_code=_code(address) if address else "",
        may_write=writes,
        is_patient=call.actor.owns(view.patient_id),
    )


def line_item(line: Line) -> LineItem:
    """Give a line as JSON knows it."""
    return LineItem(
        preparation=line.preparation,
        dose=f"{line.dose:f}",
        frequency=line.frequency,
        route=line.route,
        days=line.days,
        note=line.note,
    )


def line_of(item: LineItem) -> Line:
    """Give the line that was sent."""
    return Line(item.preparation, Decimal(item.dose), item.frequency, item.route, int(item.days), item.note)


def medicine_item(one: "Preparation") -> MedicineItem:
    """Give a preparation."""
    return MedicineItem(
        code=one.code,
        name=one.name,
        label=one.label,
        unit=one.unit,
        piece=one.form.piece,
        strength=f"{one.strength:f}",
        routes=[RouteItem(code=route, name=ROUTES[route]) for route in one.routes],
    )


def diagnosis_item(code: str) -> DiagnosisItem:
    """Give a code with its name."""
    known = lookup(code)
    return DiagnosisItem(code=code, name=known.name if known else code)


def _code(address: str) -> str:
    picture: str = segno.make(address, error="m", micro=False).svg_data_uri(border=2, scale=4)
    return picture


def _document(view: PrescriptionView) -> DocumentItem:
    document = view.document
    return DocumentItem(
        category=document["category"],
        institution=document["institution"],
        patient_name=document["patient"]["name"],
        patient_sex=document["patient"]["sex"],
        patient_age=document["patient"]["age"],
        diagnoses=[f"{one['name']}（{one['icd10']}）" for one in document["diagnoses"]],
        lines=[
            DocumentLine(
                name=one["name"],
                spec=one["spec"],
                dose=one["dose"],
                pieces=one["pieces"],
                frequency=one["frequency_name"],
                route=one["route"],
                days=one["days"],
                packs=one["packs"],
                pack_unit=one["pack_unit"],
                note=one["note"],
            )
            for one in document["lines"]
        ],
        prescriber=f"{document['prescriber']['name']} {document['prescriber']['title']}",
        issued_at=document["issued_at"],
    )


def _said(said: Said) -> SaidItem:
    return SaidItem(
        name=said.name,
        spec=said.spec,
        dose=said.dose,
        pieces=said.pieces,
        frequency=said.frequency,
        route=said.route,
        packs=said.packs,
        pack_unit=said.pack_unit,
    )


def _finding(one: Finding, reason: str) -> FindingItem:
    return FindingItem(
        rule=one.rule,
        subject=one.subject,
        severity=one.severity,
        lines=list(one.lines),
        sentence=one.sentence,
        advice=one.advice,
        source=one.source,
        reason=reason,
    )
