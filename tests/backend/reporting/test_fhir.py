"""A study and its report in FHIR R4, read by the models of another library."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.imagingstudy import ImagingStudy

from backend.imaging.fhir import dicom_moment, imaging_study
from backend.reporting import ReportDocuments, ReportView
from backend.reporting.fhir import diagnostic_report
from tests.backend.reporting.conftest import ReportDesk
from tests.support.imaging import documents_on


@pytest_asyncio.fixture
async def documents(desk: ReportDesk) -> AsyncIterator[ReportDocuments]:
    made = documents_on(desk.clinic, desk.imaging, desk.reports)
    yield made
    made.queue.close()


def given_moment(report: ReportView) -> datetime:
    """When it was signed, to the second."""
    assert report.signed_at is not None
    return report.signed_at.replace(microsecond=0)


PDF = "https://qiaoyi.example/api/v1/reports/1/pdf"


async def test_a_study_says_what_was_sent(desk: ReportDesk, documents: ReportDocuments) -> None:
    signed = await desk.signed()
    reported = await documents.reported_study(desk.doctor, signed.id)
    given = imaging_study(reported.study, reported.series)
    read: Any = ImagingStudy.model_validate(given)
    assert json.loads(read.model_dump_json()) == given
    assert read.identifier[0].value == f"urn:oid:{desk.study_uid}"
    assert (read.numberOfSeries, read.numberOfInstances) == (1, 2)
    assert [one.uid for one in read.series[0].instance] == [f"{desk.study_uid}.1.1", f"{desk.study_uid}.1.2"]
    assert read.modality[0].code == "CT"
    assert read.subject.reference == f"Patient/{desk.patient.person_id}"


async def test_a_report_is_final_and_an_amended_one_says_so(desk: ReportDesk, documents: ReportDocuments) -> None:
    first = await desk.signed()
    draft = await desk.reports.amend(desk.expert, first.id, "补充<对比>旧片")
    second = await desk.reports.sign(desk.expert, draft.id, revision=draft.revision)
    statuses = []
    for report in (first, second):
        reported = await documents.reported_study(desk.doctor, report.id)
        examined = dicom_moment(reported.study.study_date, reported.study.study_time)
        given = diagnostic_report(reported.report, examined, reported.author, PDF)
        read: Any = DiagnosticReport.model_validate(given)
        assert json.loads(read.model_dump_json()) == given
        assert read.code.coding[0].code == "18748-4"
        assert read.conclusion == report.impression
        assert read.issued == given_moment(report)
        assert read.imagingStudy[0].reference == f"ImagingStudy/{report.study_id}"
        assert read.resultsInterpreter[0].reference == f"Practitioner/{desk.expert.practitioner_id}"
        assert read.performer[0].reference == f"Organization/{desk.clinic.hospital}"
        assert read.presentedForm[0].url == PDF
        statuses.append((read.status, read.meta.versionId))
        assert report.findings in read.text.div
    assert statuses == [("final", "1"), ("amended", "2")]
    assert "补充&lt;对比&gt;旧片" in read.text.div


@pytest.mark.parametrize(
    ("date", "time", "moment"),
    [
        ("20261120", "101530", "2026-11-20T10:15:30+08:00"),
        ("20261120", "101530.123", "2026-11-20T10:15:30+08:00"),
        ("20261120", "1015", "2026-11-20T10:15:00+08:00"),
        ("20261120", "", "2026-11-20"),
        ("20261120", "nonsense", "2026-11-20"),
        ("", "101530", ""),
        ("20261399", "101530", ""),
    ],
)
def test_a_moment_of_dicom_is_written_as_fhir_writes_it(date: str, time: str, moment: str) -> None:
    assert dicom_moment(date, time) == moment
