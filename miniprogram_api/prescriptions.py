"""Prescriptions: read by those who may know of them, reviewed by pharmacists, taken back by their doctors."""

from datetime import datetime

from backend.prescription import QueueItem
from miniprogram_api.endpoint import Call, Endpoint, Model, Reason
from miniprogram_api.prescription_items import (
    CONSULTATION,
    OF_CASE,
    ONE,
    PRESCRIPTION,
    PrescriptionItem,
    prescription_item,
)


class PrescriptionList(Model):
    """Prescriptions of a consultation, as far as the reader may know of them; `may_write`: they may write more."""

    may_write: bool
    items: list[PrescriptionItem]


class ReasonRequest(Model):
    """Why."""

    reason: Reason


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


async def _list(call: Call) -> PrescriptionList:
    service, consultation_id = call.context.prescriptions, call.path["consultation_id"]
    views = await service.prescriptions_of(call.actor, consultation_id)
    may_write = await service.may_write(call.actor, consultation_id)
    return PrescriptionList(may_write=may_write, items=[prescription_item(call, view) for view in views])


async def _get(call: Call) -> PrescriptionItem:
    return prescription_item(
        call, await call.context.prescriptions.prescription(call.actor, call.path["prescription_id"])
    )


async def _queue(call: Call) -> Queue:
    return Queue(items=[_queued(one) for one in await call.context.prescriptions.queue(call.actor)])


async def _take(call: Call) -> PrescriptionItem:
    return prescription_item(call, await call.context.prescriptions.take(call.actor, call.path["prescription_id"]))


async def _approve(call: Call) -> PrescriptionItem:
    return prescription_item(call, await call.context.prescriptions.approve(call.actor, call.path["prescription_id"]))


async def _give_back(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.give_back(call.actor, call.path["prescription_id"], call.body.reason)
    return prescription_item(call, view)


async def _revoke(call: Call) -> PrescriptionItem:
    view = await call.context.prescriptions.revoke(call.actor, call.path["prescription_id"], call.body.reason)
    return prescription_item(call, view)


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


ENDPOINTS = (
    Endpoint("GET", "/api/v1/prescription-queue", "prescriptionQueue", "What waits for a pharmacist", _queue, Queue),
    Endpoint(
        "GET",
        OF_CASE,
        "prescriptions",
        "The prescriptions of a consultation",
        _list,
        PrescriptionList,
        path_parameters=CONSULTATION,
    ),
    Endpoint("GET", ONE, "prescription", "A prescription", _get, PrescriptionItem, path_parameters=PRESCRIPTION),
    Endpoint(
        "POST",
        f"{ONE}/review",
        "takePrescription",
        "Take a prescription to review",
        _take,
        PrescriptionItem,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/approval",
        "approvePrescription",
        "Approve and countersign",
        _approve,
        PrescriptionItem,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/return",
        "returnPrescription",
        "Return to the doctor",
        _give_back,
        PrescriptionItem,
        body=ReasonRequest,
        path_parameters=PRESCRIPTION,
    ),
    Endpoint(
        "POST",
        f"{ONE}/revocation",
        "revokePrescription",
        "Take a prescription back",
        _revoke,
        PrescriptionItem,
        body=ReasonRequest,
        path_parameters=PRESCRIPTION,
    ),
)
