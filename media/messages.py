"""What a page and the room say to each other over the WebSocket: JSON objects with a ``kind``, version 1.

``docs/video-rooms.md`` is the description for whoever writes a page. Everything that comes in is checked here.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

VERSION = 1
MAX_FRAME = 64 * 1024
MAX_STATE = 2000

Text = Annotated[str, Field(min_length=1, max_length=500)]
Share = Annotated[float, Field(ge=0, le=1)]


class Message(BaseModel):
    """Base of everything that a page says."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Join(Message):
    """The first message: the token opens the room."""

    kind: Literal["join"]
    version: Literal[1]
    token: Annotated[str, Field(max_length=4096)]


class OfferWanted(Message):
    """Please offer a connection: at the beginning, and again when the network has changed."""

    kind: Literal["offer"]
    purpose: Literal["publish", "subscribe"]


class AnswerGiven(Message):
    """The answer to an offer."""

    kind: Literal["answer"]
    connection: Annotated[str, Field(max_length=64)]
    sdp: Annotated[str, Field(max_length=MAX_FRAME)]


class Candidate(Message):
    """Another address of the page; empty at their end."""

    kind: Literal["candidate"]
    connection: Annotated[str, Field(max_length=64)]
    candidate: Annotated[str, Field(max_length=512)]


class Leave(Message):
    """Goodbye."""

    kind: Literal["leave"]


class Mute(Message):
    """What of mine is switched off, so that the others see it."""

    kind: Literal["mute"]
    audio: bool
    camera: bool


class ShareScreen(Message):
    """Whether my screen is shown."""

    kind: Literal["share"]
    on: bool


class Chat(Message):
    """A line to everybody in the room."""

    kind: Literal["chat"]
    text: Text


class Pointer(Message):
    """A stroke on somebody's picture: points as shares of its width and height."""

    kind: Literal["pointer"]
    on: Annotated[str, Field(max_length=64)]
    source: Literal["camera", "screen"]
    shape: Literal["arrow", "circle", "freehand", "clear"]
    points: Annotated[list[tuple[Share, Share]], Field(max_length=200)]
    stroke: Annotated[str, Field(max_length=32)]
    done: bool = True


class Lead(Message):
    """Whether my page leads, so that the others look where it looks."""

    kind: Literal["lead"]
    on: bool


class Look(Message):
    """Where the leader looks: a text that pages understand and the room does not."""

    kind: Literal["look"]
    state: Annotated[str, Field(min_length=1, max_length=MAX_STATE)]


class Admit(Message):
    """A host lets somebody in, or turns them away."""

    kind: Literal["admit"]
    person: Annotated[str, Field(max_length=64)]
    admitted: bool


class RecordingConsent(Message):
    """Whether I agree to be recorded; a host's first yes asks everybody."""

    kind: Literal["recording"]
    agree: bool


class Ping(Message):
    """Are you there."""

    kind: Literal["ping"]


Incoming = (
    Join
    | OfferWanted
    | AnswerGiven
    | Candidate
    | Leave
    | Mute
    | ShareScreen
    | Chat
    | Pointer
    | Lead
    | Look
    | Admit
    | RecordingConsent
    | Ping
)
_INCOMING: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="kind")])


class MalformedMessageError(ValueError):
    """What a page said is none of the messages."""


def read_message(text: str) -> Incoming:
    """The message in ``text``; raises ``MalformedMessageError``."""
    try:
        return _INCOMING.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        # The name of a field that there is not is whatever the page chose, and this goes into the log.
        is_known = first["type"] != "extra_forbidden"
        place = ".".join(str(part) for part in first["loc"]) if is_known else ""
        raise MalformedMessageError(f"{place or 'the message'}: {first['type']}") from None
