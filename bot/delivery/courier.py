"""One attempt to bring one message to one person, and what WeChat's answer means for it."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from backend.clock import Clock
from backend.messaging.rules import Allowance, ContactView, OutboxItem
from backend.security.policy import Role
from bot.delivery import rules
from bot.delivery.circuits import Circuits
from bot.messages import Link, Menu, Message, Notice, Picture, QrCode, Text, from_json, to_json
from bot.metrics import Metrics
from bot.templates import TEMPLATES, fill
from bot.wechat.client import WechatClient
from bot.wechat.errors import Action, WechatError, WechatUnavailable
from bot.wechat.menus import MenuPublisher
from bot.wechat.replies import customer_service
from bot.wechat.settings import WechatSettings

log = logging.getLogger(__name__)

SEND = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
SUBSCRIBE = "/cgi-bin/message/subscribe/bizsend"

_TRIES_THAT_MAY_REPEAT = 3
_TRIES_WITHOUT_EFFECT = 60
_MINUTE = timedelta(minutes=1)
_CACHED_MEDIA = 1000
_SMALLEST_PIECE = 256


class Files(Protocol):
    """What delivery needs of `backend.files`."""

    async def get(self, file_id: str) -> tuple[bytes, str]:
        """Give the bytes of a file and its media type."""


@dataclass(frozen=True)
class Arrived:
    """WeChat has taken it, or it is not wanted any more; `used` is the allowance that it was taken from."""

    used: Allowance | None = None


@dataclass(frozen=True)
class Later:
    """To be tried again at `due_at`, as attempt number `attempts` + 1."""

    due_at: datetime
    attempts: int


@dataclass(frozen=True)
class Held:
    """To be kept until the person comes back; `content` where less is left to say."""

    content: dict[str, Any] | None = None
    unreachable: bool = False
    spent: bool = False


@dataclass(frozen=True)
class Dead:
    """Never to be tried again, for this reason."""

    reason: str


@dataclass(frozen=True)
class Pieces:
    """To be put again as these smaller messages."""

    messages: list[Message] = field(default_factory=list)


_ROLE = "role"


def role_content(role: Role) -> dict[str, Any]:
    """Give the content of an outbox row that tells WeChat the role of a person."""
    return {"kind": _ROLE, "role": role.value}


Outcome = Arrived | Later | Held | Dead | Pieces


class Courier:
    """Chooses customer-service message, then template or subscribe message, and reads WeChat's answers."""

    def __init__(
        self, client: WechatClient, settings: WechatSettings, clock: Clock, metrics: Metrics, files: Files | None = None
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._files = files
        self._media: dict[str, tuple[str, datetime]] = {}
        self._menus_of_roles = MenuPublisher(client)
        self.circuits = Circuits(clock)

    async def deliver(self, item: OutboxItem, contact: ContactView | None) -> Outcome:
        """Try to bring `item` to `contact`; never raises for what WeChat does."""
        outcome = await self._deliver(item, contact)
        self._metrics.count("deliveries", outcome=type(outcome).__name__.lower())
        return outcome

    async def _deliver(self, item: OutboxItem, contact: ContactView | None) -> Outcome:
        if item.content.get("kind") == _ROLE:
            return await self._tell_role(item, contact)
        now = self._clock.now()
        if item.expires_at is not None and item.expires_at <= now:
            return Arrived()
        if contact is None or not contact.reach.reachable:
            return Held()
        try:
            message = from_json(item.content)
        except (KeyError, TypeError, ValueError):
            log.error("outbox row cannot be read: item=%s", item.id)
            return Dead("unreadable")
        allowance = rules.allowance(contact.reach, now, self._settings)
        if allowance is None or not self.circuits.allows(SEND):
            return await self._fall_back(item, message, contact)
        until = self.circuits.shut_until(SEND)
        if until is not None:
            return await self._fall_back(item, message, contact, until)
        return await self._push(item, message, contact, allowance)

    async def _tell_role(self, item: OutboxItem, contact: ContactView | None) -> Outcome:
        """Let somebody see the menu of their role; what cannot be done is done when they follow the next time."""
        if contact is None:
            return Dead("role:no_contact")
        try:
            await self._menus_of_roles.show_menu_of(contact.address, Role(item.content["role"]))
        except WechatUnavailable as error:
            outcome = self._unavailable(item, error)
        except WechatError as error:
            outcome = self._common(error, item)
        else:
            return Arrived()
        return Dead("role:given_up") if isinstance(outcome, Held) else outcome

    async def _push(self, item: OutboxItem, message: Message, contact: ContactView, allowance: Allowance) -> Outcome:
        try:
            await self._send(message, contact.address)
        except WechatUnavailable as error:
            return self._unavailable(item, error)
        except WechatError as error:
            return await self._refused(error, item, message, contact)
        return Arrived(allowance)

    async def _send(self, message: Message, openid: str) -> None:
        if isinstance(message, QrCode):
            message = await self._make_code(message)
        media_id = await self._upload(message) if isinstance(message, Picture) else ""
        try:
            await self._client.call(SEND, self._body(message, openid, media_id))
        except WechatError as error:
            if error.action is Action.UPLOAD_AGAIN and isinstance(message, Picture):
                self._media.pop(message.file_id, None)
                media_id = await self._upload(message)
            elif error.action is Action.DISABLE and isinstance(message, Menu) and self._menus():
                self.circuits.disable("msgmenu")
            else:
                raise
            await self._client.call(SEND, self._body(message, openid, media_id))

    async def _make_code(self, code: QrCode) -> Link:
        left = datetime.fromisoformat(code.valid_until) - self._clock.now()
        url = await self._client.create_qr_code(code.scene, max(1, int(left.total_seconds())))
        return Link(code.title, code.description, url, url)

    def _body(self, message: Message, openid: str, media_id: str) -> dict[str, Any]:
        return customer_service(message, openid, menus=self._menus(), media_id=media_id)

    def _menus(self) -> bool:
        return self._settings.menu_messages and self.circuits.allows("msgmenu")

    async def _upload(self, picture: Picture) -> str:
        now = self._clock.now()
        held = self._media.get(picture.file_id)
        if held is not None and held[1] > now:
            return held[0]
        if self._files is None:
            raise WechatError(40007, "no file store")
        data, media_type = await self._files.get(picture.file_id)
        media_id = await self._client.upload_image(data, media_type)
        while len(self._media) >= _CACHED_MEDIA:
            self._media.pop(next(iter(self._media)))
        # WeChat keeps it for three days; an hour less is safe on a clock that differs.
        self._media[picture.file_id] = (media_id, now + self._settings.media_lifetime - timedelta(hours=1))
        return media_id

    async def _refused(self, error: WechatError, item: OutboxItem, message: Message, contact: ContactView) -> Outcome:
        """Do what the table of `bot.wechat.errors` says about a refused customer-service message."""
        match error.action:
            case Action.FALL_BACK:
                outcome = await self._fall_back(item, message, contact)
                return replace(outcome, spent=True) if isinstance(outcome, Held) else outcome
            case Action.DISABLE:
                self.circuits.disable(SEND)
                return await self._fall_back(item, message, contact)
            case Action.OPEN_CIRCUIT:
                return await self._fall_back(item, message, contact, self.circuits.shut_for_today(error.path))
            case Action.SPLIT:
                return self._split(item, message)
            case _:
                return self._common(error, item)

    async def _fall_back(
        self, item: OutboxItem, message: Message, contact: ContactView, until: datetime | None = None
    ) -> Outcome:
        """Tell by a template or subscribe message that there is something; keep the message itself for their return."""
        without = to_json(replace(message, notice=None))
        later: Outcome = Later(until, item.attempts) if until is not None else Held()
        if message.notice is None:
            return later
        path = self._notice_path(message.notice)
        if path is None or self.circuits.shut_until(path) is not None:
            return later
        try:
            await self._client.call(path, self._notice_body(path, message, message.notice, item, contact.address))
        except WechatUnavailable as error:
            return self._unavailable(item, error)
        except WechatError as error:
            return self._notice_refused(error, item, without)
        # A card has arrived with the short form that opens the same page; words wait until they may be said.
        return Arrived() if isinstance(message, Link) else Held(without)

    def _notice_path(self, notice: Notice) -> str | None:
        if notice.kind not in TEMPLATES:
            log.error("notice of an unknown kind: kind=%s", notice.kind)
            return None
        if self._settings.templates.get(notice.kind) and self.circuits.allows(TEMPLATE):
            return TEMPLATE
        if self._settings.subscriptions.get(notice.kind) and self.circuits.allows(SUBSCRIBE):
            return SUBSCRIBE
        return None

    def _notice_body(
        self, path: str, message: Message, notice: Notice, item: OutboxItem, openid: str
    ) -> dict[str, Any]:
        data = fill(notice, self._clock.now())
        page = message.url if isinstance(message, Link) else ""
        if path == SUBSCRIBE:
            body = {"touser": openid, "template_id": self._settings.subscriptions[notice.kind], "data": data}
            return body | {"page": page} if page else body
        template_id = self._settings.templates[notice.kind]
        # WeChat sends nothing twice under one client_msg_id within ten minutes.
        body = {"touser": openid, "template_id": template_id, "data": data, "client_msg_id": item.id}
        return body | {"url": page} if page else body

    def _notice_refused(self, error: WechatError, item: OutboxItem, without: dict[str, Any]) -> Outcome:
        match error.action:
            case Action.ALREADY_SENT:
                return Held(without)
            case Action.ASK_CONSENT:
                self._metrics.count("consents_missing")
                return Held()
            case Action.FALL_BACK:
                return Held()
            case Action.DISABLE:
                self.circuits.disable(error.path)
                return Held()
            case Action.OPEN_CIRCUIT:
                self.circuits.shut_for_today(error.path)
                return Held()
            case _:
                return self._common(error, item)

    def _common(self, error: WechatError, item: OutboxItem) -> Outcome:
        """Do what an error code asks for on every path."""
        match error.action:
            case Action.ALREADY_SENT:
                return Arrived()
            case Action.UNREACHABLE:
                return Held(unreachable=True)
            case Action.BACK_OFF:
                return Later(self.circuits.shut_for(error.path, _MINUTE), item.attempts)
            case Action.REFRESH_TOKEN:
                # The client has refreshed and tried again: WeChat refuses its own token.
                self._metrics.count("alarms", code=error.code)
                return self._again(item, _TRIES_WITHOUT_EFFECT)
            case Action.ALARM:
                # An operator has to act, no retry helps, and the message keeps.
                self._metrics.count("alarms", code=error.code)
                return Held()
            case Action.ASK_CONSENT:
                return Held()
            case Action.RETRY if error.code == -1:
                return self._again(item, _TRIES_THAT_MAY_REPEAT)
            case Action.RETRY:
                log.error("WeChat answers an unknown code: path=%s code=%d", error.path, error.code)
                if item.attempts < _TRIES_THAT_MAY_REPEAT:
                    return self._again(item, _TRIES_THAT_MAY_REPEAT)
                return Dead(f"wechat:{error.code}")
            case _:
                log.error("message buried: path=%s code=%d item=%s", error.path, error.code, item.id)
                return Dead(f"wechat:{error.code}")

    def _unavailable(self, item: OutboxItem, error: WechatUnavailable) -> Outcome:
        log.warning("WeChat does not answer: path=%s reason=%s attempt=%d", error.path, error.reason, item.attempts + 1)
        return self._again(item, _TRIES_THAT_MAY_REPEAT if error.maybe_done else _TRIES_WITHOUT_EFFECT)

    def _again(self, item: OutboxItem, tries: int) -> Outcome:
        """Try again later; after `tries` the message waits for the person to come back, so that it is not lost."""
        attempts = item.attempts + 1
        if attempts > tries:
            return Held()
        return Later(self._clock.now() + rules.backoff(attempts), attempts)

    def _split(self, item: OutboxItem, message: Message) -> Outcome:
        """Cut what is too long for WeChat all the same into pieces half as long."""
        words = message.text if isinstance(message, Text) else message.head if isinstance(message, Menu) else ""
        length = len(words.encode("utf-8", "replace"))
        if length < _SMALLEST_PIECE:
            return Dead("wechat:45002")
        if isinstance(message, Menu):
            pieces = rules.split_text(message.head, length // 2)
            texts: list[Message] = [Text(piece) for piece in pieces[:-1]]
            return Pieces([*texts, replace(message, head=pieces[-1])])
        return Pieces([*rules.fit(message, length // 2)])
