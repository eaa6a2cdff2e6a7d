"""Requests of patients to put a record right that wait for an answer: who has to give it, and since when."""

from datetime import datetime

from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.lists import institution_names
from miniprogram_api.endpoint import Model


class AmendmentItem(Model):
    """A request, without a word of what is written; the patient's name is masked.

    Attributes:
        consultation_id: where the reader may open the consultation; null where they may not.
        answers: the name of who has to answer, who works at `institution_name`.
        overdue: it has waited a week: somebody has to telephone.
    """

    id: str
    consultation_id: str | None
    number: str
    part_name: str
    patient_name: str
    answers: str
    institution_name: str
    asked_at: datetime
    overdue: bool


class AmendmentItems(Model):
    """The hundred that wait longest, the longest first."""

    items: list[AmendmentItem]


async def _waiting(call: ConsoleCall) -> AmendmentItems:
    found = await call.context.amendments.waiting(call.actor)
    opened = await call.context.consultations.overviews(call.actor, {one.consultation_id for one in found})
    may_open = {one.id for one in opened}
    names = await institution_names(call, {one.institution_id for one in found})
    return AmendmentItems(
        items=[
            AmendmentItem(
                id=one.id,
                consultation_id=one.consultation_id if one.consultation_id in may_open else None,
                number=one.number,
                part_name=one.part.label,
                patient_name=one.patient_name,
                answers=one.answers,
                institution_name=names[one.institution_id],
                asked_at=one.asked_at,
                overdue=one.overdue,
            )
            for one in found
        ]
    )


ENDPOINTS = (
    ConsoleEndpoint(
        "GET",
        "/console/api/amendments",
        "waitingAmendments",
        "Requests to put a record right that wait for an answer",
        _waiting,
        AmendmentItems,
    ),
)
