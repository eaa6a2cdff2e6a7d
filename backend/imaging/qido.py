"""QIDO-RS: the studies of a consultation, their series and instances (PS3.18, section 10.6)."""

from collections.abc import Sequence
from typing import Any

from aiohttp import hdrs, web

from backend.imaging import ImagingService, InstanceView, SeriesView, StudyView
from backend.imaging.json_model import DataSet, address, code, identifier, number, person_name, text, whole
from backend.imaging.viewing import SERIES, STUDY, VIEW, Authorise, Viewer, handler, require_some

MEDIA_TYPE = "application/dicom+json"
MOST_INSTANCES = 5000
"""Instances of one answer; `offset` leads to the next."""

_NEITHER_NAMES_NOR_SELECTS = {"includefield", "fuzzymatching", "limit", "offset", "consultation", "accept"}
_ACCESSION = ("AccessionNumber", "00080050")
_STUDY = ("StudyInstanceUID", "0020000D")


def qido_routes(imaging: ImagingService, authorise: Authorise) -> list[web.RouteDef]:
    """Give the routes of the search transaction."""
    return [
        web.get(f"{VIEW}/studies", handler(imaging, authorise, _studies)),
        web.get(f"{STUDY}/series", handler(imaging, authorise, _series)),
        web.get(f"{STUDY}/instances", handler(imaging, authorise, _instances)),
        web.get(f"{SERIES}/instances", handler(imaging, authorise, _instances)),
    ]


async def _studies(viewer: Viewer) -> web.Response:
    """Find studies: of a `consultation` or its number (AccessionNumber), or those that wait with `quarantined=true`."""
    query = viewer.request.query
    _require_known(viewer, {*_ACCESSION, *_STUDY, "quarantined"})
    accession = next((query[name] for name in _ACCESSION if query.get(name)), "")
    if query.get("quarantined") == "true":
        found = await viewer.imaging.quarantined(viewer.actor)
    elif query.get("consultation"):
        found = await viewer.imaging.studies_of(viewer.actor, query["consultation"])
    elif accession:
        found = await viewer.imaging.studies_of_number(viewer.actor, accession)
    else:
        raise web.HTTPBadRequest(text="say which consultation, or its number as AccessionNumber")
    viewer.imaging.prepare_decoders()  # what comes next is a picture
    wanted = next((query[name] for name in _STUDY if query.get(name)), "")
    of = [study for study in found if wanted in ("", study.study_uid)]
    return _page(viewer, [_study_found(viewer, study) for study in of], most=100)


async def _series(viewer: Viewer) -> web.Response:
    _require_known(viewer, set())
    study = await viewer.study()
    found = await viewer.imaging.series_of(study)
    return _page(viewer, [_series_found(viewer, study, series) for series in found], most=1000)


async def _instances(viewer: Viewer) -> web.Response:
    _require_known(viewer, set())
    study = await viewer.study()
    limit = viewer.count("limit", MOST_INSTANCES, MOST_INSTANCES)
    offset = viewer.count("offset", 0, 10**9)
    series_uid = viewer.request.match_info.get("series", "")
    found = await viewer.imaging.instances_of(study, series_uid, offset=offset, limit=limit + 1)
    if series_uid and not offset:
        require_some(found)
    told = [_instance_found(viewer, instance) for instance in found[:limit]]
    return _answer(told, more=len(found) > limit)


def _require_known(viewer: Viewer, selecting: set[str]) -> None:
    """Refuse what is not searched for, rather than give more than was asked for."""
    unknown = set(viewer.request.query) - selecting - _NEITHER_NAMES_NOR_SELECTS
    if unknown:
        raise web.HTTPBadRequest(text="a parameter is not searched for")


def _page(viewer: Viewer, found: Sequence[DataSet], most: int) -> web.Response:
    limit, offset = viewer.count("limit", most, most), viewer.count("offset", 0, 10**9)
    return _answer(found[offset : offset + limit], more=len(found) > offset + limit)


def _answer(found: Sequence[DataSet], *, more: bool) -> web.Response:
    answer = web.json_response(list(found), content_type=MEDIA_TYPE)
    if more:
        answer.headers[hdrs.WARNING] = '299 qiaoyi "There are additional results that can be requested"'
    return answer


def _study_found(viewer: Viewer, study: StudyView) -> DataSet:
    patient = study.patient
    return {
        "00080020": text("DA", study.study_date),
        "00080030": text("TM", study.study_time),
        "00080050": text("SH", study.accession_number),
        "00080056": code("ONLINE"),
        "00080061": code(*study.modalities),
        "00081030": text("LO", study.description),
        "00081190": address(viewer.address(study.study_uid)),
        "00100010": person_name(patient.name),
        "00100020": text("LO", patient.patient_id),
        "00100030": text("DA", patient.birth_date),
        "00100040": text("CS", patient.sex),
        "0020000D": identifier(study.study_uid),
        "00201206": whole(study.series),
        "00201208": whole(study.instances),
    }


def _series_found(viewer: Viewer, study: StudyView, series: SeriesView) -> DataSet:
    return {
        "00080060": text("CS", series.modality),
        "0008103E": text("LO", series.description),
        "00081190": address(viewer.address(study.study_uid, "series", series.series_uid)),
        "00180015": text("CS", series.body_part),
        "0020000D": identifier(study.study_uid),
        "0020000E": identifier(series.series_uid),
        "00200011": whole(series.number),
        "00201209": whole(series.instances),
    }


def _instance_found(viewer: Viewer, instance: InstanceView) -> DataSet:
    place = (instance.study_uid, "series", instance.series_uid, "instances", instance.sop_instance_uid)
    image: dict[str, Any] = {}
    if instance.frames:
        image = {
            "00280008": whole(instance.frames),
            "00280010": number(instance.rows),
            "00280011": number(instance.columns),
        }
    return {
        "00080016": identifier(instance.sop_class_uid),
        "00080018": identifier(instance.sop_instance_uid),
        "00080056": code("ONLINE"),
        "00081190": address(viewer.address(*place)),
        "00083002": identifier(instance.transfer_syntax),
        "0020000D": identifier(instance.study_uid),
        "0020000E": identifier(instance.series_uid),
        "00200013": whole(instance.number),
        **image,
    }
