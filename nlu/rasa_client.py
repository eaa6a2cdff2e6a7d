"""Asks a Rasa server what a sentence wants, over its HTTP API, and believes only what can be true.

The API: https://legacy-docs-oss.rasa.com/docs/rasa/http-api/ (``POST /model/parse``, ``GET /status``).
"""

import json
from typing import Annotated

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_BODY_BYTES = 65_536
"""A reply to a sentence is some kilobytes long; what is longer is no such reply."""
PROBE = "头疼三天了"
_READY_SECONDS = 5.0
_UNSURE = "nlu_fallback"
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class RasaFault(Exception):
    """A server that cannot be used; ``code`` says why: refused, timeout, status, too_big, nonsense, other_text."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class _Json(BaseModel):
    """Part of a reply: strict in what we read, deaf to the rest."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RasaIntent(_Json):
    """What the sentence wants; ``nlu_fallback`` where Rasa itself is unsure."""

    name: str = Field(min_length=1, max_length=100)
    confidence: Share

    @property
    def unsure(self) -> bool:
        """Whether Rasa says that it does not know."""
        return self.name == _UNSURE


class RasaEntity(_Json):
    """A stretch of the sentence; offsets count characters of the text that was asked about."""

    entity: str = Field(min_length=1, max_length=50)
    value: str = Field(min_length=1, max_length=500)
    start: int = Field(ge=0)
    end: int
    confidence_entity: Share = 0.0


class RasaReply(_Json):
    """The reply of ``POST /model/parse``."""

    text: str
    intent: RasaIntent
    entities: tuple[RasaEntity, ...] = Field(default=(), max_length=200)


class _Status(_Json):
    """The reply of ``GET /status``."""

    model_file: str = Field(min_length=1)


class RasaClient:
    """One Rasa server.

    Args:
        http: the session to ask with; closed by whoever opened it.
        url: the address of the server, without a slash at the end.
        timeout: for one sentence, in seconds, connecting included.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, timeout: float) -> None:
        """Ask nothing yet."""
        self._http = http
        self._url = url
        self._timeout = timeout

    async def parse(self, text: str) -> RasaReply:
        """What ``text`` wants. Raises ``RasaFault`` for whatever is no sound reply in time."""
        return await self._parse(text, self._timeout)

    async def require_ready(self) -> None:
        """Raise ``RasaFault`` unless the server has a model, and that model answers a sentence soundly."""
        try:
            _Status.model_validate_json(await self._ask("GET", "/status", None, _READY_SECONDS))
        except ValidationError:
            raise RasaFault("nonsense") from None
        await self._parse(PROBE, _READY_SECONDS)

    async def _parse(self, text: str, seconds: float) -> RasaReply:
        body = await self._ask("POST", "/model/parse", {"text": text}, seconds)
        try:
            reply = RasaReply.model_validate_json(body)
        except ValidationError:  # its message quotes the sentence
            raise RasaFault("nonsense") from None
        if reply.text != text:
            raise RasaFault("other_text")
        if any(not entity.start < entity.end <= len(text) for entity in reply.entities):
            raise RasaFault("nonsense")
        return reply

    async def _ask(self, method: str, path: str, content: object, seconds: float) -> bytes:
        """The body of the answer, of at most ``MAX_BODY_BYTES``."""
        try:
            async with self._http.request(
                method,
                self._url + path,
                data=None if content is None else json.dumps(content),
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise RasaFault("status")
                return await _bounded(response.content)
        except TimeoutError:
            raise RasaFault("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise RasaFault("refused") from None


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RasaFault("too_big")
    return bytes(body)
