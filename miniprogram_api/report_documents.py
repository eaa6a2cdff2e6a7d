"""A signed report as a file: the PDF for printing and the resources of FHIR, for those who may read it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from backend.errors import NotFound
from backend.imaging.fhir import dicom_moment, imaging_study
from backend.reporting.fhir import diagnostic_report
from backend.security.policy import SYSTEM
from miniprogram_api.endpoint import Call, Endpoint, File, Model

if TYPE_CHECKING:
    from miniprogram_api.context import Context

LINKED_PDF = "/h5/reports/{token}.pdf"

_PATH = "/api/v1/reports/{report_id}"
PDF = f"{_PATH}/pdf"
"""The path of the PDF of a signed report."""
_REPORT = {"report_id": "The identifier of one version of a report."}
_PDF = "application/pdf"
# The policy that answers have otherwise would also keep a browser's own viewer from working.
SHOWN_BY_BROWSERS = {
    "Content-Disposition": 'inline; filename="report.pdf"',
    "Content-Security-Policy": "frame-ancestors 'none'",
}
_LINK_OVER = "这个链接已经失效，请回到报告页面重新打开。"


class PdfLink(Model):
    """Where whoever has the address sees the PDF, until `expires_at`: for what cannot say who asks, such as a tab."""

    address: str
    expires_at: datetime


class FhirReport(Model):
    """A signed report and the study that it is of, as `DiagnosticReport` and `ImagingStudy` of FHIR R4."""

    diagnostic_report: dict[str, Any]
    imaging_study: dict[str, Any]


async def _pdf(call: Call) -> File:
    return File(content=await call.context.documents.pdf(call.actor, call.path["report_id"]))


async def _link(call: Call) -> PdfLink:
    report = await call.context.documents.signed(call.actor, call.path["report_id"])
    token, until = call.context.report_links.mint(report.id)
    return PdfLink(address=LINKED_PDF.format(token=token), expires_at=until)


async def _fhir(call: Call) -> FhirReport:
    reported = await call.context.documents.reported_study(call.actor, call.path["report_id"])
    report = reported.report
    address = call.context.public_url + PDF.format(report_id=report.id)
    examined = dicom_moment(reported.study.study_date, reported.study.study_time)
    return FhirReport(
        diagnostic_report=diagnostic_report(report, examined, reported.author, address),
        imaging_study=imaging_study(reported.study, reported.series),
    )


def linked_pdf(context: "Context") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give the handler of the address that `linkReportPdf` answers with. Who asked for it was audited then."""

    async def serve(request: web.Request) -> web.Response:
        report_id = context.report_links.read(request.match_info["token"])
        if report_id is None:
            raise NotFound(_LINK_OVER)
        body = await context.documents.pdf(SYSTEM, report_id)
        return web.Response(body=body, content_type=_PDF, headers=SHOWN_BY_BROWSERS)

    return serve


ENDPOINTS = (
    Endpoint(
        "GET",
        PDF,
        "reportPdf",
        "A signed report as it is printed",
        _pdf,
        File,
        path_parameters=_REPORT,
        media_type=_PDF,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/pdf/link",
        "linkReportPdf",
        "An address that opens the PDF for half an hour",
        _link,
        PdfLink,
        status=201,
        path_parameters=_REPORT,
    ),
    Endpoint(
        "GET",
        f"{_PATH}/fhir",
        "reportFhir",
        "A signed report and its study in FHIR R4",
        _fhir,
        FhirReport,
        path_parameters=_REPORT,
    ),
)
