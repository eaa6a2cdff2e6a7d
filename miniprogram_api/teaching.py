"""Copies of studies for teaching: how they stand, and asking for those of one study."""

from pydantic import Field

from backend.imaging import PatientsWord, TeachingRequest, TeachingState
from miniprogram_api.endpoint import Call, Endpoint, Model, Reason

_CONSULTATION = {"consultation_id": "The consultation."}
_ID = "^[0-9a-f]{32}$"


class TeachingPlaceItem(Model):
    """Who gets copies: the name of an imaging system, and of whom it is."""

    id: str
    label: str
    institution: str


class TeachingRequestItem(Model):
    """Copies of a study that somebody asked for.

    Attributes:
        total, arrived, stayed: images; stayed are those that do not go. sentence: why not, empty where all goes.
    """

    place: TeachingPlaceItem
    state: TeachingState
    total: int
    arrived: int
    stayed: int
    sentence: str


class TeachingStudyItem(Model):
    """A study with images, and what was asked for of it; `date` is YYYYMMDD or empty."""

    id: str
    description: str
    date: str
    modalities: list[str]
    images: int
    requests: list[TeachingRequestItem]


class TeachingAnswer(Model):
    """The copies for teaching of a consultation; without `may_ask` there is nothing in it.

    Attributes:
        patient: whether the patient agrees to teaching with their images.
        places: to whom copies can go.
    """

    may_ask: bool
    patient: PatientsWord
    places: list[TeachingPlaceItem]
    studies: list[TeachingStudyItem]


class TeachingAsked(Model):
    """Copies of which study go to whom, and why."""

    study: str = Field(pattern=_ID)
    place: str = Field(pattern=_ID)
    reason: Reason


def _request(request: TeachingRequest) -> TeachingRequestItem:
    return TeachingRequestItem.model_validate({**vars(request), "place": vars(request.place)})


async def _overview(call: Call) -> TeachingAnswer:
    view = await call.context.imaging.teaching(call.actor, call.path["consultation_id"])
    return TeachingAnswer(
        may_ask=view.may_ask,
        patient=view.patient,
        places=[TeachingPlaceItem.model_validate(vars(place)) for place in view.places],
        studies=[
            TeachingStudyItem(
                id=study.id,
                description=study.description,
                date=study.study_date,
                modalities=list(study.modalities),
                images=study.images,
                requests=[_request(request) for request in requests],
            )
            for study, requests in view.studies
        ],
    )


async def _ask(call: Call) -> TeachingAnswer:
    await call.context.imaging.send_for_teaching(call.actor, call.body.study, call.body.place, call.body.reason)
    return await _overview(call)


_PATH = "/api/v1/consultations/{consultation_id}/teaching"

ENDPOINTS = (
    Endpoint(
        "GET",
        _PATH,
        "teachingCopies",
        "How its copies for teaching stand",
        _overview,
        TeachingAnswer,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        _PATH,
        "askForTeachingCopies",
        "Let de-identified copies of a study go to those who teach, once the patient agrees",
        _ask,
        TeachingAnswer,
        body=TeachingAsked,
        status=201,
        path_parameters=_CONSULTATION,
    ),
)
