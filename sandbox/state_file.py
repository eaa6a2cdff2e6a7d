"""Keeps the phones, the insurer and what was paid over a restart: one JSON file, written whole or not at all."""

import asyncio
import base64
import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from sandbox.errors import JsonObject
from sandbox.wechat.account import Account
from sandbox.wechat.ledger import Ledger
from sandbox.wechat.media import Medium
from sandbox.wechat.menus import Menu
from sandbox.wechat.phones import Message, Phone
from sandbox.wechat.qr_codes import QrCode
from sandbox.wechat.tokens import Issued
from sandbox.world import World

FORMAT = 1
SAVE_EVERY_SECONDS = 5.0
MAX_MEDIA_BYTES = 20 << 20


class StateError(Exception):
    """A state file that can't be read; the message says which and why."""


def dump(world: World) -> JsonObject:
    """What is kept: the account, the insurer's books, what was paid, and the clock. Faults and the journal are not."""
    account = world.account
    return {
        "format": FORMAT,
        "offset_seconds": world.clock.offset,
        "phones": [_dump_phone(phone) for phone in account.phones],
        "tokens": {
            "known": account.tokens.known,
            **{name: issued and asdict(issued) for name, issued in _credentials(account).items()},
        },
        "menus": [asdict(menu) for menu in (account.menus.default, *account.menus.conditional.values()) if menu],
        "tags": account.tags.names,
        "qr_codes": [asdict(code) for code in account.qr_codes.by_ticket.values()],
        "media": _dump_media(account),
        "insurer": world.insurer.books.dump(),
        "pay": world.pay.dump(),
    }


def load(world: World, state: JsonObject) -> None:
    """Fill a fresh world with what was kept."""
    account = world.account
    world.clock.move(float(state["offset_seconds"]))
    for entry in state["phones"]:
        account.phones.put(_load_phone(entry))
    tokens = state["tokens"]
    account.tokens.known = dict(tokens["known"])
    for name in ("stable", "plain", "ticket"):
        setattr(account.tokens, name, Issued(**tokens[name]) if tokens[name] else None)
    for entry in state["menus"]:
        menu = Menu(**entry)
        account.menus.skip_ids(menu.id)
        if menu.tag_id is None:
            account.menus.default = menu
        else:
            account.menus.conditional[menu.id] = menu
    for tag_id, name in state["tags"].items():
        account.tags.names[int(tag_id)] = name
        account.tags.skip_ids(int(tag_id))
    for entry in state["qr_codes"]:
        account.qr_codes.put(QrCode(**entry))
    if "insurer" in state:  # a file from before there was one
        world.insurer.books.load(state["insurer"])
    for entry in state["media"]:
        account.media.put(Medium(**{**entry, "data": base64.b64decode(entry["data"])}))
    if "pay" in state:  # files from before there was any money have none
        world.pay.load(state["pay"])


def _credentials(account: Account) -> dict[str, Issued | None]:
    tokens = account.tokens
    return {"stable": tokens.stable, "plain": tokens.plain, "ticket": tokens.ticket}


def _dump_phone(phone: Phone) -> JsonObject:
    names = ("openid", "nickname", "union_id", "mini_openid", "created_at", "following", "followed_at", "follow_scene")
    return {
        **{name: getattr(phone, name) for name in (*names, "consents", "last_seq", "read_seq")},
        "tag_ids": sorted(phone.tag_ids),
        "ledger": asdict(phone.ledger),
        "messages": [asdict(message) for message in phone.messages],
    }


def _load_phone(entry: JsonObject) -> Phone:
    kept = {**entry, "tag_ids": set(entry["tag_ids"]), "ledger": Ledger(**entry["ledger"])}
    messages = kept.pop("messages")
    phone = Phone(**kept)
    phone.messages.extend(Message(**message) for message in messages)
    return phone


def _dump_media(account: Account) -> list[JsonObject]:
    """The newest media, as many as fit."""
    kept: list[JsonObject] = []
    room = MAX_MEDIA_BYTES
    for medium in reversed(account.media.kept.values()):
        room -= len(medium.data)
        if room < 0:
            break
        fields = ("media_id", "kind", "content_type", "filename", "created_at")
        data = base64.b64encode(medium.data).decode()
        kept.append({**{name: getattr(medium, name) for name in fields}, "data": data})
    return kept[::-1]


class StateFile:
    """Reads the file at the start; writes it every few seconds when there is something new, and at the end."""

    def __init__(self, path: Path, world: World) -> None:
        self._path = path
        self._world = world
        self._saved: tuple[int, ...] = ()
        self._task: asyncio.Task[None] | None = None

    def read(self) -> None:
        """Take up what was kept; nothing where there is no file. Raises StateError for a file that makes no sense."""
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise StateError(f"{self._path}: {error}") from error
        try:
            state = json.loads(text)
            if state["format"] != FORMAT:
                raise ValueError(f"format {state['format']} is not known")
            load(self._world, state)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StateError(
                f"{self._path} is not a sandbox's state ({error!r}); move it away to start anew"
            ) from error
        self._saved = self._revision()

    def start(self) -> None:
        """Begin to save every few seconds."""
        self._task = asyncio.create_task(self._keep_saving())

    async def close(self) -> None:
        """Save for the last time."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.save()

    async def save(self) -> None:
        """Write the file if anything changed since it was written."""
        revision = self._revision()
        if revision == self._saved:
            return
        text = json.dumps(dump(self._world), ensure_ascii=False)
        await asyncio.to_thread(self._write, text)
        self._saved = revision

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_SECONDS)
            try:
                await self.save()
            except OSError as error:
                print(f"sandbox: the state was not saved: {error}", file=sys.stderr)

    def _revision(self) -> tuple[int, ...]:
        world = self._world
        return (
            world.journal.last_seq,
            world.insurer.books.last,
            world.pay.changes,
            world.account.phones.activity,
            len(world.account.phones),
            world.clock.version,
        )

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(text, "utf-8", errors="replace")
        fresh.replace(self._path)
