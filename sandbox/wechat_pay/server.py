"""api.mch.weixin.qq.com: requests checked and served, answers signed, faults done to them."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.errors import JsonObject
from sandbox.faults import Fault
from sandbox.wechat_pay.bills import fund_bill, trade_bill
from sandbox.wechat_pay.book import CHINA, Refusal, china_time
from sandbox.wechat_pay.keys import PLATFORM_KEY_ID
from sandbox.wechat_pay.merchant_side import WeChatPay
from sandbox.wechat_pay.notifier import tampered
from sandbox.wechat_pay.signing import is_signed, sealed

_BILL_HOUR = 10
_DOWNLOAD = "/v3/billdownload/file"
_STALE_SECONDS = 600.0
Serve = Callable[[web.Request, JsonObject], JsonObject | str | None]


class Api:
    """The API of one merchant. ``serve`` functions give JSON, the text of a file, or None for nothing."""

    def __init__(self, pay: WeChatPay, payer_is_known: Callable[[str], bool]) -> None:
        self._pay = pay
        self._book = pay.book
        self._payer_is_known = payer_is_known

    def routes(self) -> list[web.RouteDef]:
        """Its routes."""
        served: list[tuple[str, str, Serve]] = [
            ("POST", "/v3/pay/transactions/jsapi", self._prepay),
            ("GET", "/v3/pay/transactions/out-trade-no/{number}", self._query),
            ("POST", "/v3/pay/transactions/out-trade-no/{number}/close", self._close),
            ("POST", "/v3/refund/domestic/refunds", self._refund),
            ("GET", "/v3/refund/domestic/refunds/{number}", self._refund_of),
            ("GET", "/v3/bill/tradebill", self._trade_bill),
            ("GET", "/v3/bill/fundflowbill", self._fund_bill),
            ("GET", _DOWNLOAD, self._download),
            ("GET", "/v3/certificates", self._certificates),
        ]
        return [web.route(method, path, self._handler(serve)) for method, path, serve in served]

    def _handler(self, serve: Serve) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            loop = asyncio.get_running_loop()
            began = loop.time()
            body = await request.read()
            fault = self._pay.faults.take(request.path, _openid(body))
            if fault and fault.latency_ms:
                await asyncio.sleep(fault.latency_ms / 1000)
            answer = None if fault and fault.drop == "before" else self._answer(request, body, serve, fault)
            self._write_journal(request, body, answer, (loop.time() - began) * 1000)
            if answer is None or (fault and fault.drop):
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            return answer

        return handle

    def _answer(self, request: web.Request, body: bytes, serve: Serve, fault: Fault | None) -> web.Response:
        if fault and (fault.status is not None or fault.body is not None):
            return web.Response(body=(fault.body or "").encode(), status=fault.status or 200)
        try:
            self._check(request, body)
            content, status = serve(request, _json(body)), 200
        except Refusal as refusal:
            content, status = {"code": refusal.code, "message": refusal.message}, refusal.status
        kind = fault.kind if fault else None
        if isinstance(content, str):
            text = content.replace("1", "7") if kind == "tampered_amount" else content
            return web.Response(body=text.encode(), content_type="text/plain")
        if kind == "tampered_amount" and content and "amount" in content:
            content = tampered(content)
        raw = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        return web.Response(
            body=raw, status=204 if content is None else status, headers=self._headers(request, raw, kind)
        )

    def _headers(self, request: web.Request, raw: bytes, kind: str | None) -> dict[str, str]:
        now = self._pay.clock.now() - (_STALE_SECONDS if kind == "stale_timestamp" else 0.0)
        by_key = request.headers.get("Wechatpay-Serial") == PLATFORM_KEY_ID
        serial = PLATFORM_KEY_ID if by_key else f"{self._pay.keys.certificate.serial_number:X}"
        headers = self._pay.signed(raw, now, serial)
        if kind == "bad_signature":
            headers["Wechatpay-Nonce"] = headers["Wechatpay-Nonce"][::-1]
        return headers

    def _check(self, request: web.Request, body: bytes) -> None:
        line = f"{request.method}\n{request.raw_path}"
        authorization = request.headers.get("Authorization", "")
        if not is_signed(self._pay.merchant, authorization, line, body, self._pay.clock.now()):
            raise Refusal(401, "SIGN_ERROR", "商户签名错误，或时间相差太多")

    def _own(self, body: JsonObject) -> None:
        if (body.get("mchid"), body.get("appid", self._pay.settings.app_id)) != (
            self._pay.settings.mchid,
            self._pay.settings.app_id,
        ):
            raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")

    def _prepay(self, _request: web.Request, body: JsonObject) -> JsonObject:
        self._own(body)
        return {"prepay_id": self._book.prepay(body, self._payer_is_known).prepay_id}

    def _query(self, request: web.Request, _body: JsonObject) -> JsonObject:
        self._own(dict(request.query))
        order = self._book.order(request.match_info["number"])
        return self._book.told_order(order, self._pay.settings.mchid, self._pay.settings.app_id)

    def _close(self, request: web.Request, body: JsonObject) -> None:
        self._own(body)
        self._book.close(request.match_info["number"])

    def _refund(self, _request: web.Request, body: JsonObject) -> JsonObject:
        refund, is_new = self._book.refund(body)
        if is_new:
            self._pay.announce(refund)
        return self._book.told_refund(refund)

    def _refund_of(self, request: web.Request, _body: JsonObject) -> JsonObject:
        if (refund := self._book.refunds.get(request.match_info["number"])) is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return self._book.told_refund(refund)

    def _trade_bill(self, request: web.Request, _body: JsonObject) -> JsonObject:
        return self._told_bill(request, "trade")

    def _fund_bill(self, request: web.Request, _body: JsonObject) -> JsonObject:
        return self._told_bill(request, "funds")

    def _told_bill(self, request: web.Request, kind: str) -> JsonObject:
        day = self._day(request)
        text = self._bill(kind, day)
        if not text:
            raise Refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        url = f"{request.url.origin()}{_DOWNLOAD}?token={kind}-{day.isoformat()}"
        return {"hash_type": "SHA1", "hash_value": digest, "download_url": url}

    def _day(self, request: web.Request) -> date:
        try:
            day = date.fromisoformat(request.query.get("bill_date", ""))
        except ValueError:
            raise Refusal(400, "PARAM_ERROR", "bill_date 不对") from None
        ready = datetime(day.year, day.month, day.day, _BILL_HOUR, tzinfo=CHINA) + timedelta(days=1)
        if self._pay.clock.now() < ready.timestamp():
            raise Refusal(400, "STATEMENT_CREATING", "账单生成中")
        return day

    def _bill(self, kind: str, day: date) -> str:
        if kind == "funds":
            return fund_bill(self._book, day)
        return trade_bill(self._book, day, self._pay.settings.mchid, self._pay.settings.app_id)

    def _download(self, request: web.Request, _body: JsonObject) -> str:
        kind, _, day = request.query.get("token", "").partition("-")
        try:
            return self._bill(kind, date.fromisoformat(day))
        except ValueError:
            raise Refusal(400, "PARAM_ERROR", "token 不对") from None

    def _certificates(self, _request: web.Request, _body: JsonObject) -> JsonObject:
        certificate = self._pay.keys.certificate
        entry = {
            "serial_no": f"{certificate.serial_number:X}",
            "effective_time": china_time(certificate.not_valid_before_utc.timestamp()),
            "expire_time": china_time(certificate.not_valid_after_utc.timestamp()),
            "encrypt_certificate": sealed(self._pay.settings.api_v3_key, _pem(certificate), "certificate"),
        }
        return {"data": [entry]}

    def _write_journal(self, request: web.Request, body: bytes, answer: web.Response | None, ms: float) -> None:
        told = "" if answer is None or not isinstance(answer.body, bytes) else answer.body.decode(errors="replace")
        self._pay.journal.add(
            direction="in",
            method=request.method,
            path=request.path,
            openid=_openid(body),
            errcode=None,
            status=answer.status if answer is not None else 0,
            ms=ms,
            body=body.decode(errors="replace"),
            answer=told,
        )


def _json(body: bytes) -> JsonObject:
    if not body:
        return {}
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Refusal(400, "PARAM_ERROR", "请求体不是JSON")
    return content


def _openid(body: bytes) -> str | None:
    try:
        payer = json.loads(body).get("payer", {})
    except (ValueError, RecursionError, AttributeError):
        return None
    openid = payer.get("openid") if isinstance(payer, dict) else None
    return openid if isinstance(openid, str) else None


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
