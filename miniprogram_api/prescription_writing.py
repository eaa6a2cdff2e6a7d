"""Writing a prescription: the draft with the findings of the checks, templates, the doctor's signature."""

from typing import Annotated

from pydantic import Field, StringConstraints

from backend.prescription import TemplateView
from miniprogram_api.endpoint import Call, Endpoint, Model, Name, Number, Reason
from miniprogram_api.prescription_items import (
    CONSULTATION,
    OF_CASE,
    ONE,
    PRESCRIPTION,
    Code,
    Done,
    LineItem,
    PrescriptionItem,
    line_item,
    line_of,
    prescription_item,
)

_LARGEST = 2**31 - 1

Icd10 = Annotated[str, StringConstraints(min_length=3, max_length=12)]


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


class ProposalQuery(Model):
    """Of which preparation."""

    preparation: Code


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

    name: Name


class UseRequest(Model):
    """Which template."""

    template_id: Annotated[str, Field(max_length=64)]


async def _draft(call: Call) -> PrescriptionItem:
    return prescription_item(call, await call.context.prescriptions.draft(call.actor, call.path["consultation_id"]))


async def _write(call: Call) -> PrescriptionItem:
    body = call.body
    view = await call.context.prescriptions.write(
        call.actor,
        call.path["prescription_id"],
        revision=int(body.revision),
        lines=None if body.lines is None else [line_of(one) for one in body.lines],
        diagnoses=body.diagnoses,
        chronic=body.chronic,
        in_person=body.in_person,
    )
    return prescription_item(call, view)


async def _discard(call: Call) -> Done:
    await call.context.prescriptions.discard(call.actor, call.path["prescription_id"])
    return Done(id=call.path["prescription_id"])


async def _override(call: Call) -> PrescriptionItem:
    body = call.body
    view = await call.context.prescriptions.override(
        call.actor, call.path["prescription_id"], body.rule, body.subject, body.reason, revision=int(body.revision)
    )
    return prescription_item(call, view)


async def _copy(call: Call) -> PrescriptionItem:
    return prescription_item(call, await call.context.prescriptions.copy_last(call.actor, call.path["prescription_id"]))


async def _use(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.use_template(
        call.actor, call.path["prescription_id"], call.body.template_id
    )
    return prescription_item(call, view)


async def _propose(call: Call) -> ProposalItem:
    found = await call.context.prescriptions.proposal(call.actor, call.path["prescription_id"], call.query.preparation)
    return ProposalItem(line=line_item(found.line), why=found.why)


async def _sign(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.sign(
        call.actor, call.path["prescription_id"], revision=int(call.body.revision)
    )
    return prescription_item(call, view)


async def _keep(call: Call) -> TemplateItem:
    kept = await call.context.prescriptions.save_template(call.actor, call.path["prescription_id"], call.body.name)
    return _template(kept)


async def _templates(call: Call) -> TemplateList:
    return TemplateList(items=[_template(one) for one in await call.context.prescriptions.templates(call.actor)])


def _template(one: TemplateView) -> TemplateItem:
    return TemplateItem(id=one.id, name=one.name, medicines=len(one.lines), own=one.own)


ENDPOINTS = (
    Endpoint(
        "POST",
        OF_CASE,
        "draftPrescription",
        "Begin a prescription, or go on with it",
        _draft,
        PrescriptionItem,
        status=201,
        path_parameters=CONSULTATION,
    ),
    Endpoint(
        "PUT",
        ONE,
        "writePrescription",
        "Change a draft",
        _write,
        PrescriptionItem,
        body=EditRequest,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint("DELETE", ONE, "discardPrescription", "Throw a draft away", _discard, Done, path_parameters=PRESCRIPTION),
    Endpoint(
        "GET",
        f"{ONE}/proposal",
        "proposeLine",
        "A line that fits the patient",
        _propose,
        ProposalItem,
        query=ProposalQuery,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/overrides",
        "overrideWarning",
        "Say why a warning does not hold",
        _override,
        PrescriptionItem,
        body=OverrideRequest,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/copy",
        "copyLastPrescription",
        "Fill a draft with the patient's last prescription",
        _copy,
        PrescriptionItem,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/use-template",
        "useTemplate",
        "Fill a draft with a template",
        _use,
        PrescriptionItem,
        body=UseRequest,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/template",
        "keepTemplate",
        "Keep the lines as a template",
        _keep,
        TemplateItem,
        body=TemplateRequest,
        status=201,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "GET",
        "/api/v1/prescription-templates",
        "prescriptionTemplates",
        "Templates of a doctor",
        _templates,
        TemplateList,
    ),
    Endpoint(
        "POST",
        f"{ONE}/signature",
        "signPrescription",
        "Sign a draft",
        _sign,
        PrescriptionItem,
        body=RevisionRequest,
        path_parameters=PRESCRIPTION,
    ),
)
