"""Images that a doctor brings: what became of an upload, and whose the studies in quarantine are."""

from pydantic import Field

from backend.errors import NotFound
from backend.imaging import (
    QUARANTINE_WORDS,
    BatchView,
    Comparison,
    QuarantineReason,
    StudyState,
    StudyView,
    readable_name,
    words_of,
)
from miniprogram_api.endpoint import Call, Endpoint, Model, Reason

_CONSULTATION = {"consultation_id": "The consultation."}
_STUDY = {"study_id": "A study that waits for a person."}


class BatchQuery(Model):
    """Which of the reader's choices of files; the last one where it is not said."""

    batch: str = Field("", pattern="^([0-9a-f]{32})?$")


class RefusedFile(Model):
    """A file that was not taken, and why."""

    name: str
    reason: str
    words: str


class StudyPart(Model):
    """How many images of an upload are of a study, and whose that is; `words` say why it waits for a person.

    Attributes:
        here: it belongs to the consultation that was asked about.
    """

    id: str
    state: StudyState
    here: bool
    words: str
    modalities: list[str]
    instances: int


class UploadResult(Model):
    """What became of all that was chosen together; `batch` is empty where nothing was.

    Attributes:
        receiving: files and bundles that are not here yet. waiting: those that are still being read.
        stored, skipped, refused: images that are kept, files that are no images, files that are not taken.
        held_up: why it does not go on at present; empty where it does.
    """

    batch: str
    receiving: int
    waiting: int
    stored: int
    skipped: int
    refused: int
    held_up: str
    files: list[RefusedFile]
    studies: list[StudyPart]


class WaitingStudy(Model):
    """A study that waits for a person to say whose it is, with what its images say; dates are YYYYMMDD."""

    id: str
    reason: QuarantineReason
    words: str
    patient: str
    sex: str
    birth_date: str
    patient_number: str
    description: str
    modalities: list[str]
    study_date: str
    instances: int


class WaitingStudies(Model):
    """The studies of the reader's institution that wait, the oldest first."""

    items: list[WaitingStudy]


class CaseItem(Model):
    """A running consultation of the reader's institution."""

    id: str
    number: str
    patient: str


class CaseList(Model):
    """The consultations to which a study may be assigned, the newest first."""

    items: list[CaseItem]


class TraitItem(Model):
    """One trait of the patient, as the images say it and as it is known; `trait` is name, sex or birth_date."""

    trait: str
    sent: str
    known: str
    result: Comparison


class TraitList(Model):
    """Whom a study says that it is of, beside the patient of a consultation."""

    items: list[TraitItem]


class AssignRequest(Model):
    """Which consultation a study belongs to, and why."""

    consultation_id: str = Field(pattern="^[0-9a-f]{32}$")
    reason: Reason


class RejectRequest(Model):
    """Why a study belongs to no consultation."""

    reason: Reason


class DecidedStudy(Model):
    """How a study stands after a decision."""

    id: str
    state: StudyState


async def _result(call: Call) -> UploadResult:
    consultation_id = call.path["consultation_id"]
    view = await call.context.imaging.batch(call.actor, consultation_id, call.query.batch)
    view = view or BatchView(call.query.batch, 0, 0, 0, 0, 0, "", (), ())
    return UploadResult(
        batch=view.batch,
        receiving=view.receiving,
        waiting=view.waiting,
        stored=view.stored,
        skipped=view.skipped,
        refused=view.refused,
        held_up=words_of(view.fault) if view.fault else "",
        files=[RefusedFile(name=name, reason=code, words=words_of(code)) for name, code in view.faults],
        studies=[
            StudyPart(
                id=study.id,
                state=study.state,
                here=study.consultation_id == consultation_id,
                words=_words(study),
                modalities=list(study.modalities),
                instances=instances,
            )
            for study, instances in view.studies
        ],
    )


def _words(study: StudyView) -> str:
    return QUARANTINE_WORDS[study.reason] if study.reason else ""


async def _waiting(call: Call) -> WaitingStudies:
    views = await call.context.imaging.quarantined(call.actor)
    return WaitingStudies(items=[_waiting_study(view) for view in views])


def _waiting_study(view: StudyView) -> WaitingStudy:
    if view.reason is None:
        raise NotFound
    return WaitingStudy(
        id=view.id,
        reason=view.reason,
        words=_words(view),
        patient=readable_name(view.patient.name),
        sex=view.patient.sex,
        birth_date=view.patient.birth_date,
        patient_number=view.patient.patient_id,
        description=view.description,
        modalities=list(view.modalities),
        study_date=view.study_date,
        instances=view.instances,
    )


async def _cases(call: Call) -> CaseList:
    found = await call.context.imaging.choices(call.actor)
    return CaseList(items=[CaseItem(id=one.id, number=one.number, patient=one.patient_name) for one in found])


async def _differences(call: Call) -> TraitList:
    found = await call.context.imaging.differences(call.actor, call.path["study_id"], call.path["consultation_id"])
    return TraitList(
        items=[
            TraitItem(trait=one.trait, sent=readable_name(one.sent), known=one.known, result=one.result)
            for one in found
        ]
    )


async def _assign(call: Call) -> DecidedStudy:
    view = await call.context.imaging.assign(
        call.actor, call.path["study_id"], call.body.consultation_id, call.body.reason
    )
    return DecidedStudy(id=view.id, state=view.state)


async def _reject(call: Call) -> DecidedStudy:
    view = await call.context.imaging.reject(call.actor, call.path["study_id"], call.body.reason)
    return DecidedStudy(id=view.id, state=view.state)


_QUARANTINE = "/api/v1/imaging/quarantine"

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/consultations/{consultation_id}/uploads",
        "uploadResult",
        "What became of the files that were chosen for a consultation",
        _result,
        UploadResult,
        query=BatchQuery,
        path_parameters=_CONSULTATION,
    ),
    Endpoint("GET", _QUARANTINE, "waitingStudies", "Studies whose patient is not certain", _waiting, WaitingStudies),
    Endpoint("GET", "/api/v1/imaging/cases", "casesForStudies", "Where a study may belong", _cases, CaseList),
    Endpoint(
        "GET",
        f"{_QUARANTINE}/{{study_id}}/differences/{{consultation_id}}",
        "studyDifferences",
        "Whom a study is of, beside the patient of a consultation",
        _differences,
        TraitList,
        path_parameters=_STUDY | _CONSULTATION,
    ),
    Endpoint(
        "POST",
        f"{_QUARANTINE}/{{study_id}}/assignment",
        "assignStudy",
        "Say which consultation a study belongs to",
        _assign,
        DecidedStudy,
        body=AssignRequest,
        path_parameters=_STUDY,
    ),
    Endpoint(
        "POST",
        f"{_QUARANTINE}/{{study_id}}/rejection",
        "rejectStudy",
        "Say that a study belongs to no consultation",
        _reject,
        DecidedStudy,
        body=RejectRequest,
        path_parameters=_STUDY,
    ),
)
