"""What each command of `qiaoyi` does. Each takes the settings and the parsed options and gives the exit status."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import aiohttp
from sqlalchemy.exc import OperationalError

from backend import migrations
from backend.errors import DomainError
from backend.security.errors import KeyRingError
from backend.security.keyring import add_key
from backend.security.policy import SYSTEM
from backend.security.rotation import reencrypt, unfinished
from backend.seed import seed as load_demo_people
from backend.seed import stock_pharmacies
from backend.video.nodes import NodeView
from bot.wechat.errors import WechatError, WechatUnavailable
from qiaoyi import certificates, destinations, diagnosis, hospitals, local, reconciling, senders, statements
from qiaoyi.console import make_administrator
from qiaoyi.house import House, open_house
from qiaoyi.invitations import make_invitation
from qiaoyi.local import StartError
from qiaoyi.logs import set_up
from qiaoyi.roles import ServeRole
from qiaoyi.server import forever, serving, until_stopped
from qiaoyi.settings import Settings, SettingsError

_DRAIN_SECONDS = 2.0
_BAR = 30

Managing = Callable[[House, argparse.Namespace], Awaitable[None]]


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Start the product together with a local WeChat, migrated and seeded."""
    set_up(settings.log_level)
    _make_data_folder(settings)
    await until_stopped(local.run(settings, options.sandbox_port))
    return 0


async def serve(settings: Settings, _options: argparse.Namespace) -> int:
    """Start the product in the role that the settings name; the tables must be up to date."""
    set_up(settings.log_level)
    _make_data_folder(settings)
    try:
        with _reaching_the_database():
            await migrations.check(settings.database)
    except migrations.OutOfDate:
        raise SettingsError("the database's tables are not of this version: run `qiaoyi migrate` first") from None
    await until_stopped(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    async with open_house(settings) as house, serving(house):
        print("ready worker" if settings.role is ServeRole.WORKER else f"ready {settings.public}", flush=True)
        await forever()


async def migrate(settings: Settings, _options: argparse.Namespace) -> int:
    """Bring the tables up to date."""
    _make_data_folder(settings)
    with _reaching_the_database():
        await migrations.upgrade(settings.database)
    print("tables are up to date")
    return 0


def _make_data_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"setting data: the folder {settings.data} cannot be made ({error.strerror})") from None
    if not os.access(settings.data, os.W_OK | os.X_OK):
        raise SettingsError(f"setting data: the folder {settings.data} cannot be written")


@contextmanager
def _reaching_the_database() -> Iterator[None]:
    try:
        yield
    except (OperationalError, OSError) as error:
        raise StartError(f"the database does not answer ({type(error).__name__}): check database_url") from None


async def seed(settings: Settings, _options: argparse.Namespace) -> int:
    """Load the invented people of the demonstration; a second time changes nothing."""
    async with open_house(settings) as house:
        await load_demo_people(house.database, house.people, house.scheduling)
        await stock_pharmacies(house.dispensing)
        await house.audit.seal()  # no serving process may follow that would
    print("demo people are there")
    return 0


async def doctor(settings: Settings, _options: argparse.Namespace) -> int:
    """Check the set-up; 1 where something would keep it from working."""
    findings = await diagnosis.examine(settings)
    for finding in findings:
        print(("ok    " if finding.ok else "WRONG ") + finding.text)
    return 0 if all(finding.ok for finding in findings) else 1


async def invite(settings: Settings, options: argparse.Namespace) -> int:
    """Make a one-time invitation for a practitioner and print the address of its QR code's picture."""
    if settings.wechat is None:
        settings = local.local_settings(settings, options.sandbox_port)
    try:
        async with open_house(settings) as house:
            found, invitation, url = await make_invitation(house, options.practitioner)
    except DomainError as refusal:
        print(refusal.sentence, file=sys.stderr)
        return 1
    except WechatError as refusal:
        print(f"WeChat refused: {refusal.code}", file=sys.stderr)
        return 1
    except (WechatUnavailable, aiohttp.ClientError):
        print("WeChat does not answer; is it running, and is the account set?", file=sys.stderr)
        return 1
    print(f"{found.name} {found.institution_name}，{invitation.expires_at:%Y-%m-%d %H:%M} UTC\n{url}")
    return 0


async def administrator(settings: Settings, options: argparse.Namespace) -> int:
    """Print the link by which an administrator of the console begins, or begins anew; 1 where the name is none."""
    if settings.wechat is None:
        settings = local.local_settings(settings, options.sandbox_port)
    options.action = "make"
    return await _managed(settings, options, {"make": make_administrator})


async def nodes(settings: Settings, _options: argparse.Namespace) -> int:
    """List the media processes of the last day."""
    async with open_house(settings) as house:
        found = await house.video.nodes(SYSTEM)
    for node in found:
        state = node.state.value if node.alive else "dead"
        print(
            f"{node.id}  {state:8}  {node.region or '*'}  rooms {node.rooms} of {node.capacity}  people {node.people}  "
            f"cpu {node.cpu:.2f}  loop lag {node.loop_lag * 1000:.0f} ms  {node.url}"
        )
    return 0


async def drain(settings: Settings, options: argparse.Namespace) -> int:
    """Let media processes take no new rooms, and wait for the end of those that they have where that is asked for."""
    async with open_house(settings) as house:
        video = house.video
        chosen = {node.id for node in await video.nodes(SYSTEM) if node.alive} if options.all else {options.node}
        try:
            for node_id in sorted(chosen):
                await video.drain(SYSTEM, node_id)
        except DomainError as refusal:
            print(refusal.sentence, file=sys.stderr)
            return 1
        print(f"draining: {len(chosen)}", flush=True)
        while options.wait and (left := [node for node in await video.nodes(SYSTEM) if _has_rooms(node, chosen)]):
            print(f"rooms left: {sum(node.rooms for node in left)}", flush=True)
            await asyncio.sleep(_DRAIN_SECONDS)
    return 0


def _has_rooms(node: NodeView, chosen: Collection[str]) -> bool:
    return node.id in chosen and node.alive and node.rooms > 0


async def sender(settings: Settings, options: argparse.Namespace) -> int:
    """Register a machine that sends images and print its token once; list them; let one send no more."""
    return await _managed(settings, options, {"add": senders.add, "list": senders.show, "remove": senders.remove})


async def destination(settings: Settings, options: argparse.Namespace) -> int:
    """Register a PACS, list them, change one, send nothing there any more, try again, or ask whether it answers."""
    does = {
        "add": destinations.add,
        "list": destinations.show,
        "change": destinations.change,
        "remove": destinations.remove,
        "resend": destinations.resend,
        "probe": destinations.probe,
    }
    return await _managed(settings, options, does)


async def hospital(settings: Settings, options: argparse.Namespace) -> int:
    """Register a hospital, list them, change one, ask there no more, ask whether it answers; show what is written
    there, and write again what came to a dead end."""
    does = {
        "add": hospitals.add,
        "list": hospitals.show,
        "change": hospitals.change,
        "remove": hospitals.remove,
        "probe": hospitals.probe,
        "written": hospitals.written,
        "resend": hospitals.resend,
    }
    return await _managed(settings, options, does)


async def _managed(settings: Settings, options: argparse.Namespace, does: Mapping[str, Managing]) -> int:
    """Do what the action of the options says; 1 where it is refused."""
    async with open_house(settings) as house:
        try:
            await does[options.action](house, options)
        except DomainError as refusal:
            print(refusal.sentence, file=sys.stderr)
            return 1
        await house.audit.seal()  # no serving process may follow that would
    return 0


async def certificate(settings: Settings, options: argparse.Namespace) -> int:
    """Issue a certificate to who prescribes or reviews, list them, revoke one, or print the root that they lead to."""
    does = {
        "issue": certificates.issue,
        "list": certificates.show,
        "revoke": certificates.revoke,
        "root": certificates.root,
    }
    return await _managed(settings, options, does)


async def statement(settings: Settings, options: argparse.Namespace) -> int:
    """Give a month's pay of experts and institutions as a table; 1 where it is refused."""
    options.action = "export"
    return await _managed(settings, options, {"export": statements.export})


async def reconcile(settings: Settings, options: argparse.Namespace) -> int:
    """Compare a day in all books; 1 where it is refused."""
    options.action = "compare"
    return await _managed(settings, options, {"compare": reconciling.compare})


async def rotate_keys(settings: Settings, _options: argparse.Namespace) -> int:
    """Add a key and re-encrypt everything under it, while the product may be running. One that was stopped before its
    end is brought to it, without another key."""
    async with open_house(settings) as house:
        if not await unfinished(house.database):
            try:
                add_key(settings.key_file)
            except KeyRingError as error:
                raise SettingsError(f"setting data: {error}") from None
    async with open_house(settings) as house:
        changed = await reencrypt(house.database, _show_progress)
        people = await asyncio.to_thread(house.ring.people.rewrap) if house.ring.people is not None else 0
        files = await house.files.reencrypt()
    print(
        f"\nkey {house.ring.active} is in use; {changed} values, {files} files and the keys of {people} persons were "
        "re-encrypted"
    )
    return 0


def _show_progress(column: str, seen: int, of_all: int) -> None:
    if sys.stderr.isatty():
        share = seen / of_all if of_all else 1.0
        bar = "#" * round(share * _BAR)
        print(f"\r[{bar:-<{_BAR}}] {share:4.0%}  {column}\033[K", end="", file=sys.stderr, flush=True)
