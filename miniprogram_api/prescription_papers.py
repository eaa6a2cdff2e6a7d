"""An approved prescription as a file, for those who may read it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from backend.errors import NotFound
from backend.security.policy import SYSTEM
from miniprogram_api.endpoint import Call, Endpoint, File
from miniprogram_api.report_documents import SHOWN_BY_BROWSERS, PdfLink

if TYPE_CHECKING:
    from miniprogram_api.context import Context

LINKED_PDF = "/h5/prescriptions/{token}.pdf"

_PATH = "/api/v1/prescriptions/{prescription_id}/pdf"
_PRESCRIPTION = {"prescription_id": "The prescription."}
_PDF = "application/pdf"
_LINK_OVER = "这个链接已经失效，请回到处方页面重新打开。"


async def _pdf(call: Call) -> File:
    return File(content=await call.context.papers.pdf(call.actor, call.path["prescription_id"]))


async def _link(call: Call) -> PdfLink:
    view = await call.context.prescriptions.prescription(call.actor, call.path["prescription_id"])
    if view.approved_at is None:
        raise NotFound
    token, until = call.context.prescription_links.mint(view.id)
    return PdfLink(address=LINKED_PDF.format(token=token), expires_at=until)


def linked_prescription(context: "Context") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give the handler of the address that `linkPrescriptionPdf` answers with. Who asked for it was audited then."""

    async def serve(request: web.Request) -> web.Response:
        prescription_id = context.prescription_links.read(request.match_info["token"])
        if prescription_id is None:
            raise NotFound(_LINK_OVER)
        body = await context.papers.pdf(SYSTEM, prescription_id)
        return web.Response(body=body, content_type=_PDF, headers=SHOWN_BY_BROWSERS)

    return serve


ENDPOINTS = (
    Endpoint(
        "GET",
        _PATH,
        "prescriptionPdf",
        "An approved prescription as it is printed",
        _pdf,
        File,
        path_parameters=_PRESCRIPTION,
        media_type=_PDF,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/link",
        "linkPrescriptionPdf",
        "An address that opens the PDF for half an hour",
        _link,
        PdfLink,
        status=201,
        path_parameters=_PRESCRIPTION,
    ),
)
