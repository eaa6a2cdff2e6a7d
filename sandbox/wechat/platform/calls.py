"""How a call to api.weixin.qq.com is served: faults, token, body, errors, journal."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.multipart import BodyPartReader

from sandbox.errors import JsonObject
from sandbox.faults import Fault
from sandbox.requests import read_part
from sandbox.wechat.account import Account
from sandbox.wechat.errors import WechatError
from sandbox.wechat.media import LIMITS
from sandbox.wechat.phones import Phone

ACCOUNT = web.AppKey("account", Account)
MAX_JSON_BYTES = 1 << 20
MAX_UPLOAD_BYTES = max(LIMITS.values())
OK: JsonObject = {"errcode": 0, "errmsg": "ok"}
Answer = JsonObject | web.Response


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart body."""

    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Call:
    """A call, read."""

    account: Account
    query: dict[str, str]
    body: JsonObject = field(default_factory=dict)
    upload: Upload | None = None

    @property
    def openid(self) -> str | None:
        """The user that the call is about, where it is about one."""
        for name in ("touser", "openid", "user_id"):
            value = self.body.get(name) or self.query.get(name)
            if isinstance(value, str):
                return value
        return None

    def user(self) -> Phone:
        """The user that the call is about; 40003 when there is no such user."""
        phone = self.account.phones.find(self.openid or "")
        if phone is None:
            raise WechatError(40003)
        return phone

    def follower(self) -> Phone:
        """The user that the call is about; 43004 when the user does not follow."""
        phone = self.user()
        if not phone.following:
            raise WechatError(43004)
        return phone


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the platform. ``post`` says that GET is refused; ``token`` that an access token is demanded."""

    path: str
    serve: Callable[[Call], Answer]
    post: bool = True
    token: bool = True


def json_answer(content: JsonObject, status: int = 200) -> web.Response:
    """JSON as WeChat writes it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, headers={"Content-Type": "application/json; encoding=utf-8"})


def handler(endpoint: Endpoint) -> Callable[[web.Request], Any]:
    """The aiohttp handler of an endpoint."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _Serving(request, endpoint).run()

    return handle


class _Serving:
    """One call on its way through."""

    def __init__(self, request: web.Request, endpoint: Endpoint) -> None:
        self.request = request
        self.endpoint = endpoint
        self.account = request.app[ACCOUNT]
        self.call = Call(self.account, dict(request.query))
        self.shown_body = ""

    async def run(self) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        began = loop.time()
        refusal = await self._read()
        fault = self.account.faults.take(self.request.path, self.call.openid)
        if fault and fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        response = None if fault and fault.drop == "before" else self._answer(fault, refusal)
        self._write_journal((loop.time() - began) * 1000, response)
        if response is None or (fault and fault.drop):
            return self._lose_connection()
        return response

    async def _read(self) -> WechatError | None:
        """Read the body; gives the refusal of one that can't be read."""
        try:
            if self.request.content_type.startswith("multipart/"):
                self.call.upload = await self._read_upload()
            elif self.request.can_read_body:
                self.call.body = await self._read_json()
        except WechatError as error:
            return error
        return None

    async def _read_json(self) -> JsonObject:
        raw = await self.request.content.read(MAX_JSON_BYTES + 1)
        while not self.request.content.at_eof() and len(raw) <= MAX_JSON_BYTES:
            raw += await self.request.content.read(MAX_JSON_BYTES)
        if len(raw) > MAX_JSON_BYTES:
            raise WechatError(45002)
        try:
            self.shown_body = raw.decode()
            body = json.loads(self.shown_body)
        except (ValueError, RecursionError) as error:
            raise WechatError(47001) from error
        if not isinstance(body, dict):
            raise WechatError(47001)
        if "secret" in body:
            self.shown_body = json.dumps(body | {"secret": "…"})
        return body

    async def _read_upload(self) -> Upload:
        try:
            async for part in await self.request.multipart():
                if isinstance(part, BodyPartReader) and part.name == "media" and part.filename:
                    data = await read_part(part, MAX_UPLOAD_BYTES)
                    self.shown_body = f"<{len(data)} bytes>"
                    return Upload(part.filename, part.headers.get("Content-Type", "application/octet-stream"), data)
        except (ValueError, web.HTTPException) as error:
            raise WechatError(41005) from error
        raise WechatError(41005)

    def _answer(self, fault: Fault | None, refusal: WechatError | None) -> web.Response:
        if fault and (fault.errcode is not None or fault.status is not None or fault.body is not None):
            return self._faulty_answer(fault)
        try:
            if self.endpoint.post and self.request.method != "POST":
                raise WechatError(43002)
            if self.endpoint.token:
                self.account.tokens.check(self.call.query.get("access_token"))
            if refusal is not None:
                raise refusal
            answer = self.endpoint.serve(self.call)
        except WechatError as error:
            answer = {"errcode": error.errcode, "errmsg": error.errmsg}
        return answer if isinstance(answer, web.Response) else json_answer(answer)

    def _faulty_answer(self, fault: Fault) -> web.Response:
        if fault.body is not None or fault.errcode is None:
            return web.Response(body=(fault.body or "").encode(), status=fault.status or 200)
        error = WechatError(fault.errcode)
        return json_answer({"errcode": error.errcode, "errmsg": error.errmsg}, fault.status or 200)

    def _write_journal(self, ms: float, response: web.Response | None) -> None:
        answer = ""
        if response is not None and isinstance(response.body, bytes):
            answer = response.body[:2000].decode(errors="replace") if "json" in response.content_type else "<file>"
        self.account.journal.add(
            direction="in",
            method=self.request.method,
            path=self.request.path,
            openid=self.call.openid,
            errcode=_errcode(answer),
            status=response.status if response is not None else 0,
            ms=ms,
            body=self.shown_body,
            answer="<token>" if "access_token" in answer else answer,
        )

    def _lose_connection(self) -> web.Response:
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response()


def _errcode(answer: str) -> int | None:
    if not answer.startswith('{"errcode":'):
        return 0 if answer else None
    digits = answer[len('{"errcode":') :].split(",", 1)[0].rstrip("}")
    return int(digits)
