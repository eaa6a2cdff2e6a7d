"""Carrying a message to the insurer and its answer back, bounded in time and size."""

import aiohttp

from backend.insurance.insurer import InsurerUnclear, InsurerUnreachable
from backend.insurance.messages import LARGEST_ANSWER

_SIDE_BY_SIDE = 32


class Transport:
    """The connections to one insurer. Close it when done.

    Args:
        timeout: seconds for a message and its answer; connecting may take a third of them.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=timeout / 3)
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End the connections."""
        if self._http is not None:
            await self._http.close()

    async def post(self, body: bytes) -> bytes:
        """Send a message and give what came back.

        Raises:
            InsurerUnreachable: no connection was made. InsurerUnclear: anything else went wrong.
        """
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "identity"}
        try:
            async with self._session().post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise InsurerUnclear(f"status {answer.status}")
                return await _bounded(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise InsurerUnreachable(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise InsurerUnclear(type(error).__name__) from None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:  # made inside of a running loop
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_SIDE_BY_SIDE),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                trust_env=False,
                auto_decompress=False,
            )
        return self._http


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > LARGEST_ANSWER:
            answer.close()
            raise InsurerUnclear("too large")
        parts.append(part)
    return b"".join(parts)
