"""Prescriptions: written line by line with the findings of the checks, signed, reviewed, read and taken back."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import segno
from pydantic import Field, StringConstraints

from backend.prescription import (
    ROUTES,
    Finding,
    Line,
    PrescriptionView,
    QueueItem,
    Said,
    Severity,
    State,
    TemplateView,
)
from miniprogram_api.endpoint import Call, Endpoint, Model, Number, Reason, Written

if TYPE_CHECKING:
    from data.drugs import Preparation

_CONSULTATION = {"consultation_id": "The consultation."}
_PRESCRIPTION = {"prescription_id": "The prescription."}
_FOUND = 10
_LARGEST = 2**31 - 1

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,96}$")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,4})?$")]
Icd10 = Annotated[str, StringConstraints(min_length=3, max_length=12)]


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


class PrescriptionItem(Model):
    """A prescription.

    Attributes:
        revision: to be sent with the next edit of a draft. lines, said, findings: of a draft.
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
    diagnoses: list[str]
    lines: list[LineItem]
    said: list[SaidItem]
    findings: list[FindingItem]
    document: DocumentItem | None
    return_reason: str
    revocation_reason: str
    valid_until: datetime | None
    verification_address: str
    verification_code: str
    may_write: bool
    is_patient: bool


class PrescriptionList(Model):
    """Prescriptions of a consultation, as far as the reader may know of them; `may_write`: they may write more."""

    may_write: bool
    items: list[PrescriptionItem]


class EditRequest(Model):
    """What changes of a draft; `revision` is the one that its writer saw."""

    revision: Number = Field(ge=0, le=_LARGEST)
    lines: Annotated[list[LineItem], Field(max_length=10)] | None = None
    diagnoses: Annotated[list[Icd10], Field(max_length=10)] | None = None
    chronic: bool | None = None
    in_person: bool | None = None


class OverrideRequest(Model):
    """Why a warning does not hold here."""

    revision: Number = Field(ge=0, le=_LARGEST)
    rule: Annotated[str, Field(max_length=64)]
    subject: Annotated[str, Field(max_length=200)]
    reason: Reason


class RevisionRequest(Model):
    """The revision that the doctor has read."""

    revision: Number = Field(ge=0, le=_LARGEST)


class ReasonRequest(Model):
    """Why."""

    reason: Reason


class SearchQuery(Model):
    """Words: a name, a part of it, pinyin or initials."""

    q: Annotated[str, Field(min_length=1, max_length=40)]


class ProposalQuery(Model):
    """Of which preparation."""

    preparation: Code


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


class MedicineList(Model):
    """Preparations, the closest first."""

    items: list[MedicineItem]


class FrequencyItem(Model):
    """How often."""

    code: str
    name: str


class FrequencyList(Model):
    """Every frequency that a line may have."""

    items: list[FrequencyItem]


class ProposalItem(Model):
    """A line that fits the patient, and where its dose comes from."""

    line: LineItem
    why: str


class TemplateItem(Model):
    """Lines that can be written at once."""

    id: str
    name: str
    medicines: int
    own: bool


class TemplateList(Model):
    """Templates, the reader's own first."""

    items: list[TemplateItem]


class TemplateRequest(Model):
    """Under which name the lines are kept."""

    name: Annotated[Written, Field(min_length=1, max_length=20)]


class UseRequest(Model):
    """Which template."""

    template_id: Annotated[str, Field(max_length=64)]


class QueuedItem(Model):
    """A prescription that waits; `taken_by` names the pharmacist who has it before them."""

    id: str
    number: str
    patient_name: str
    prescriber: str
    medicines: int
    signed_at: datetime
    taken_by: str


class Queue(Model):
    """What waits for the pharmacists of an institution."""

    items: list[QueuedItem]


class Done(Model):
    """What it was done to."""

    id: str


async def _list(call: Call) -> PrescriptionList:
    service, consultation_id = call.context.prescriptions, call.path["consultation_id"]
    views = await service.prescriptions_of(call.actor, consultation_id)
    may_write = await service.may_write(call.actor, consultation_id)
    return PrescriptionList(may_write=may_write, items=[_item(call, view) for view in views])


async def _draft(call: Call) -> PrescriptionItem:
    return _item(call, await call.context.prescriptions.draft(call.actor, call.path["consultation_id"]))


async def _get(call: Call) -> PrescriptionItem:
    return _item(call, await call.context.prescriptions.prescription(call.actor, call.path["prescription_id"]))


async def _write(call: Call) -> PrescriptionItem:
    body = call.body
    view = await call.context.prescriptions.write(
        call.actor,
        call.path["prescription_id"],
        revision=int(body.revision),
        lines=None if body.lines is None else [_line(one) for one in body.lines],
        diagnoses=body.diagnoses,
        chronic=body.chronic,
        in_person=body.in_person,
    )
    return _item(call, view)


async def _discard(call: Call) -> Done:
    await call.context.prescriptions.discard(call.actor, call.path["prescription_id"])
    return Done(id=call.path["prescription_id"])


async def _override(call: Call) -> PrescriptionItem:
    body = call.body
    view = await call.context.prescriptions.override(
        call.actor, call.path["prescription_id"], body.rule, body.subject, body.reason, revision=int(body.revision)
    )
    return _item(call, view)


async def _copy(call: Call) -> PrescriptionItem:
    return _item(call, await call.context.prescriptions.copy_last(call.actor, call.path["prescription_id"]))


async def _use(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.use_template(
        call.actor, call.path["prescription_id"], call.body.template_id
    )
    return _item(call, view)


async def _propose(call: Call) -> ProposalItem:
    found = await call.context.prescriptions.proposal(call.actor, call.path["prescription_id"], call.query.preparation)
    return ProposalItem(line=_line_item(found.line), why=found.why)


async def _sign(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.sign(
        call.actor, call.path["prescription_id"], revision=int(call.body.revision)
    )
    return _item(call, view)


async def _keep(call: Call) -> TemplateItem:
    kept = await call.context.prescriptions.save_template(call.actor, call.path["prescription_id"], call.body.name)
    return _template(kept)


async def _templates(call: Call) -> TemplateList:
    return TemplateList(items=[_template(one) for one in await call.context.prescriptions.templates(call.actor)])


async def _search(call: Call) -> MedicineList:
    found = call.context.prescriptions.formulary.search(call.query.q, _FOUND)
    return MedicineList(items=[_medicine(one) for one in found])


async def _frequencies(call: Call) -> FrequencyList:
    known = call.context.prescriptions.formulary.reference.frequencies.values()
    return FrequencyList(items=[FrequencyItem(code=one.code, name=one.name) for one in known])


async def _queue(call: Call) -> Queue:
    return Queue(items=[_queued(one) for one in await call.context.prescriptions.queue(call.actor)])


async def _take(call: Call) -> PrescriptionItem:
    return _item(call, await call.context.prescriptions.take(call.actor, call.path["prescription_id"]))


async def _approve(call: Call) -> PrescriptionItem:
    return _item(call, await call.context.prescriptions.approve(call.actor, call.path["prescription_id"]))


async def _give_back(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.give_back(call.actor, call.path["prescription_id"], call.body.reason)
    return _item(call, view)


async def _revoke(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.revoke(call.actor, call.path["prescription_id"], call.body.reason)
    return _item(call, view)


def _item(call: Call, view: PrescriptionView) -> PrescriptionItem:
    mine = view.prescriber_id == call.actor.practitioner_id
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
        diagnoses=list(view.diagnoses),
        lines=[_line_item(one) for one in view.lines] if mine else [],
        said=[_said(one) for one in view.said],
        findings=[_finding(one, reasons.get((one.rule, one.subject), "")) for one in view.findings],
        document=_document(view) if view.document else None,
        return_reason=view.return_reason,
        revocation_reason=view.revocation_reason,
        valid_until=view.valid_until,
        verification_address=address,
        verification_code=_code(address) if address else "",
        may_write=mine and view.state is State.DRAFT,
        is_patient=call.actor.owns(view.patient_id),
    )


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


def _line(item: LineItem) -> Line:
    return Line(item.preparation, Decimal(item.dose), item.frequency, item.route, int(item.days), item.note)


def _line_item(line: Line) -> LineItem:
    return LineItem(
        preparation=line.preparation,
        dose=f"{line.dose:f}",
        frequency=line.frequency,
        route=line.route,
        days=line.days,
        note=line.note,
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


def _medicine(one: "Preparation") -> MedicineItem:
    return MedicineItem(
        code=one.code,
        name=one.name,
        label=one.label,
        unit=one.unit,
        piece=one.form.piece,
        strength=f"{one.strength:f}",
        routes=[RouteItem(code=route, name=ROUTES[route]) for route in one.routes],
    )


def _template(one: TemplateView) -> TemplateItem:
    return TemplateItem(id=one.id, name=one.name, medicines=len(one.lines), own=one.own)


def _queued(one: QueueItem) -> QueuedItem:
    return QueuedItem(
        id=one.id,
        number=one.number,
        patient_name=one.patient_name,
        prescriber=one.prescriber_name,
        medicines=one.medicines,
        signed_at=one.signed_at,
        taken_by=one.taken_by_name,
    )


_OF_CASE = "/api/v1/consultations/{consultation_id}/prescriptions"
_ONE = "/api/v1/prescriptions/{prescription_id}"
_CREATED = 201

ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/medicines", "searchMedicines", "Find preparations", _search, MedicineList, query=SearchQuery
    ),
    Endpoint(
        "GET",
        "/api/v1/medicine-frequencies",
        "medicineFrequencies",
        "How often medicines are taken",
        _frequencies,
        FrequencyList,
    ),
    Endpoint(
        "GET",
        "/api/v1/prescription-templates",
        "prescriptionTemplates",
        "Templates of a doctor",
        _templates,
        TemplateList,
    ),
    Endpoint("GET", "/api/v1/prescription-queue", "prescriptionQueue", "What waits for a pharmacist", _queue, Queue),
    Endpoint(
        "GET",
        _OF_CASE,
        "prescriptions",
        "The prescriptions of a consultation",
        _list,
        PrescriptionList,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        _OF_CASE,
        "draftPrescription",
        "Begin a prescription, or go on with it",
        _draft,
        PrescriptionItem,
        status=_CREATED,
        path_parameters=_CONSULTATION,
    ),
    Endpoint("GET", _ONE, "prescription", "A prescription", _get, PrescriptionItem, path_parameters=_PRESCRIPTION),
    Endpoint(
        "PUT",
        _ONE,
        "writePrescription",
        "Change a draft",
        _write,
        PrescriptionItem,
        body=EditRequest,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "DELETE", _ONE, "discardPrescription", "Throw a draft away", _discard, Done, path_parameters=_PRESCRIPTION
    ),
    Endpoint(
        "GET",
        f"{_ONE}/proposal",
        "proposeLine",
        "A line that fits the patient",
        _propose,
        ProposalItem,
        query=ProposalQuery,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/overrides",
        "overrideWarning",
        "Say why a warning does not hold",
        _override,
        PrescriptionItem,
        body=OverrideRequest,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/copy",
        "copyLastPrescription",
        "Fill a draft with the patient's last prescription",
        _copy,
        PrescriptionItem,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/use-template",
        "useTemplate",
        "Fill a draft with a template",
        _use,
        PrescriptionItem,
        body=UseRequest,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/template",
        "keepTemplate",
        "Keep the lines as a template",
        _keep,
        TemplateItem,
        body=TemplateRequest,
        status=_CREATED,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/signature",
        "signPrescription",
        "Sign a draft",
        _sign,
        PrescriptionItem,
        body=RevisionRequest,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/review",
        "takePrescription",
        "Take a prescription to review",
        _take,
        PrescriptionItem,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/approval",
        "approvePrescription",
        "Approve and countersign",
        _approve,
        PrescriptionItem,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/return",
        "returnPrescription",
        "Return to the doctor",
        _give_back,
        PrescriptionItem,
        body=ReasonRequest,
        path_parameters=_PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/revocation",
        "revokePrescription",
        "Take a prescription back",
        _revoke,
        PrescriptionItem,
        body=ReasonRequest,
        path_parameters=_PRESCRIPTION,
    ),
)
