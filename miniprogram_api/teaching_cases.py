"""Recommending a finished consultation for the case library, from the page of its reports."""

from backend.teaching_cases import CaseState
from miniprogram_api.endpoint import Call, Endpoint, Model

_PATH = "/api/v1/consultations/{consultation_id}/teaching-case"
_CONSULTATION = {"consultation_id": "The consultation."}


class TeachingStanding(Model):
    """Whether the reader may recommend the consultation, and where it stands.

    Attributes:
        state: null where nobody has recommended it, or it is no business of the reader.
        sentence: what to tell them of the state; empty without one.
    """

    may_propose: bool
    state: CaseState | None
    sentence: str


async def _standing(call: Call) -> TeachingStanding:
    await _require_reader(call)
    may_propose, state = await call.context.teaching_cases.proposal(call.actor, call.path["consultation_id"])
    said = "" if state is None else f"教学病例：{state.label}。"
    return TeachingStanding(may_propose=may_propose, state=state, sentence=said)


async def _propose(call: Call) -> TeachingStanding:
    await _require_reader(call)
    state = await call.context.teaching_cases.propose(call.actor, call.path["consultation_id"])
    return TeachingStanding(may_propose=False, state=state, sentence=state.told)


async def _require_reader(call: Call) -> None:
    """Refuse whoever may not read the reports on whose page this stands."""
    await call.context.reports.signed(call.actor, call.path["consultation_id"])


ENDPOINTS = (
    Endpoint(
        "GET",
        _PATH,
        "teachingStanding",
        "Whether the consultation may be recommended for teaching",
        _standing,
        TeachingStanding,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        _PATH,
        "proposeForTeaching",
        "Recommend the consultation for teaching",
        _propose,
        TeachingStanding,
        path_parameters=_CONSULTATION,
    ),
)
