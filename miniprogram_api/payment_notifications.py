"""Where the payment provider tells what became of a payment: not for people, and outside the document of the API.

Source: pay.weixin.qq.com, 支付成功回调通知: 200 or 204 ends it; after anything else, said with code and message, it
comes again.
"""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from backend.payment.inbox import PaymentInbox
from backend.payment.payments import ForgedNotification
from miniprogram_api.endpoint import BodyTooLarge, SlowBody, received

log = logging.getLogger(__name__)

NOTIFICATIONS = "/wechat-pay/notifications"
"""Its path on the product's server."""

Count = Callable[[str], None]
"""Counts an outcome: taken, repeated, failed, or why one was refused."""


def notification_route(inbox: PaymentInbox, count: Count) -> web.RouteDef:
    """Give the route of the notifications."""
    return web.post(NOTIFICATIONS, _taking(inbox, count))


def _taking(inbox: PaymentInbox, count: Count) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def take(request: web.Request) -> web.Response:
        try:
            is_new = await inbox.take(request.headers, await received(request))
        except ForgedNotification as forgery:
            log.warning("payment notification refused: reason=%s", forgery.reason)
            return _told(400, forgery.reason, count)
        except BodyTooLarge:
            return _told(413, "too_large", count)
        except SlowBody:
            return _told(408, "slow_body", count)
        except Exception as error:
            # It comes again: nothing of it was noted.
            log.error("payment notification not taken: error=%s", type(error).__name__)
            return _told(503, "failed", count)
        count("taken" if is_new else "repeated")
        return web.Response(status=204)

    return take


def _told(status: int, outcome: str, count: Count) -> web.Response:
    count(outcome)
    return web.json_response({"code": "FAIL", "message": outcome}, status=status)
