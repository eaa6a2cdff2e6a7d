"""Reports of a consultation's images: written, signed and amended by its expert, read by those who take part."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from backend.imaging import StudyView
from backend.reporting import (
    SLIP_SENTENCES,
    CriticalView,
    ReportState,
    ReportView,
    Slip,
    critical_findings_for,
    templates_for,
)
from backend.security.policy import SYSTEM
from miniprogram_api.endpoint import Call, Endpoint, Model, Note, Number, Written

if TYPE_CHECKING:
    from backend.people.service import PeopleService

_CONSULTATION = {"consultation_id": "The consultation."}
_REPORT = {"report_id": "A version of a report."}
_CRITICAL = {"critical_id": "A critical value."}
_MOST = {"examination": 200, "findings": 10_000, "impression": 5000}

StudyUid = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]


class ReportStanding(Model):
    """What somebody could do on the page of the reports: `signed` reports can be read, and they may write them."""

    may_write: bool
    signed: int


class TemplateItem(Model):
    """A skeleton of a report; `____` stands where something is to be filled in."""

    code: str
    name: str
    examination: str
    findings: str
    impression: str


class StudyItem(Model):
    """A study that can be reported, with the skeletons that fit it and the names of findings that cannot wait.

    Attributes:
        modalities: DICOM's codes. taken_on: YYYYMMDD, empty where it was not sent.
    """

    study_uid: str
    description: str
    modalities: list[str]
    taken_on: str
    instances: int
    templates: list[TemplateItem]
    critical_findings: list[str]


class ReportItem(Model):
    """A version of a report.

    Attributes:
        number: the same for all versions. revision: to be sent with the next edit of a draft.
        amendment_reason: why it replaced the version before; empty for the first.
    """

    id: str
    number: str
    version: int
    state: ReportState
    revision: int
    study_uid: str
    examination: str
    findings: str
    impression: str
    amendment_reason: str
    author_name: str
    institution_name: str
    updated_at: datetime
    signed_at: datetime | None


class CriticalItem(Model):
    """A critical value, and which doctor has it in hand since when."""

    id: str
    study_uid: str
    text: str
    marked_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None


class ReportDesk(Model):
    """Everything on the page of the reports, as far as the reader may see it.

    Attributes:
        is_patient: the reader is the one whom it is about. may_confirm: they may take a critical value in hand.
        studies, critical_values: for those who treat alone.
    """

    number: str
    patient_name: str
    patient_sex: str
    doctor_name: str
    is_patient: bool
    may_write: bool
    may_confirm: bool
    studies: list[StudyItem]
    reports: list[ReportItem]
    critical_values: list[CriticalItem]


class DraftRequest(Model):
    """Of which study."""

    study_uid: StudyUid


class EditRequest(Model):
    """What changes of a draft; `revision` is the one that its writer saw."""

    revision: Number = Field(ge=0, le=2**31 - 1)
    examination: Annotated[Written, Field(max_length=_MOST["examination"])] | None = None
    findings: Annotated[Written, Field(max_length=_MOST["findings"])] | None = None
    impression: Annotated[Written, Field(max_length=_MOST["impression"])] | None = None


class SlipItem(Model):
    """What may be a slip of the pen."""

    code: Slip
    sentence: str


class SlipList(Model):
    """What may be slips of the pen in a draft."""

    items: list[SlipItem]


class SignatureRequest(Model):
    """The revision that the expert has read, and what may be a slip and is meant."""

    revision: Number = Field(ge=0, le=2**31 - 1)
    confirmed: Annotated[list[Slip], Field(max_length=8)] = []


class AmendmentRequest(Model):
    """Why a signed report is changed; printed on the new version."""

    reason: Note


class CriticalRequest(Model):
    """What cannot wait, and in which study."""

    study_uid: StudyUid
    text: Note


class Discarded(Model):
    """The draft that was thrown away."""

    id: str


async def _standing(call: Call) -> ReportStanding:
    reports, consultation_id = call.context.reports, call.path["consultation_id"]
    may_write = await reports.may_write(call.actor, consultation_id)
    return ReportStanding(may_write=may_write, signed=await reports.signed(call.actor, consultation_id))


async def _desk(call: Call) -> ReportDesk:
    context, consultation_id = call.context, call.path["consultation_id"]
    may_write = await context.reports.may_write(call.actor, consultation_id)
    views = await context.reports.reports_of(call.actor, consultation_id)
    case = await context.consultations.get(call.actor, consultation_id)
    is_patient = call.actor.owns(case.patient_id)
    studies, critical = [], []
    if not is_patient:
        studies = await context.imaging.studies_of(call.actor, consultation_id)
        critical = await context.critical_values.values_of(call.actor, consultation_id)
    sex = (await context.people.person(SYSTEM, case.patient_id)).sex
    uids = {study.id: study.study_uid for study in studies}
    return ReportDesk(
        number=case.number,
        patient_name=case.patient_name,
        patient_sex=sex,
        doctor_name=case.doctor_name,
        is_patient=is_patient,
        may_write=may_write,
        may_confirm=not is_patient and not may_write,
        studies=[_study(study, sex) for study in studies],
        reports=[await _report(context.people, view) for view in views],
        critical_values=[await _critical(context.people, view, uids.get(view.study_id, "")) for view in critical],
    )


async def _draft(call: Call) -> ReportItem:
    consultation_id = call.path["consultation_id"]
    view = await call.context.reports.draft(call.actor, consultation_id, call.body.study_uid)
    return await _report(call.context.people, view)


async def _write(call: Call) -> ReportItem:
    fields = {name: getattr(call.body, name) for name in _MOST}
    view = await call.context.reports.write(
        call.actor, call.path["report_id"], revision=int(call.body.revision), **fields
    )
    return await _report(call.context.people, view)


async def _discard(call: Call) -> Discarded:
    await call.context.reports.discard(call.actor, call.path["report_id"])
    return Discarded(id=call.path["report_id"])


async def _slips(call: Call) -> SlipList:
    found = await call.context.reports.slips(call.actor, call.path["report_id"])
    return SlipList(items=[SlipItem(code=slip, sentence=SLIP_SENTENCES[slip]) for slip in found])


async def _sign(call: Call) -> ReportItem:
    view = await call.context.reports.sign(
        call.actor, call.path["report_id"], revision=int(call.body.revision), confirmed=call.body.confirmed
    )
    return await _report(call.context.people, view)


async def _amend(call: Call) -> ReportItem:
    view = await call.context.reports.amend(call.actor, call.path["report_id"], call.body.reason)
    return await _report(call.context.people, view)


async def _mark(call: Call) -> CriticalItem:
    view = await call.context.critical_values.mark(
        call.actor, call.path["consultation_id"], call.body.study_uid, call.body.text
    )
    return await _critical(call.context.people, view, call.body.study_uid)


async def _confirm(call: Call) -> CriticalItem:
    view = await call.context.critical_values.confirm(call.actor, call.path["critical_id"])
    return await _critical(call.context.people, view, "")


def _study(study: StudyView, sex: str) -> StudyItem:
    templates = [
        TemplateItem(
            code=one.code,
            name=one.name,
            examination=one.examination,
            findings=one.findings,
            impression=one.impression,
        )
        for one in templates_for(study.modalities, study.description, sex)
    ]
    return StudyItem(
        study_uid=study.study_uid,
        description=study.description,
        modalities=list(study.modalities),
        taken_on=study.study_date,
        instances=study.instances,
        templates=templates,
        critical_findings=[one.name for one in critical_findings_for(study.modalities)],
    )


async def _report(people: "PeopleService", view: ReportView) -> ReportItem:
    author = await people.practitioner(view.author_id)
    return ReportItem(
        id=view.id,
        number=view.number,
        version=view.version,
        state=view.state,
        revision=view.revision,
        study_uid=view.study_uid,
        examination=view.examination,
        findings=view.findings,
        impression=view.impression,
        amendment_reason=view.amendment_reason,
        author_name=author.name,
        institution_name=author.institution_name,
        updated_at=view.updated_at,
        signed_at=view.signed_at,
    )


async def _critical(people: "PeopleService", view: CriticalView, study_uid: str) -> CriticalItem:
    confirmed_by = (await people.practitioner(view.confirmed_by)).name if view.confirmed_by else ""
    return CriticalItem(
        id=view.id,
        study_uid=study_uid,
        text=view.text,
        marked_at=view.marked_at,
        confirmed_by=confirmed_by,
        confirmed_at=view.confirmed_at,
    )


_OF_CASE = "/api/v1/consultations/{consultation_id}"
_ONE = "/api/v1/reports/{report_id}"

ENDPOINTS = (
    Endpoint(
        "GET",
        f"{_OF_CASE}/reports/standing",
        "reportStanding",
        "Whether there is something to write or to read",
        _standing,
        ReportStanding,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "GET",
        f"{_OF_CASE}/reports",
        "reportDesk",
        "The reports of a consultation, and what their writer needs",
        _desk,
        ReportDesk,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        f"{_OF_CASE}/reports",
        "draftReport",
        "Begin the report of a study, or go on with it",
        _draft,
        ReportItem,
        body=DraftRequest,
        status=201,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "PUT",
        _ONE,
        "writeReport",
        "Change a draft",
        _write,
        ReportItem,
        body=EditRequest,
        path_parameters=_REPORT,
    ),
    Endpoint("DELETE", _ONE, "discardReport", "Throw a draft away", _discard, Discarded, path_parameters=_REPORT),
    Endpoint(
        "GET",
        f"{_ONE}/slips",
        "reportSlips",
        "What may be a slip of the pen in a draft",
        _slips,
        SlipList,
        path_parameters=_REPORT,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/signature",
        "signReport",
        "Sign a draft",
        _sign,
        ReportItem,
        body=SignatureRequest,
        path_parameters=_REPORT,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/amendment",
        "amendReport",
        "Begin a new version of a signed report",
        _amend,
        ReportItem,
        body=AmendmentRequest,
        status=201,
        path_parameters=_REPORT,
    ),
    Endpoint(
        "POST",
        f"{_OF_CASE}/critical-values",
        "markCritical",
        "Tell the doctor at once of something that cannot wait",
        _mark,
        CriticalItem,
        body=CriticalRequest,
        status=201,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "POST",
        "/api/v1/critical-values/{critical_id}/confirmation",
        "confirmCritical",
        "Take a critical value in hand",
        _confirm,
        CriticalItem,
        path_parameters=_CRITICAL,
    ),
)
