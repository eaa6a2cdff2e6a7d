"""HTTP to one hospital: bounded in time, in bytes and in what it follows; retried where that can do no harm."""

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import hdrs

from backend.clock import Clock, backoff
from backend.records.hospital.access import Access, FixedAccess, GivenToken, SmartAccess, SmartLogin, granted
from backend.records.hospital.addresses import GuardedResolver
from backend.records.hospital.breaker import Breaker
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.validation import issue_codes

FHIR_JSON = "application/fhir+json"
_JSON_TYPES = {FHIR_JSON, "application/json", "application/json+fhir"}
_SIDE_BY_SIDE = 4  # connections to one hospital: a slow one holds no more than these
_LARGEST_TOKEN_ANSWER = 64 * 1024
_LONGEST_RETRY_AFTER = 20.0
_FAULTS = {
    401: FaultCode.UNAUTHORIZED,
    403: FaultCode.UNAUTHORIZED,
    404: FaultCode.NOT_FOUND,
    409: FaultCode.CHANGED,
    410: FaultCode.NOT_FOUND,
    412: FaultCode.CHANGED,
    408: FaultCode.SLOW,
    425: FaultCode.DOWN,
    429: FaultCode.DOWN,
    504: FaultCode.SLOW,
}


@dataclass(frozen=True)
class Limits:
    """What one hospital may cost us.

    Args:
        seconds: for one request, connecting included; connect_seconds: for the connection.
        attempts: how often a request is made that may be repeated.
        page_bytes: of one answer, unpacked. search_bytes: of all pages of a search.
        pages, resources: of one search.
        page_size: resources that are asked for at once (`_count`).
    """

    seconds: float = 10.0
    connect_seconds: float = 5.0
    attempts: int = 3
    first_retry: timedelta = timedelta(milliseconds=300)
    longest_retry: timedelta = timedelta(seconds=5)
    page_bytes: int = 8 * 1024**2
    search_bytes: int = 32 * 1024**2
    pages: int = 40
    resources: int = 2_500
    page_size: int = 200


@dataclass(frozen=True)
class HospitalAddress:
    """Where a hospital is and how we log in.

    Args:
        login: a bearer token, or what SMART backend services need; "" for none.
        private: whether it may lie in a private network.
    """

    url: str
    login: str | SmartLogin = ""
    private: bool = False


@dataclass(frozen=True)
class Answer:
    """A successful answer: its status, body, and the headers that matter."""

    status: int
    body: bytes
    etag: str
    location: str


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    data: bytes | Mapping[str, str] | None
    most_bytes: int

    def as_fhir(self, authorization: str) -> "_Request":
        headers: dict[str, str] = self.headers | {hdrs.ACCEPT: FHIR_JSON}
        if authorization:
            headers[hdrs.AUTHORIZATION] = authorization
        if self.data is not None:
            headers[hdrs.CONTENT_TYPE] = FHIR_JSON
        return replace(self, headers=headers)


class Transport:
    """The connections to one hospital, its login and its circuit breaker. Close it when done."""

    def __init__(self, address: HospitalAddress, clock: Clock, limits: Limits) -> None:
        self.limits = limits
        connector = aiohttp.TCPConnector(limit=_SIDE_BY_SIDE, resolver=GuardedResolver(private=address.private))
        self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        self._breaker = Breaker(clock)
        self._access: Access
        if isinstance(address.login, SmartLogin):
            self._access = SmartAccess(address.login, clock, self._ask_for_token)
        else:
            self._access = FixedAccess(address.login)

    async def close(self) -> None:
        """End the connections."""
        await self._http.close()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        most_bytes: int | None = None,
    ) -> Answer:
        """Make one request, and make it again after a passing fault where that changes nothing.

        Args:
            repeatable: whether making it twice has the effect of making it once.
            most_bytes: of the answer, where less than a page is allowed.

        Raises:
            HospitalFault: as its code says.
        """
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        most = self.limits.page_bytes if most_bytes is None else min(most_bytes, self.limits.page_bytes)
        attempts = self.limits.attempts if repeatable else 1
        for attempt in range(1, attempts + 1):
            try:
                async with self._breaker.guard():
                    return await self._logged_in(_Request(method, url, dict(headers or {}), data, most))
            except HospitalFault as fault:
                if not fault.passing or attempt == attempts:
                    raise
                wait = fault.retry_seconds
            await asyncio.sleep(self._pause(attempt) if wait is None else wait)
        raise AssertionError("unreachable")

    def _pause(self, attempt: int) -> float:
        """Give how long to wait, with jitter, so that many who failed together do not come back together."""
        pause = backoff(attempt, self.limits.first_retry, self.limits.longest_retry)
        return pause.total_seconds() * random.uniform(0.5, 1.5)

    async def _logged_in(self, request: _Request) -> Answer:
        """Make a request, once more where a token was refused that may have been taken back."""
        authorization = await self._access.header()
        try:
            return await self._exchange(request.as_fhir(authorization))
        except HospitalFault as fault:
            if not fault.detail.startswith("401") or not self._access.refused(authorization):
                raise
        return await self._exchange(request.as_fhir(await self._access.header()))

    async def _exchange(self, request: _Request) -> Answer:
        timeout = aiohttp.ClientTimeout(total=self.limits.seconds, sock_connect=self.limits.connect_seconds)
        try:
            async with self._http.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.data,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _bounded(response, request.most_bytes)
                _require_success(response, body)
                etag, location = (response.headers.get(name, "") for name in (hdrs.ETAG, hdrs.LOCATION))
                return Answer(response.status, body, etag, location)
        except TimeoutError:
            raise HospitalFault(FaultCode.SLOW, "no answer in time") from None
        except (aiohttp.InvalidURL, ValueError) as error:
            raise HospitalFault(FaultCode.NOT_FHIR, type(error).__name__) from None
        except (aiohttp.ClientError, OSError) as error:
            raise HospitalFault(FaultCode.DOWN, type(error).__name__) from None

    async def _ask_for_token(self, url: str, form: Mapping[str, str]) -> GivenToken:
        request = _Request(hdrs.METH_POST, url, {hdrs.ACCEPT: "application/json"}, form, _LARGEST_TOKEN_ANSWER)
        try:
            answer = await self._exchange(request)
        except HospitalFault as fault:
            if fault.passing or fault.fault is FaultCode.NOT_FHIR:
                raise
            raise HospitalFault(FaultCode.UNAUTHORIZED, f"token endpoint: {fault.detail}") from None
        try:
            return granted(json.loads(answer.body))
        except ValueError:
            raise HospitalFault(FaultCode.NOT_FHIR, "token endpoint: no JSON") from None


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            response.close()  # what is still to come is not waited for
            raise HospitalFault(FaultCode.TOO_LARGE, f"more than {most} bytes")
    return bytes(body)


def _require_success(response: aiohttp.ClientResponse, body: bytes) -> None:
    """Raise what an answer says against the request, or against itself."""
    status = response.status
    if 300 <= status < 400:
        raise HospitalFault(FaultCode.NOT_FHIR, f"{status} redirect")
    is_json = response.content_type in _JSON_TYPES
    if status < 300:
        if body and not is_json:
            raise HospitalFault(FaultCode.NOT_FHIR, f"{status} {_safe(response.content_type)}")
        return
    default = FaultCode.DOWN if status >= 500 else FaultCode.REFUSED
    codes = issue_codes(body) if is_json else ""
    detail = f"{status} {codes}" if codes else str(status)
    raise HospitalFault(_FAULTS.get(status, default), detail, _retry_after(response))


def _safe(content_type: str) -> str:
    return content_type[:40] if content_type.isascii() and content_type.isprintable() else "odd content type"


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    said = response.headers.get(hdrs.RETRY_AFTER, "")
    return min(float(said), _LONGEST_RETRY_AFTER) if said.isascii() and said.isdigit() else None
