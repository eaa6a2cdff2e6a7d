"""One request to WeChat Pay and its answer, and what may be concluded where there is none."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from backend.payment.payments import PaymentRefused, PaymentUnclear, PaymentUnreachable
from backend.payment.reading import Malformed, field, read_object
from backend.payment.settings import WeChatPaySettings
from backend.payment.signatures import Signatures, Unproven

_LARGEST_ANSWER = 256 * 1024
_TOO_OFTEN = 429
_DOWNLOAD_SECONDS = 600.0
_PIECE = 1 << 16


class Client:
    """Signs requests, verifies answers, and says of every failure whether the request can have had an effect."""

    def __init__(self, settings: WeChatPaySettings, signatures: Signatures) -> None:
        self._settings = settings
        self._signatures = signatures
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request; `path` is what stands after the host, query included. Gives the answer's object.

        Raises:
            PaymentUnreachable: no connection was made, or it was turned away unread (too often).
            PaymentRefused: a proven no.
            PaymentUnclear: anything else.
        """
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        async with self._sent(method, path, body, self._settings.call_timeout) as response:
            answer = await response.content.read(_LARGEST_ANSWER + 1)
            while len(answer) <= _LARGEST_ANSWER and (more := await response.content.read(_LARGEST_ANSWER)):
                answer += more
            return self._concluded(response, answer)

    @asynccontextmanager
    async def download(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the pieces of a file that an answer named; it carries no signature, so what it holds has to be checked.

        Raises:
            PaymentUnreachable, PaymentUnclear: as `call`; PaymentUnclear too for an address of another host.
        """
        target, home = URL(url, encoded=True), URL(self._settings.api_url)
        if target.origin() != home.origin():
            raise PaymentUnclear("a file of another host")
        async with self._sent("GET", target.raw_path_qs, b"", _DOWNLOAD_SECONDS) as response:
            if response.status != 200:
                raise PaymentUnclear(f"HTTP {response.status}")
            yield response.content.iter_chunked(_PIECE)

    @asynccontextmanager
    async def _sent(self, method: str, path: str, body: bytes, seconds: float) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {
            "Authorization": self._signatures.authorization(method, path, body),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "qiaoyi",
            "Wechatpay-Serial": self._settings.platform_key_id,
        }
        url = URL(self._settings.api_url.rstrip("/") + path, encoded=True)
        timeout = aiohttp.ClientTimeout(total=seconds, connect=self._settings.connect_timeout)
        try:
            async with self._http().request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise PaymentUnreachable(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PaymentUnclear(type(error).__name__) from None

    def _concluded(self, response: aiohttp.ClientResponse, answer: bytes) -> dict[str, Any]:
        status = response.status
        if status >= 500 or len(answer) > _LARGEST_ANSWER:
            raise PaymentUnclear(f"HTTP {status}")
        try:
            self._signatures.verify(response.headers, answer)
            content = read_object(answer) if answer else {}
            if 200 <= status < 300:
                return content
            code = field(content, "code", str)
        except (Unproven, Malformed) as error:
            raise PaymentUnclear(f"HTTP {status}, {error}") from None
        if status == _TOO_OFTEN:
            raise PaymentUnreachable(code)
        raise PaymentRefused(code)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Nothing of an answer is kept, and no proxy of the machine's reads along.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        return self._session
