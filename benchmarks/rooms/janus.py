"""Janus with its VideoRoom beside ours: the same people, sending the same, to the SFU that Debian packages.

It is started with a configuration of our own: WebSockets on loopback, one plugin, no STUN, nothing logged.
"""

import asyncio
import itertools
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp

from benchmarks.rooms.crowd import Door
from benchmarks.rooms.person import Person
from media.description import Sent, Source

_PLUGIN = "janus.plugin.videoroom"
_STARTS_WITHIN = _ANSWERS_WITHIN = 20.0
_CONFIGURATION = """
general: {{ configs_folder = "{folder}" debug_level = 2 log_to_stdout = false session_timeout = 0 }}
nat: {{ full_trickle = false ice_enforce_list = "{address}" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_WEBSOCKETS = """
general: {{ json = "plain" ws = true ws_port = {port} ws_ip = "127.0.0.1" wss = false }}
admin: {{ admin_ws = false admin_wss = false }}
"""


def janus_version() -> str | None:
    """The version of Janus here, or ``None`` where there is none."""
    path = shutil.which("janus")
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - found
    found = re.search(r"\((.+?)\)", said)
    return found[1] if found else "unknown"


class JanusServer:
    """The process, as a context."""

    def __enter__(self) -> "JanusServer":
        self._folder = tempfile.TemporaryDirectory(prefix="janus-")
        folder = Path(self._folder.name)
        plugins, transports = _all_but("plugins", "videoroom"), _all_but("transports", "websockets")
        port = _free_port()
        main = _CONFIGURATION.format(folder=folder, plugins=plugins, transports=transports, address=_own_address())
        (folder / "janus.jcfg").write_text(main)
        (folder / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))
        (folder / f"{_PLUGIN}.jcfg").write_text("general: { }\n")
        command = [cast("str", shutil.which("janus")), "-F", str(folder), "-C", str(folder / "janus.jcfg")]
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)  # noqa: S603 - ours
        self.pid = self._process.pid
        self.door: Door = JanusDoor(f"ws://127.0.0.1:{port}/")
        self._wait(port)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()
        self._folder.cleanup()

    def _wait(self, port: int) -> None:
        until = time.monotonic() + _STARTS_WITHIN
        while self._process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        said = (Path(self._folder.name) / "log").read_text(errors="replace")[-2000:]
        self.__exit__()
        raise RuntimeError(f"Janus did not start: {said}")


def _all_but(kind: str, wanted: str) -> str:
    """The modules of this kind, as a setting lists them, without the wanted one."""
    return ",".join(path.name for path in Path("/usr/lib").glob(f"*/janus/{kind}/*.so") if wanted not in path.name)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _own_address() -> str:
    """An address of this machine other than loopback, which Janus does not use; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@dataclass(frozen=True)
class JanusDoor:
    """How people enter a VideoRoom at this address."""

    url: str

    async def enter(
        self, http: aiohttp.ClientSession, room: int, people: Sequence[Person]
    ) -> Callable[[], Awaitable[None]]:
        """Bring everybody in; gives what makes them leave."""
        sessions = [_Session(await http.ws_connect(self.url, protocols=["janus-protocol"])) for _ in people]
        feeds = []
        for session, person in zip(sessions, people, strict=True):
            await session.create()
            if session is sessions[0]:
                await session.make_room(room + 1)
            feeds.append(await session.publish(room + 1, person))
        for session, person, own in zip(sessions, people, feeds, strict=True):
            await session.subscribe(room + 1, person, [feed for feed in feeds if feed != own])

        async def leave() -> None:
            await asyncio.gather(*(session.close() for session in sessions))

        return leave


class _Session:
    """A person's WebSocket: requests of the VideoRoom and their answers, which come as events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())
        self._session: dict[str, int] = {}
        self._is_up = asyncio.Event()

    async def create(self) -> None:
        created = await self._ask({"janus": "create"})
        self._session = {"session_id": created["data"]["id"]}

    async def make_room(self, room: int) -> None:
        """A room with the codecs of ours; audio levels, which ours has not, are not looked at."""
        handle = await self._attach()
        body = {"request": "create", "room": room, "publishers": 4, "videocodec": "vp8", "bitrate": 2_000_000}
        await self._message(handle, {**body, "audiolevel_ext": False, "transport_wide_cc_ext": False})

    async def publish(self, room: int, person: Person) -> int:
        handle = await self._attach()
        joined = await self._message(handle, {"request": "join", "ptype": "publisher", "room": room})
        sending = person.sending
        places = [
            Sent("audio", Source.AUDIO, "p", sending.audio_ssrc, 0),
            Sent("camera", Source.CAMERA, "p", sending.camera_ssrc, sending.rtx_ssrc),
        ]
        offer = {"type": "offer", "sdp": await person.publishing.offer(places)}
        answered = await self._message(handle, {"request": "publish"}, offer)
        await person.publishing.answered(answered["jsep"]["sdp"])
        async with asyncio.timeout(_ANSWERS_WITHIN):
            await self._is_up.wait()  # nobody can subscribe before
        return int(joined["plugindata"]["data"]["id"])

    async def subscribe(self, room: int, person: Person, feeds: list[int]) -> None:
        handle = await self._attach()
        body = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed} for feed in feeds]}
        offered = (await self._message(handle, body))["jsep"]["sdp"]
        person.expect(offered)
        answer = {"type": "answer", "sdp": await person.subscribing.answer(offered, {})}
        await self._message(handle, {"request": "start"}, answer)

    async def close(self) -> None:
        await self._ask({"janus": "destroy"})
        await self._socket.close()
        await self._reading

    async def _attach(self) -> int:
        return int((await self._ask({"janus": "attach", "plugin": _PLUGIN}))["data"]["id"])

    async def _message(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        request = {"janus": "message", "handle_id": handle, "body": body}
        answer = await self._ask(request | ({"jsep": jsep} if jsep else {}))
        data = answer["plugindata"]["data"]
        if "error" in data:
            raise ConnectionRefusedError(data["error"])
        return answer

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        number = str(next(self._numbers))
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({**request, **self._session, "transaction": number})
        async with asyncio.timeout(_ANSWERS_WITHIN):
            answered: dict[str, Any] = await answer
        return answered

    async def _read(self) -> None:
        async for frame in self._socket:
            message = frame.json()
            waiting = self._asked.get(message.get("transaction", ""))
            if message["janus"] in ("success", "event") and waiting is not None and not waiting.done():
                waiting.set_result(message)
            elif message["janus"] == "webrtcup":
                self._is_up.set()
            elif message["janus"] == "error" and waiting is not None:
                waiting.set_exception(ConnectionRefusedError(message["error"]["reason"]))
