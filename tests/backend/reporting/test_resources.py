"""Studies and reports as the façade finds them: who, which version, by what."""

from collections.abc import Mapping
from typing import Any

import pytest

from backend.errors import NotFound
from backend.fhir.searching import ResourceSource
from backend.imaging.resources import ImagingStudySource
from backend.records.facade import Facade, SearchRequest
from backend.reporting.resources import DiagnosticReportSource
from tests.backend.reporting.conftest import ReportDesk
from tests.support.fhir_models import read_resource

BASE = "https://qiaoyi.example/fhir/R4"


@pytest.fixture
def facade(desk: ReportDesk) -> Facade:
    """The façade over studies and reports."""
    clinic = desk.clinic
    sources: list[ResourceSource] = [
        ImagingStudySource(clinic.database),
        DiagnosticReportSource(
            clinic.database, clinic.people, desk.imaging, lambda one: f"https://qiaoyi.example/{one}"
        ),
    ]
    return Facade(clinic.database, clinic.clock, clinic.audit, sources, BASE, "1.0.0")


async def found(facade: Facade, actor: Any, type_: str, query: Mapping[str, str] | None = None) -> list[Any]:
    """Search, and read what comes back by another library's models."""
    bundle = await facade.search(actor, SearchRequest(type_, tuple((query or {}).items()), strict=True))
    read_resource(bundle)
    return [one["resource"] for one in bundle.get("entry", [])]


async def test_a_study_is_listed_without_its_instances_and_read_with_them(desk: ReportDesk, facade: Facade) -> None:
    for reader in (desk.patient, desk.doctor, desk.expert):
        [listed] = await found(facade, reader, "ImagingStudy", {"patient": desk.patient.person_id})
        assert [one["numberOfInstances"] for one in listed["series"]] == [2]
        assert "instance" not in listed["series"][0]
        assert listed["meta"]["tag"][0]["code"] == "SUBSETTED"
        whole = await facade.read(reader, "ImagingStudy", listed["id"])
        read_resource(whole)
        assert [one["uid"] for one in whole["series"][0]["instance"]] == [
            f"{desk.study_uid}.1.1",
            f"{desk.study_uid}.1.2",
        ]
        assert "tag" not in whole["meta"]


async def test_studies_are_found_by_what_they_say(desk: ReportDesk, facade: Facade) -> None:
    [study] = await found(facade, desk.doctor, "ImagingStudy")
    day = str(study["started"])[:10]
    for query, finds in (
        ({"modality": "CT"}, True),
        ({"modality": "MR"}, False),
        ({"identifier": f"urn:dicom:uid|urn:oid:{desk.study_uid}"}, True),
        ({"identifier": f"urn:ietf:rfc:3986|urn:oid:{desk.study_uid}"}, False),
        ({"started": day}, True),
        ({"started": f"ge{day}"}, True),
        ({"started": f"gt{day}"}, False),
        ({"started": f"lt{day}"}, False),
        ({"started": f"ne{day}"}, False),
        ({"started": day[:4]}, True),
    ):
        assert bool(await found(facade, desk.doctor, "ImagingStudy", query)) is finds, query


async def test_a_draft_is_nobodys_report_and_an_amended_one_replaces_the_first(
    desk: ReportDesk, facade: Facade
) -> None:
    await desk.written()
    assert await found(facade, desk.expert, "DiagnosticReport") == []
    signed = await desk.signed()
    [first] = await found(facade, desk.patient, "DiagnosticReport", {"status": "final", "category": "RAD"})
    draft = await desk.reports.amend(desk.expert, signed.id, "补充对比旧片")
    [still] = await found(facade, desk.patient, "DiagnosticReport")
    assert still == first
    await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    [second] = await found(facade, desk.patient, "DiagnosticReport", {"identifier": signed.number})
    assert second["id"] == first["id"]
    assert [(one["status"], one["meta"]["versionId"]) for one in (first, second)] == [("final", "1"), ("amended", "2")]
    assert await found(facade, desk.patient, "DiagnosticReport", {"status": "final"}) == []
    assert await facade.read(desk.doctor, "DiagnosticReport", second["id"]) == second


async def test_studies_and_reports_are_for_those_of_the_consultation(desk: ReportDesk, facade: Facade) -> None:
    await desk.signed()
    [study] = await found(facade, desk.doctor, "ImagingStudy")
    stranger = await desk.clinic.patient("赵六")
    for type_ in ("ImagingStudy", "DiagnosticReport"):
        assert await found(facade, stranger, type_, {"patient": desk.patient.person_id}) == []
        with pytest.raises(NotFound):
            await facade.read(stranger, type_, study["id"])
