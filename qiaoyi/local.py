"""`qiaoyi run`: the product and a local WeChat in one command, for a newcomer and for demonstrations."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from backend import migrations
from backend.insurance.settings import InsurerSettings
from backend.payment.settings import WeChatPaySettings
from backend.records.hospital.registry import HospitalSettings
from backend.security.policy import SYSTEM
from backend.seed import demo_id, seed, stock_pharmacies
from bot.wechat.settings import WechatSettings
from data.demo import demo
from qiaoyi.house import House, open_house
from qiaoyi.server import PAGES, forever, serving
from qiaoyi.settings import Settings
from sandbox import settings as account
from sandbox.app import HOSPITAL, INSURER
from sandbox.client import SandboxClient
from sandbox.hospital.access import LOCAL_TOKEN
from sandbox.insurer.envelope import LOCAL_KEY
from sandbox.wechat_pay import keys

PAY_KEYS = "wechat-pay"
"""The folder of the local merchant's keys, in the data folder."""

_READY_SECONDS = 30
_END_SECONDS = 10
_HOSPITAL = "YC-H01"  # whose part the sandbox's hospital plays
_INSTITUTION = "H99990200001"  # its code at the sandbox's insurer


_TEMPLATES = {
    "offer": "QiaoyiLocalTemplate_ConsultationInvitation1",
    "reminder": "QiaoyiLocalTemplate_AppointmentReminder_002",
    "task": "QiaoyiLocalTemplate_TaskReminder_0000000003",
    "result": "QiaoyiLocalTemplate_ResultNotification_0004",
    "progress": "QiaoyiLocalTemplate_ProgressNotification_05",
}
"""The template library of the local account (docs/sandbox.md), by our kinds (`bot.templates`)."""


class StartError(Exception):
    """Something that the product needs did not start; its text is one line for the person at the terminal."""


async def run(settings: Settings, sandbox_port: int) -> None:
    """Run both until cancelled; print the addresses, then one line that begins with `ready`.

    Raises:
        StartError: a port is taken, or the sandbox did not start.
    """
    if settings.port == sandbox_port:
        raise StartError(f"product and local WeChat need two ports; {sandbox_port} was given for both")
    settings = with_payment(local_settings(settings, sandbox_port), sandbox_port)
    _require_free(settings.host, settings.port, "--port")
    _require_free("127.0.0.1", sandbox_port, "--sandbox-port")
    callback = f"{settings.public}/wechat/callback"
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    sandbox_process = starting_sandbox(sandbox_port, callback, settings.data, PAGES)
    async with open_house(settings) as house, sandbox_process as sandbox_ready:
        await migrations.upgrade(settings.database)
        await seed(house.database, house.people, house.scheduling)
        await stock_pharmacies(house.dispensing)
        await _certify(house)
        await sandbox_ready
        async with serving(house), SandboxClient(sandbox_url) as sandbox:
            await _introduce(house, sandbox)
            await _register_hospital(house, f"{sandbox_url}{HOSPITAL}/fhir")
            print(f"phones   {sandbox_url}/\nproduct  {settings.public}\ndata     {settings.data.absolute()}")
            begin = _administrator(settings, sandbox_port)
            print(f"console  {settings.public}/console   (first, in a second terminal: {begin})")
            print(f"ready {sandbox_url}/", flush=True)
            await forever()


def _administrator(settings: Settings, sandbox_port: int) -> str:
    """Give the command that makes the console's first administrator here."""
    program = shlex.quote(os.path.relpath(Path(sys.prefix) / "bin" / "qiaoyi"))
    options = "" if settings.data == Path("var") else f" --data {shlex.quote(str(settings.data))}"
    ports = ("" if settings.port == 8080 else f" --port {settings.port}") + (
        "" if sandbox_port == 8090 else f" --sandbox-port {sandbox_port}"
    )
    return f"{program}{options} administrator NAME{ports}"


def _require_free(host: str, port: int, option: str) -> None:
    # Asked before anything is started or written, so that a second copy is told in one line what to do.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise StartError(f"port {port} cannot be used ({reason}); give another one with {option}") from None


def local_settings(settings: Settings, sandbox_port: int) -> Settings:
    """Give `settings` with the local account of the sandbox in place of a real one."""
    url = f"http://127.0.0.1:{sandbox_port}"
    wechat = WechatSettings(
        app_id=account.LOCAL_APP_ID,
        app_secret=account.LOCAL_APP_SECRET,
        token=account.LOCAL_TOKEN,
        aes_key=account.LOCAL_AES_KEY,
        api_url=url,
        templates=_TEMPLATES,
    )
    insurer = InsurerSettings(url=f"{url}{INSURER}/api", institution=_INSTITUTION, key=LOCAL_KEY)
    return settings.model_copy(
        update={
            "wechat": wechat,
            "insurer": insurer,
            "clock_url": f"{url}/api/clock",
            "framed_by": url,
            "mini_app_id": account.LOCAL_MINI_APP_ID,
            "mini_app_secret": account.LOCAL_MINI_APP_SECRET,
        }
    )


def with_payment(settings: Settings, sandbox_port: int) -> Settings:
    """Give `settings` with the merchant of the sandbox; its keys are made in the data folder where there are none."""
    folder = settings.data / PAY_KEYS
    keys.Keys(folder)
    merchant = WeChatPaySettings(
        mchid=account.LOCAL_MCHID,
        appid=account.LOCAL_APP_ID,
        serial=keys.MERCHANT_SERIAL,
        private_key_file=folder / keys.MERCHANT_KEY,
        platform_key_id=keys.PLATFORM_KEY_ID,
        platform_key_file=folder / keys.PLATFORM_PUBLIC_KEY,
        api_v3_key=account.LOCAL_API_V3_KEY,
        api_url=f"http://127.0.0.1:{sandbox_port}",
    )
    return settings.model_copy(update={"payment": merchant})


async def _introduce(house: House, sandbox: SandboxClient) -> None:
    """At the first start, put phones on the desk: a patient's, and those of everybody who works here and has joined."""
    if await sandbox.phones(limit=1):
        return
    await sandbox.phone("李大妈", "demo-patient")
    for one in demo().practitioners:
        invitation = await house.people.create_invitation(SYSTEM, demo_id(one.code))
        phone = await sandbox.phone(f"{one.name} {one.title or '管理员'}", f"demo-{one.code.lower()}")
        await phone.follow(invitation.scene)


async def _certify(house: House) -> None:
    """Let everybody of the demonstration who prescribes or reviews sign; whoever can already keeps what they have."""
    for one in demo().practitioners:
        practitioner_id = demo_id(one.code)
        if one.role != "administrator" and not await house.signing.holds_now(practitioner_id):
            await house.signing.issue(SYSTEM, practitioner_id)


async def _register_hospital(house: House, url: str) -> None:
    """Let the hospital of the local WeChat be asked for histories, wherever it is this time."""
    institution = await house.people.institution(demo_id(_HOSPITAL))
    settings = HospitalSettings(url, LOCAL_TOKEN)
    known = [one for one in await house.hospitals.all(SYSTEM) if one.institution_id == institution.id]
    if not known:
        await house.hospitals.register(SYSTEM, institution.id, institution.name, settings)
    elif known[0].url != url:
        await house.hospitals.change(SYSTEM, known[0].id, settings)


@asynccontextmanager
async def starting_sandbox(port: int, callback_url: str, data: Path, pages: Path) -> AsyncIterator[asyncio.Task[None]]:
    """Run the sandbox as a process of its own while inside; it is ended with the block.

    Gives what to await before it is used: it ends with StartError where the sandbox ended, or said nothing, before it
    was ready.
    """
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--callback-url", callback_url]
    command += ["--state", str(data / "sandbox.json"), "--web", str(pages)]
    command += ["--pay-keys", str(data / PAY_KEYS)]
    # A session of its own: Ctrl-C reaches this process alone, which ends the sandbox after the product.
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, start_new_session=True)
    loops: list[asyncio.Task[None]] = []

    async def ready() -> None:
        await _wait_until_ready(process, port)
        loops.append(asyncio.create_task(_drain(process)))

    loops.append(asyncio.create_task(ready()))
    try:
        yield loops[0]
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await _end(process)


async def _wait_until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    assert process.stdout is not None  # noqa: S101  # it was started with a pipe
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_READY_SECONDS):
            async for line in process.stdout:
                if line.startswith(b"ready"):
                    return
    raise StartError(f"the local WeChat did not start on port {port}; is the port taken?")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None  # noqa: S101  # as above
    async for _line in process.stdout:
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
