"""A client of the sandbox's HTTP API: for tests, for the demonstration and for benchmarks. Needs aiohttp alone.

async with SandboxClient("http://127.0.0.1:8090") as sandbox:
    phone = await sandbox.phone("王阿姨")
    await phone.follow()
    await phone.say("我咳嗽三天了")
    answer = await phone.wait_for(lambda message: "咳嗽" in message.text)
    await phone.tap("没有发烧")
"""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

JsonObject = dict[str, Any]
MAX_WAIT_SECONDS = 60.0


class SandboxError(Exception):
    """The sandbox refused a request: ``status``, the stable ``code``, and a Chinese sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class NoSuchMessageError(AssertionError):
    """The message waited for did not come; says what came instead."""


@dataclass(frozen=True, slots=True)
class Message:
    """A bubble on a phone. ``sender`` is account, user or system; ``via`` is reply or push; ``raw`` has every field."""

    seq: int
    sender: str
    kind: str
    via: str | None
    text: str
    items: Sequence[JsonObject]
    raw: JsonObject = field(repr=False)

    @classmethod
    def read(cls, raw: JsonObject) -> "Message":
        """A message of the API. ``text`` is all that a person can read in it, for a search."""
        parts = [raw.get(name) for name in ("title", "text", "description", "tail", "label")]
        parts += [f"{entry['label']}：{entry['value']}" for entry in raw.get("fields", []) if isinstance(entry, dict)]
        text = "\n".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
        return cls(raw["seq"], raw["from"], raw["kind"], raw.get("via"), text, raw.get("items", []), raw)

    def item(self, wanted: str) -> JsonObject | None:
        """The item with this id or this text."""
        return next((item for item in self.items if wanted in (item["id"], item["text"])), None)


class SandboxClient:
    """The sandbox's API. Answers are the API's JSON; a refusal raises SandboxError. Close it, or use ``async with``."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession | None = None, timeout: float = 90.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = session
        self._own_session = session is None
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that the client opened."""
        if self._own_session and self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """Any call of the API: the parsed JSON."""
        parameters = {name: str(value) for name, value in query.items() if value is not None}
        payload = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body}
        async with self._http().request(
            method, self.base_url + path, params=parameters, timeout=self._timeout, **payload
        ) as response:
            answer = await response.json()
        if response.status >= 400:
            raise SandboxError(response.status, answer.get("code", ""), answer.get("message", ""))
        return answer

    async def follow(self, address: URL) -> str:
        """Where an address of the platform leads to; raises SandboxError where it leads nowhere."""
        async with self._http().get(address, allow_redirects=False, timeout=self._timeout) as response:
            if "Location" not in response.headers:
                raise SandboxError(response.status, "no_redirect", await response.text())
            return response.headers["Location"]

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session

    # Phones

    async def phone(self, nickname: str, openid: str | None = None, *, following: bool = False) -> "Phone":
        """A phone, made unless the openid exists; ``following`` lets it have followed long ago, without an event."""
        body: JsonObject = {"nickname": nickname}
        if openid:
            body["openid"] = openid
        if following:
            body["following"] = True
        answer = await self.call("POST", "/api/phones", body)
        return Phone(self, answer["openid"], nickname)

    async def phones(self, offset: int = 0, limit: int = 1000) -> list[JsonObject]:
        """All phones, a page at a time."""
        found: list[JsonObject] = await self.call("GET", "/api/phones", offset=offset, limit=limit)
        return found

    async def qr_codes(self, limit: int = 200) -> list[JsonObject]:
        """The QR codes made, the newest first."""
        found: list[JsonObject] = await self.call("GET", "/api/qrcodes", limit=limit)
        return found

    async def account(self) -> JsonObject:
        """The account played, with its templates."""
        found: JsonObject = await self.call("GET", "/api/account")
        return found

    async def set_callback(self, url: str | None = None, *, verify: bool = True) -> JsonObject:
        """Enter the product's callback address; with ``verify`` says in ``ok`` whether it answered the echo."""
        found: JsonObject = await self.call("POST", "/api/callback", {"url": url, "verify": verify})
        return found

    # Clock

    async def clock(self) -> JsonObject:
        """``{now, offset_seconds, version}``."""
        found: JsonObject = await self.call("GET", "/api/clock")
        return found

    async def follow_clock(self, follower: str, version: int, wait: float = 30.0) -> JsonObject:
        """The clock as soon as its version is another one, or after ``wait`` seconds."""
        found: JsonObject = await self.call("GET", "/api/clock", follower=follower, version=version, wait=wait)
        return found

    async def advance(self, seconds: float) -> JsonObject:
        """Move the clock on; returns when the followers know."""
        found: JsonObject = await self.call("POST", "/api/clock/advance", {"seconds": seconds})
        return found

    async def reset_clock(self) -> JsonObject:
        """Put the clock back to real time."""
        found: JsonObject = await self.call("POST", "/api/clock/reset")
        return found

    # Faults and journal

    async def fault(self, **fields: Any) -> int:
        """Set a fault (path, openid, errcode, status, latency_ms, times, body, drop, kind, copies); gives its id."""
        fault_id: int = (await self.call("POST", "/api/faults", fields))["id"]
        return fault_id

    @asynccontextmanager
    async def faulty(self, **fields: Any) -> AsyncIterator[int]:
        """A fault for as long as the block runs."""
        fault_id = await self.fault(**fields)
        try:
            yield fault_id
        finally:
            try:
                await self.remove_fault(fault_id)
            except SandboxError as error:
                if error.status != 404:
                    raise

    async def faults(self) -> list[JsonObject]:
        """The faults in force."""
        found: list[JsonObject] = await self.call("GET", "/api/faults")
        return found

    async def remove_fault(self, fault_id: int) -> None:
        """Remove one fault."""
        await self.call("DELETE", f"/api/faults/{fault_id}")

    async def clear_faults(self) -> None:
        """Remove all faults."""
        await self.call("DELETE", "/api/faults")

    async def journal(
        self,
        *,
        after: int | None = 0,
        path: str | None = None,
        openid: str | None = None,
        wait: float = 0,
        limit: int = 1000,
    ) -> list[JsonObject]:
        """Calls in both directions after a number (None: the latest); to the product: path ``callback``."""
        found: list[JsonObject] = await self.call(
            "GET", "/api/journal", after=after, path=path, openid=openid, wait=wait, limit=limit
        )
        return found

    async def expire_tokens(self) -> None:
        """Let every access token run out now."""
        await self.call("POST", "/api/tokens/expire")

    async def reset(self) -> None:
        """Start anew: no phones, menus, codes, faults; the clock shows real time."""
        await self.call("POST", "/api/reset")


class Phone:
    """A user with a phone.

    ``wait_for`` looks at what came after the user's last action on this object, so that an answer of long ago does not
    count; ``mark_here`` moves that line to the present.
    """

    def __init__(self, client: SandboxClient, openid: str, nickname: str = "") -> None:
        self.client = client
        self.openid = openid
        self.nickname = nickname
        self.mark = 0

    async def act(self, action: str, body: Any = None, *, wait_reply: bool = False) -> JsonObject:
        """Any action; gives ``{seq, msg_id}``, with ``wait_reply`` also ``deliveries`` and ``reply_seq``."""
        wait = "reply" if wait_reply else None
        answer: JsonObject = await self.client.call("POST", f"/api/phones/{self.openid}/{action}", body, wait=wait)
        if "seq" in answer:
            self.mark = answer["seq"]
        return answer

    async def follow(self, scene: str | None = None, *, wait_reply: bool = False) -> JsonObject:
        """Follow the account."""
        return await self.act("follow", {"scene": scene} if scene else {}, wait_reply=wait_reply)

    async def unfollow(self) -> JsonObject:
        """Leave the account."""
        return await self.act("unfollow")

    async def say(self, text: str, *, wait_reply: bool = False) -> JsonObject:
        """Send a text."""
        return await self.act("text", {"text": text}, wait_reply=wait_reply)

    async def payment(self, fields: JsonObject) -> JsonObject:
        """What the payment sheet shows of what a page hands to it: ``prepay_id``, ``merchant``, ``amount`` in fen."""
        shown: JsonObject = await self.client.call("POST", f"/api/phones/{self.openid}/payments", fields)
        return shown

    async def pay(self, fields: JsonObject, password: str = "123456") -> JsonObject:  # noqa: S107 -- every phone's
        """Look at the payment sheet and enter the password."""
        shown = await self.payment(fields)
        path = f"/api/phones/{self.openid}/payments/{shown['prepay_id']}"
        paid: JsonObject = await self.client.call("POST", path, {"password": password})
        return paid

    async def press(self, key: str, *, wait_reply: bool = False) -> JsonObject:
        """Press a menu button by key or name; a view button also gives ``url``."""
        return await self.act("menu", {"key": key}, wait_reply=wait_reply)

    async def tap(self, item: str, message_seq: int | None = None, *, wait_reply: bool = False) -> JsonObject:
        """Tap an item by its text or id, in the latest message that has it unless one is named."""
        if message_seq is None:
            found = next((m for m in reversed(await self.messages()) if m.item(item)), None)
        else:
            found = next((m for m in await self.messages(message_seq - 1, 1) if m.item(item)), None)
        if found is None:
            raise NoSuchMessageError(f"{self.nickname}: no message offers “{item}”\n{await self.transcript()}")
        chosen = found.item(item) or {}
        return await self.act("tap", {"message_seq": found.seq, "item": chosen["id"]}, wait_reply=wait_reply)

    async def scan(self, scene: str, *, wait_reply: bool = False) -> JsonObject:
        """Scan the account's QR code with a scene."""
        return await self.act("scan", {"scene": scene}, wait_reply=wait_reply)

    async def send_image(self, data: bytes, filename: str = "picture.png", *, wait_reply: bool = False) -> JsonObject:
        """Send a picture."""
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename=filename)
        return await self.act("image", form, wait_reply=wait_reply)

    async def send_voice(
        self, recognition: str, recording: bytes | None = None, *, wait_reply: bool = False
    ) -> JsonObject:
        """Send a voice message with what WeChat recognised in it."""
        body: JsonObject = {"recognition": recognition}
        if recording:
            body["media"] = base64.b64encode(recording).decode()
        return await self.act("voice", body, wait_reply=wait_reply)

    async def send_location(
        self, latitude: float, longitude: float, label: str, *, wait_reply: bool = False
    ) -> JsonObject:
        """Send a place."""
        return await self.act("location", {"lat": latitude, "lon": longitude, "label": label}, wait_reply=wait_reply)

    async def send_raw(self, fields: JsonObject, *, wait_reply: bool = False) -> JsonObject:
        """Send a callback of any kind, such as ``{"MsgType": "file"}``."""
        return await self.act("raw", {"fields": fields}, wait_reply=wait_reply)

    async def consent(self, template_id: str, accept: bool = True) -> JsonObject:
        """Answer whether a subscribe notification may come."""
        return await self.act("consent", {"template_id": template_id, "accept": accept})

    async def read(self, seq: int) -> JsonObject:
        """Mark the messages up to a number as read."""
        return await self.act("read", {"seq": seq})

    async def open_window(self, kind: str = "message") -> None:
        """Let the platform send to this phone as after a message (or an ``action``), without a callback."""
        await self.act("interaction", {"kind": kind})

    async def login_code(self) -> str:
        """A login code of the mini-program."""
        code: str = (await self.act("login-code"))["code"]
        return code

    async def open(self, url: str) -> str:
        """Open an address that a card or a page leads to, and give the one where the browser ends: WeChat's page of the
        web authorisation leads back with a code."""
        address = URL(url)
        if address.path != "/connect/oauth2/authorize":
            return url
        return await self.client.follow(address.with_fragment(None).update_query(phone=self.openid))

    async def menu(self) -> list[JsonObject]:
        """The buttons of the menu that this phone shows."""
        found: list[JsonObject] = (await self.client.call("GET", f"/api/phones/{self.openid}/menu"))["button"]
        return found

    async def describe(self) -> JsonObject:
        """The phone as the API shows it."""
        found: JsonObject = await self.client.call("GET", f"/api/phones/{self.openid}")
        return found

    async def messages(self, after: int = 0, limit: int | None = None, wait: float | None = None) -> list[Message]:
        """The messages after a number, oldest first; waits up to ``wait`` seconds for the first."""
        path = f"/api/phones/{self.openid}/messages"
        found = await self.client.call("GET", path, after=after, limit=limit, wait=wait)
        return [Message.read(raw) for raw in found]

    async def last(self) -> Message | None:
        """The last message."""
        raw = (await self.describe())["last_message"]
        return Message.read(raw) if raw else None

    async def mark_here(self) -> None:
        """Let ``wait_for`` look only at what comes from now on."""
        self.mark = (await self.describe())["last_seq"]

    async def wait_for(
        self, wanted: Callable[[Message], bool] | str, timeout: float = 30.0, after: int | None = None
    ) -> Message:
        """The first message of the account (or the system) that fits: a predicate, or a text that it contains.

        Looks from the last action on, or after the number given. Raises NoSuchMessageError with the chat when none came
        within ``timeout`` seconds of real time.
        """
        fits = (lambda message: wanted in message.text) if isinstance(wanted, str) else wanted
        seen = self.mark if after is None else after
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while (left := end - loop.time()) > 0:
            for message in await self.messages(seen, wait=min(left, MAX_WAIT_SECONDS)):
                seen = message.seq
                if message.sender != "user" and fits(message):
                    return message
        shown = f"“{wanted}”" if isinstance(wanted, str) else "the message waited for"
        raise NoSuchMessageError(f"{self.nickname}: {shown} did not come\n{await self.transcript()}")

    async def transcript(self, count: int = 10) -> str:
        """The last messages as lines, for an error or a demonstration."""
        lines = []
        for message in (await self.messages())[-count:]:
            choices = " ".join(f"[{item['text']}]" for item in message.items)
            lines.append(f"{message.seq:>4} {message.sender:<7} {message.kind:<9} {message.text} {choices}".rstrip())
        return "\n".join(lines)
