"""The receipt of a settled charge as a file: whoever holds the address that the chat has made may see it, no more."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from backend.errors import NotFound
from backend.security.policy import SYSTEM
from miniprogram_api.report_documents import SHOWN_BY_BROWSERS

if TYPE_CHECKING:
    from miniprogram_api.context import Context

LINKED_PDF = "/h5/invoices/{token}.pdf"

_LINK_OVER = "这个链接已经失效。请回到微信里，说“我的账单”，点那一笔，再点“看电子发票”。"


def linked_invoice(context: "Context") -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give the handler of the address of a receipt: it shows the receipt as it counts now."""

    async def serve(request: web.Request) -> web.Response:
        charge_id = context.invoice_links.read(request.match_info["token"])
        if charge_id is None or context.invoicing is None:
            raise NotFound(_LINK_OVER)
        body = await context.invoicing.pdf(SYSTEM, charge_id)
        headers = SHOWN_BY_BROWSERS | {"Content-Disposition": 'inline; filename="invoice.pdf"'}
        return web.Response(body=body, content_type="application/pdf", headers=headers)

    return serve
