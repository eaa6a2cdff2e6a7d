"""The conversation with one person: which flow is running, what it was offered, and where a message goes.

A turn happens inside one database transaction, which the gateway opens: what the services changed, the state of the
conversation and the replies are committed together or not at all.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from backend import tracing
from backend.errors import DomainError
from backend.security.policy import Actor, Role
from bot.incoming import Incoming, Kind
from bot.messages import Choice, Menu, Message, Text
from nlu.types import Context, Provider, Understanding

if TYPE_CHECKING:
    from bot.services import Services

log = logging.getLogger(__name__)


@dataclass
class ConversationState:
    """Where a conversation stands; a JSON value at rest (`backend.messaging` keeps it encrypted).

    Args:
        flow: name of the running flow, empty when none is.
        data: what that flow remembers.
        offered: the answers that were offered last, so that typing one of them counts as a tap.
    """

    flow: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    offered: list[Choice] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Give the state as a JSON value."""
        offered = [[choice.id, choice.text] for choice in self.offered]
        return {"flow": self.flow, "data": self.data, "offered": offered}

    @classmethod
    def from_json(cls, held: dict[str, Any] | None) -> "ConversationState":
        """Give back what `to_json` wrote; None is a conversation that has not begun."""
        if not held:
            return cls()
        return cls(held["flow"], held["data"], [Choice(id_, text) for id_, text in held["offered"]])


class Turn:
    """One message of one person, and everything that a flow needs to answer it.

    Attributes:
        incoming: what the person did.
        actor: who they are to the policy.
        services: the use cases of the house.
        state: where the conversation stands; saved after the turn.
        replies: what will be said, in order.
    """

    def __init__(
        self, incoming: Incoming, actor: Actor, services: "Services", state: ConversationState, dialogue: "Dialogue"
    ) -> None:
        self.incoming = incoming
        self.actor = actor
        self.services = services
        self.state = state
        self.replies: list[Message] = []
        self._dialogue = dialogue
        self._understood: dict[tuple[str, Context], Understanding] = {}

    @property
    def data(self) -> dict[str, Any]:
        """What the running flow remembers."""
        return self.state.data

    @property
    def text(self) -> str:
        """The words of the message, without the blanks around them."""
        return self.incoming.text.strip()

    def say(self, *messages: Message | str) -> None:
        """Reply with `messages`; the answers of the last menu among them become those that may be typed."""
        for message in messages:
            said = Text(message) if isinstance(message, str) else message
            self.replies.append(said)
            if isinstance(said, Menu):
                self.state.offered = list(said.choices)

    async def understand(self, context: Context | None = None) -> Understanding:
        """Ask what the person's words mean; the provider is troubled once for each context."""
        key = (self.text, context or Context())
        if key not in self._understood:
            with tracing.inner("nlu parse"):
                self._understood[key] = await self._dialogue.provider.parse(*key)
        return self._understood[key]

    async def forward(self, incoming: Incoming) -> None:
        """Let the running flow answer `incoming`, words that waited until now, in place of this turn's message."""
        self.incoming = incoming
        await self._dialogue.flows[self.state.flow].receive(self)

    async def act(self, action: str) -> None:
        """Do what a tap on the item `action` (`verb` or `verb:argument`) does."""
        verb, _, argument = action.partition(":")
        await self._dialogue.actions[verb](self, argument)

    async def enter(self, flow: str, **data: Any) -> None:
        """Leave whatever runs and begin `flow` with `data`; a flow that is refused has not begun."""
        before = self.state.flow, self.state.data, self.state.offered
        self.state.flow, self.state.data, self.state.offered = flow, data, []
        try:
            await self._dialogue.flows[flow].begin(self)
        except DomainError:
            self.state.flow, self.state.data, self.state.offered = before
            raise

    def leave(self) -> None:
        """End the running flow; the next message is heard by the person's idle flow."""
        self.state.flow, self.state.data, self.state.offered = "", {}, []


class Flow(Protocol):
    """A conversation with an aim. Flows are stateless: what they remember is in `turn.data` (JSON values)."""

    name: str

    async def begin(self, turn: Turn) -> None:
        """Say the first thing."""

    async def receive(self, turn: Turn) -> None:
        """Answer a message while this flow runs."""


Handler = Callable[[Turn, str], Awaitable[None]]
"""An action: gets the turn and what stands behind the colon of the item's id."""

Interceptor = Callable[[Turn], Awaitable[bool]]
"""Looks at every message before the flows do and tells whether it has answered it."""


class Dialogue:
    """Routes what a person does: actions by their id, then interceptors in order, then the running or the idle flow.

    Args:
        provider: understands Chinese patient language.
        services: the use cases of the house.
        idle: gives the name of the flow that hears an actor while none is running.
        numbered: menus are shown as numbered lines, so a typed number means an answer. Off where they can be tapped:
            there "3" answers "how many days?".
    """

    def __init__(
        self, provider: Provider, services: "Services", idle: Callable[[Actor], str], numbered: bool = False
    ) -> None:
        self.provider = provider
        self.services = services
        self.flows: dict[str, Flow] = {}
        self._idle = idle
        self._numbered = numbered
        self.actions: dict[str, Handler] = {}
        self._interceptors: list[Interceptor] = []

    def add_flow(self, flow: Flow) -> None:
        """Let conversations enter `flow` by its name."""
        if flow.name in self.flows:
            raise ValueError(f"two flows are named {flow.name}")
        self.flows[flow.name] = flow

    def on_action(self, verb: str, handler: Handler) -> None:
        """Let `handler` answer taps and clicks whose id is `verb` or begins with `verb:`, whatever flow is running."""
        if verb in self.actions:
            raise ValueError(f"two handlers for the action {verb}")
        self.actions[verb] = handler

    def has_action(self, verb: str) -> bool:
        """Tell whether a tap or click whose id is `verb` is answered by a handler."""
        return verb in self.actions

    def intercept(self, interceptors: Iterable[Interceptor]) -> None:
        """Let `interceptors` look at every message that is no action, in this order, before any flow."""
        self._interceptors.extend(interceptors)

    async def prepare(self, incoming: Incoming) -> None:
        """Let the provider ask whom it has to ask about the words, before the transaction of the turn begins."""
        if incoming.kind in (Kind.TEXT, Kind.VOICE) and incoming.text.strip():
            with tracing.inner("nlu prepare"):
                await self.provider.prepare(incoming.text.strip())

    async def respond(self, incoming: Incoming, state: ConversationState) -> list[Message]:
        """Answer `incoming`, changing `state`; called inside the transaction of the turn.

        A service that refuses ends the message with its Chinese sentence; what it had begun to change is rolled back by
        its own savepoint, and the conversation stands where it stood.
        """
        actor = await self.services.people.actor(incoming.person_id)
        turn = Turn(_choose(incoming, state, self._numbered), actor, self.services, state, self)
        try:
            await self._route(turn)
        except DomainError as refusal:
            log.info("refused: code=%s", refusal.code)
            tracing.note(refused=refusal.code)
            turn.say(refusal.sentence)
        return turn.replies

    async def _route(self, turn: Turn) -> None:
        verb, _, argument = turn.incoming.item_id.partition(":")
        is_scan = turn.incoming.kind in (Kind.FOLLOW, Kind.SCAN, Kind.UNFOLLOW)
        if not is_scan and verb in self.actions:
            tracing.note(action=verb)
            await self.actions[verb](turn, argument)
            return
        for interceptor in self._interceptors:
            if await interceptor(turn):
                return
        flow = turn.state.flow
        if flow not in self.flows:  # none is running, or a newer version of the product has dropped it
            flow = self._idle(turn.actor)
        tracing.note(flow=flow)
        await self.flows[flow].receive(turn)


def _choose(incoming: Incoming, state: ConversationState, numbered: bool) -> Incoming:
    """Take typed words that name an offered answer (or its number, where numbers are shown) for a tap on it."""
    if incoming.kind is not Kind.TEXT or not state.offered:
        return incoming
    typed = incoming.text.strip().rstrip("。.、")
    for number, choice in enumerate(state.offered, 1):
        if typed == choice.text or (numbered and typed == str(number)):
            return replace(incoming, kind=Kind.TAP, item_id=choice.id, text=choice.text)
    return incoming


def is_practitioner(actor: Actor) -> bool:
    """Tell whether the actor works here rather than being treated here."""
    return bool(actor.roles & {Role.GRASSROOTS_DOCTOR, Role.EXPERT, Role.PHARMACIST, Role.ADMINISTRATOR})
