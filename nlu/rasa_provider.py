"""The provider that asks a Rasa server what a message wants, and reads everything else itself.

Rasa gives an intent with its confidence, and entities. The facts of a message (symptoms with their status, numbers, red
flags) and all that depends on the question before it come from the embedded provider, which also serves alone whenever
Rasa does not: nobody waits for a server that is down, slow or confused.

``prepare`` asks the server and is called where waiting harms nobody; ``parse`` joins what it brought and never waits.
"""

import asyncio
import logging
from collections import OrderedDict
from enum import StrEnum
from typing import Protocol

from nlu.embedded import EmbeddedProvider
from nlu.normalise import Normalised, normalise
from nlu.rasa_client import RasaClient, RasaEntity, RasaFault, RasaReply
from nlu.types import Context, Entity, Intent, Understanding

log = logging.getLogger(__name__)

MAX_CHARACTERS = 300
"""Longer messages are not asked about: so many words tell an illness, and Rasa's time grows with their square."""
_COMMAND = "/"
"""Rasa takes /book for an intent that was already recognised, with whatever entities the writer wishes."""
_REMEMBERED = 512
_SIDE_BY_SIDE = 8
_SURE_ENTITY = 0.7

_KNOWN = {intent.value for intent in Intent} | {"nlu_fallback"}
_OF_CONTEXT = frozenset(
    {Intent.ANSWER, Intent.CORRECT, Intent.AFFIRM, Intent.DENY, Intent.DONT_KNOW, Intent.GO_BACK, Intent.RESTART}
)
"""What only the question before, or a steering word, makes so. Rasa hears neither."""
_STEERING = frozenset({Intent.GO_BACK, Intent.RESTART})
_TELLS_NOTHING = frozenset({Intent.GREET, Intent.THANK, Intent.COMPLAIN, Intent.SEND_PICTURE, Intent.OUT_OF_SCOPE})
"""What cannot be all of a message that names a symptom."""


class Counts(Protocol):
    """Whoever counts what happened (`bot.metrics.Metrics`)."""

    def count(self, name: str, amount: int = 1, **labels: object) -> None:
        """Add ``amount`` to a counter."""


class RasaState(StrEnum):
    """Whether the server is asked."""

    STARTING = "starting"
    """It has not proved to be ready yet."""
    SERVING = "serving"
    AWAY = "away"
    """It failed several times in a row, and has not proved to be ready since."""


class RasaProvider:
    """Understands with a Rasa server beside the embedded provider.

    Args:
        client: the server.
        embedded: reads facts, and everything while the server is away.
        counts: ``nlu_requests`` by outcome (served, or the code of a ``RasaFault``, or why the server was not asked)
            and ``nlu_understood`` by who served (rasa, embedded).
        tolerated: failures in a row after which the server is not asked any more until it is ready again.
        retry_seconds: how often a server that is away is looked at.
    """

    def __init__(
        self,
        client: RasaClient,
        embedded: EmbeddedProvider,
        counts: Counts,
        tolerated: int = 3,
        retry_seconds: float = 10.0,
    ) -> None:
        """Ask nothing yet: the server has to prove that it is ready (``look`` or ``run``)."""
        self._client = client
        self._embedded = embedded
        self._counts = counts
        self._tolerated = tolerated
        self._retry_seconds = retry_seconds
        self._failures = 0
        self._asking = 0
        self._lost = asyncio.Event()
        self._replies: OrderedDict[str, RasaReply] = OrderedDict()
        self.state = RasaState.STARTING

    async def prepare(self, text: str) -> None:
        """Ask the server about ``text``, within its time-out; never raises."""
        source = normalise(text)
        if not _asked_about(source) or text in self._replies:
            return
        reason = self._not_asked(source)
        if reason is None:
            reason = await self._ask(text, source)
        self._counts.count("nlu_requests", outcome=reason)

    def _not_asked(self, source: Normalised) -> str | None:
        """Why the server is not asked, if so."""
        if self.state is not RasaState.SERVING:
            return self.state.value
        if len(_asked_about(source)) > MAX_CHARACTERS:
            return "too_long"
        if _asked_about(source).startswith(_COMMAND):
            return "command"
        return "busy" if self._asking >= _SIDE_BY_SIDE else None

    async def _ask(self, text: str, source: Normalised) -> str:
        """Ask, remember the reply, and give the outcome."""
        self._asking += 1
        try:
            reply = await self._client.parse(_asked_about(source))
            if reply.intent.name not in _KNOWN:
                raise RasaFault("unknown_intent")
        except RasaFault as fault:
            self._failed(fault.code)
            return fault.code
        finally:
            self._asking -= 1
        self._failures = 0
        self._replies[text] = reply
        while len(self._replies) > _REMEMBERED:
            self._replies.popitem(last=False)
        return "served"

    def _failed(self, code: str) -> None:
        self._failures += 1
        if self._failures >= self._tolerated and self.state is RasaState.SERVING:
            self.state = RasaState.AWAY
            self._lost.set()
            log.warning("rasa is not asked any more: last fault=%s", code)

    async def parse(self, text: str, context: Context) -> Understanding:
        """What ``text`` says: with what ``prepare`` brought of it, else as the embedded provider reads it."""
        own = self._embedded.understand(text, context)
        reply = self._replies.get(text)
        self._counts.count("nlu_understood", by="embedded" if reply is None else "rasa")
        return own if reply is None else joined(own, reply, normalise(text))

    async def run(self) -> None:
        """Look after a server that is not there, until cancelled."""
        while True:
            self._lost.clear()
            if await self.look():
                await self._lost.wait()
            await asyncio.sleep(self._retry_seconds)

    async def look(self) -> bool:
        """Find out whether the server is ready, and ask it from now on if it is."""
        try:
            await self._client.require_ready()
        except RasaFault as fault:
            log.info("rasa is not ready: fault=%s", fault.code)
            return False
        self._failures = 0
        self.state = RasaState.SERVING
        log.info("rasa is asked")
        return True


def _asked_about(source: Normalised) -> str:
    """What the server is given: Rasa takes the blanks around a text away before it counts characters."""
    return source.text.strip()


def joined(own: Understanding, reply: RasaReply, source: Normalised) -> Understanding:
    """What the embedded provider read, with Rasa's intent where that may tell, and entities that it lacks."""
    update: dict[str, object] = {}
    if _may_tell(own, reply):
        update = {"intent": Intent(reply.intent.name), "confidence": reply.intent.confidence}
    lacking = _lacking(own.entities, reply.entities, source)
    if lacking:
        update["entities"] = tuple(sorted((*own.entities, *lacking), key=lambda entity: entity.start))
    return own.model_copy(update=update) if update else own


def _may_tell(own: Understanding, reply: RasaReply) -> bool:
    """Whether Rasa's intent counts: where it is the surer, never against a danger, a steering word or an answer.

    Both confidences are probabilities, so they can be compared. A cry for help that Rasa hears counts however sure the
    embedded provider is of something else.
    """
    if reply.intent.unsure or own.command is not None or own.red_flags or own.yes_no is not None:
        return False
    guessed = own.intent in _STEERING  # no steering word was heard, or it would have been the command
    if (own.intent in _OF_CONTEXT and not guessed) or own.intent is Intent.EMERGENCY:
        return False
    intent = Intent(reply.intent.name)
    if intent in _OF_CONTEXT or (intent in _TELLS_NOTHING and own.symptoms):
        return False
    return intent is Intent.EMERGENCY or reply.intent.confidence > own.confidence


def _lacking(own: tuple[Entity, ...], found: tuple[RasaEntity, ...], source: Normalised) -> list[Entity]:
    """Rasa's sure entities that overlap none of ours and no earlier one of its own, in offsets of the original."""
    taken = [(entity.start, entity.end) for entity in own]
    shift = len(source.text) - len(source.text.lstrip())
    lacking = []
    for entity in found:
        start, end = source.span(shift + entity.start, shift + entity.end)
        if entity.confidence_entity < _SURE_ENTITY or any(start < last and first < end for first, last in taken):
            continue
        taken.append((start, end))
        words = source.original[start:end]
        lacking.append(Entity(kind=entity.entity, value=entity.value, text=words, start=start, end=end))
    return lacking
