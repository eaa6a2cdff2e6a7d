"""Prescriptions and orders from above: how many, where they stand, what stands still. Nothing of what they say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from backend.dispensing import OrderOverview
from backend.prescription import PrescriptionFilter, PrescriptionOverview, State
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.lists import Counted, PageQuery, SpanQuery, institution_names, places, span_of
from miniprogram_api.endpoint import Model

_PATH = "/console/api/prescriptions"
_PRESCRIPTION = {"prescription_id": "The prescription."}
_STATES = {
    State.DRAFT: "药师退回，等医生改",
    State.SIGNED: "等药师审核",
    State.VALID: "审核通过，还没取药",
    State.PARTLY_DISPENSED: "已取一部分",
    State.DISPENSED: "已取药",
    State.REVOKED: "已作废",
    State.EXPIRED: "过期没有取药",
}
_MOMENTS = {
    "begun": "开始开处方",
    "signed": "医生签名",
    "returned": "药师退回",
    "approved": "药师审核通过",
    "revoked": "医生作废",
    "expired": "过了有效期",
}


class PrescriptionTotalsQuery(SpanQuery):
    """Which prescriptions; days are those on which they were begun."""

    state: State | None = None
    number: Annotated[str, StringConstraints(max_length=32)] = ""
    overridden: bool = False
    returned: bool = False


class PrescriptionsQuery(PrescriptionTotalsQuery, PageQuery):
    """Which prescriptions, and which page of them."""


class PrescriptionItem(Model):
    """A prescription in a list; the patient's name is masked.

    Attributes:
        overridden: how many warnings it passes over with a reason. returns: how often a pharmacist returned it.
    """

    id: str
    number: str
    state: State
    state_name: str
    institution_name: str
    patient_name: str
    prescriber_name: str
    overridden: int
    returns: int
    created_at: datetime
    signed_at: datetime | None
    approved_at: datetime | None


class PrescriptionItems(Model):
    """A page; `next_cursor` is empty at the end."""

    items: list[PrescriptionItem]
    next_cursor: str


class PrescriptionTotalsAnswer(Model):
    """How many there are; `overridden` of them pass over `warnings` warnings, `returned` were returned."""

    since: datetime
    until: datetime
    total: int
    overridden: int
    warnings: int
    returned: int
    by_state: list[Counted]
    by_day: list[Counted]
    by_institution: list[Counted]


class OverseenOrderItem(Model):
    """An order for medicines; `since` is since when it stands where it does, `stuck` for longer than it should."""

    id: str
    number: str
    prescription_id: str
    pharmacy_name: str
    patient_name: str
    method_name: str
    state_name: str
    placed_at: datetime
    since: datetime
    stuck: bool


class OverseenOrderItems(Model):
    """Orders that stand still; `next_cursor` is empty at the end."""

    now: datetime
    items: list[OverseenOrderItem]
    next_cursor: str


class MomentItem(Model):
    """Something that happened."""

    at: datetime
    by: str
    text: str


class PrescriptionAnswer(Model):
    """One prescription and what happened to it, without what it says."""

    id: str
    number: str
    state: State
    state_name: str
    consultation_id: str
    institution_name: str
    patient_name: str
    prescriber_name: str
    reviewer_name: str
    chronic: bool
    valid_until: datetime | None
    moments: list[MomentItem]
    orders: list[OverseenOrderItem]


async def _prescriptions(call: ConsoleCall) -> PrescriptionItems:
    page = await call.context.prescriptions.search(
        call.actor, await _filter(call), limit=call.query.limit, cursor=call.query.cursor
    )
    names = await institution_names(call, {one.institution_id for one in page.items})
    return PrescriptionItems(items=[_item(one, names) for one in page.items], next_cursor=page.next_cursor)


async def _totals(call: ConsoleCall) -> PrescriptionTotalsAnswer:
    found = await call.context.prescriptions.totals(call.actor, await _filter(call))
    names = await institution_names(call, found.by_institution)
    since, until = span_of(call)
    places_ = [Counted(key=key, name=names[key], count=count) for key, count in found.by_institution.items()]
    return PrescriptionTotalsAnswer(
        since=since,
        until=until,
        total=found.total,
        overridden=found.overridden,
        warnings=found.warnings,
        returned=found.returned,
        by_state=[
            Counted(key=one, name=_STATES[one], count=found.by_state[one]) for one in State if one in found.by_state
        ],
        by_day=[Counted(key=str(day), name=str(day), count=count) for day, count in reversed(found.by_day.items())],
        by_institution=sorted(places_, key=lambda one: (-one.count, one.name)),
    )


async def _prescription(call: ConsoleCall) -> PrescriptionAnswer:
    found, orders = await call.context.dispensing.overseen(call.actor, call.path["prescription_id"])
    names = await institution_names(call, {found.institution_id, *(one.pharmacy_id for one in orders)})
    return PrescriptionAnswer(
        id=found.id,
        number=found.number,
        state=found.state,
        state_name=_STATES[found.state],
        consultation_id=found.consultation_id,
        institution_name=names[found.institution_id],
        patient_name=found.patient_name,
        prescriber_name=found.prescriber_name,
        reviewer_name=found.reviewer_name,
        chronic=found.chronic,
        valid_until=found.valid_until,
        moments=[MomentItem(at=one.at, by=one.by, text=_said(one.kind, one.overridden)) for one in found.moments],
        orders=[_order(one, names) for one in orders],
    )


async def _stuck(call: ConsoleCall) -> OverseenOrderItems:
    page = await call.context.dispensing.stuck(call.actor, limit=call.query.limit, cursor=call.query.cursor)
    names = await institution_names(call, {one.pharmacy_id for one in page.items})
    return OverseenOrderItems(
        now=call.context.clock.now(),
        items=[_order(one, names) for one in page.items],
        next_cursor=page.next_cursor,
    )


async def _filter(call: ConsoleCall) -> PrescriptionFilter:
    wanted = call.query
    since, until = span_of(call)
    return PrescriptionFilter(
        state=wanted.state,
        institution_ids=await places(call),
        number=wanted.number,
        since=since,
        until=until,
        overridden=wanted.overridden,
        returned=wanted.returned,
    )


def _said(kind: str, overridden: int) -> str:
    said = _MOMENTS[kind]
    return f"{said}（写了理由，越过{overridden}条用药提醒）" if overridden else said


def _item(one: PrescriptionOverview, names: Mapping[str, str]) -> PrescriptionItem:
    return PrescriptionItem(
        id=one.id,
        number=one.number,
        state=one.state,
        state_name=_STATES[one.state],
        institution_name=names[one.institution_id],
        patient_name=one.patient_name,
        prescriber_name=one.prescriber_name,
        overridden=one.overridden,
        returns=one.returns,
        created_at=one.created_at,
        signed_at=one.signed_at,
        approved_at=one.approved_at,
    )


def _order(one: OrderOverview, names: Mapping[str, str]) -> OverseenOrderItem:
    return OverseenOrderItem(
        id=one.id,
        number=one.number,
        prescription_id=one.prescription_id,
        pharmacy_name=names[one.pharmacy_id],
        patient_name=one.patient_name,
        method_name=one.method.label,
        state_name=one.state.label,
        placed_at=one.placed_at,
        since=one.since,
        stuck=one.stuck,
    )


ENDPOINTS = (
    ConsoleEndpoint(
        "GET",
        _PATH,
        "searchPrescriptions",
        "Look for prescriptions",
        _prescriptions,
        PrescriptionItems,
        query=PrescriptionsQuery,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/totals",
        "prescriptionTotals",
        "Prescriptions counted",
        _totals,
        PrescriptionTotalsAnswer,
        query=PrescriptionTotalsQuery,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/{{prescription_id}}",
        "overseenPrescription",
        "What happened to one",
        _prescription,
        PrescriptionAnswer,
        path_parameters=_PRESCRIPTION,
    ),
    ConsoleEndpoint(
        "GET",
        "/console/api/medicine-orders",
        "stuckOrders",
        "Orders that stand still",
        _stuck,
        OverseenOrderItems,
        query=PageQuery,
    ),
)
