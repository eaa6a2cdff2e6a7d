"""Every route of the whole product, as it is served: what each answer says to browsers, how faults are told, and who
counts how often it is asked. A new route is walked without a line here; one without a limit fails."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from backend.db import install_key_ring
from backend.limits import MemoryRateLimits
from backend.records.monitoring.service import MonitoringService
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM, Actor, Role
from backend.seed import demo_id
from backend.seed import seed as seed_people
from miniprogram_api.sessions import Sessions
from qiaoyi import server
from qiaoyi.house import House
from qiaoyi.links import recording_tokens
from qiaoyi.recordings import MEDIA_PATH
from tests.support.product import RunningProduct, running_product
from tests.web.console_pages import PASSWORD, shown_code

pytestmark = pytest.mark.asyncio(loop_scope="module")

ID, DEVICE = "0" * 32, "the-token-of-a-device"
FILLED = {
    "study": "1.2.3",
    "series": "1.2.4",
    "instance": "1.2.5",
    "type": "Patient",
    "token": "nobodys",
    "name": "x.js",
    "frame": "1",
    "rest": "/Patient/a/b/c",
}
UNLIMITED = {
    "/wechat/callback": "a few addresses of WeChat with everybody's messages; signed, and load is shed",
    "/wechat-pay/notifications": "signed by the provider, verified before anything is looked at",
    "/healthz": "says that the process lives",
    "/readyz": "asked by supervisors; the proxy limits everybody else",
    "/media/v1/socket": "a token of a minute comes first, and a page's messages are counted (test_signalling)",
    "/h5/assets/{name}": "a file that browsers keep",
    "/h5/wechat-bridge.js": "a file, of a local WeChat alone",
}
"""Routes that count nobody, and why."""
PAGES = {"/v", "/console"}
"""Pages that hold nothing of anybody, as all below /h5 that end with an identifier."""


class Counted(MemoryRateLimits):
    """Remembers who was counted; refuses everybody where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.refusing = False

    async def allow(self, key: str, most: int, seconds: int) -> bool:
        """See `RateLimits`."""
        self.keys.append(key)
        return not self.refusing


@dataclass
class Walk:
    """The product, its routes, and somebody of every kind who may ask."""

    product: RunningProduct
    limits: Counted
    routes: list[tuple[str, str]]
    track: str
    askers: dict[str, dict[str, str]] = field(default_factory=dict)

    @asynccontextmanager
    async def asked(self, method: str, path: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask a route for something that is not there."""
        form = "application/x-www-form-urlencoded"
        taken = form if path.endswith("/_search") else "application/json"
        more = {"Content-Type": taken, "Tus-Resumable": "1.0.0"} | headers
        url = f"{self.product.house.settings.public}{self._filled(path)}"
        body = "{}" if method in ("POST", "PUT", "PATCH") else None
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as http,
            http.request(method, url, headers=more, data=body, allow_redirects=False) as answer,
        ):
            yield answer

    def _filled(self, path: str) -> str:
        """A path with what is nobody's in it; of a recording it is a genuine link, for that is what counts."""
        genuine = {"token": self.track} if path == MEDIA_PATH else {}
        return re.sub(r"\{(\w+)\}", lambda found: (FILLED | genuine).get(found[1], ID), path)


async def _device_of_token(_service: MonitoringService, token: str) -> Actor | None:
    """One device, without a doctor who watches it."""
    return Actor(ID, frozenset({Role.DEVICE})) if token == DEVICE else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def walked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    limits, served = Counted(), list[web.Application]()
    patch = pytest.MonkeyPatch()
    listening: Callable[..., Any] = server._listening

    def listen(application: web.Application, *where: Any) -> Any:
        served.append(application)
        return listening(application, *where)

    patch.setattr(server, "MemoryRateLimits", lambda: limits)
    patch.setattr(server, "_listening", listen)
    patch.setattr(MonitoringService, "device_of_token", _device_of_token)
    try:
        async with running_product(tmp_path_factory.mktemp("routes"), prepare=lambda house: house) as product:
            track, _ = recording_tokens(product.house.ring, product.house.clock).mint(ID)
            yield Walk(product, limits, _routes(served[-1]), track, await _askers(product))
    finally:
        patch.undo()


@pytest.fixture
def walk(walked: Walk, key_ring: KeyRing) -> Iterator[Walk]:
    """The walk under the product's own keys; those of the tests come back afterwards."""
    install_key_ring(walked.product.house.ring)
    yield walked
    install_key_ring(key_ring)


def _routes(application: web.Application) -> list[tuple[str, str]]:
    """Methods and paths; HEAD is the GET without its body, OPTIONS says what is a constant."""
    found = [
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if route.resource is not None and route.method not in ("HEAD", "OPTIONS")
    ]
    ways = ["GET", "POST", "PUT", "DELETE"]
    return [(one, path) for method, path in found for one in (ways if method == "*" else [method])]


async def _askers(product: RunningProduct) -> dict[str, dict[str, str]]:
    house = product.house
    await seed_people(house.database, house.people, house.scheduling)
    patient, _ = Sessions(house.ring.derive("session"), house.clock).mint(await house.people.register("路人甲"))
    machine = await house.imaging.register_stow_sender(SYSTEM, demo_id("QL-T01"), "放射科CT")
    return {
        "nobody": {},
        "a patient": _bearer(patient),
        "a machine": _bearer(machine.token),
        "a device": _bearer(DEVICE),
        "a clerk": await _clerk(house),
    }


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def _clerk(house: House) -> dict[str, str]:
    link = await house.console.create_account(SYSTEM, "陈管", Role.ADMINISTRATOR)
    secret = (await house.console.enrolment(link.code)).totp_secret
    await house.console.enrol(link.code, PASSWORD, shown_code(secret, used=False))
    token, held = await house.console.sign_in("陈管", PASSWORD, shown_code(secret), "127.0.0.1", "")
    csrf = house.console.csrf_token(held.session_id)
    return {"Cookie": f"qiaoyi-console={token}", "X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-origin"}


async def test_every_answer_keeps_private_what_it_is_and_tells_faults_by_a_code_alone(
    walk: Walk, counted: Callable[[str], None]
) -> None:
    asked = 0
    for method, path in walk.routes:
        for who in ("nobody", "a patient", "a clerk"):
            if path == "/media/v1/socket" or (who == "a clerk" and path.endswith("/session") and method == "DELETE"):
                continue
            async with walk.asked(method, path, walk.askers[who]) as answer:
                _is_private(path, answer, f"{who}: {method} {path} {answer.status}")
                _tells_no_more_than_a_code(path, answer, await answer.text(errors="replace"), f"{who}: {method} {path}")
            asked += 1
    counted(f"routes: {len(walk.routes)} ways to ask, {asked} answers looked at")


def _is_private(path: str, answer: aiohttp.ClientResponse, what: str) -> None:
    held = answer.headers
    for name in ("X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy", "Cache-Control"):
        assert len(held.getall(name, [])) == 1, f"{what}: {name} {held.getall(name, [])}"
    assert held["X-Content-Type-Options"] == "nosniff", what
    assert held["Referrer-Policy"] == "no-referrer", what
    assert "frame-ancestors" in held["Content-Security-Policy"] or path.startswith("/h5/assets"), what
    if path not in ("/h5/assets/{name}", "/h5/wechat-bridge.js"):
        assert held["Cache-Control"] == "no-store", what
    assert "Server" not in held, what
    assert "Access-Control-Allow-Origin" not in held, what


def _tells_no_more_than_a_code(path: str, answer: aiohttp.ClientResponse, text: str, what: str) -> None:
    assert answer.status < 500 or answer.content_type == "text/html" or answer.status == 503, f"{what}: {text}"
    assert not re.search(r"Traceback|\.py\b|sqlalchemy|aiohttp|Error\b", text), f"{what}: {text}"
    if answer.status < 400:
        return
    if answer.content_type == "text/html":
        assert re.search("[\u4e00-\u9fff]", text), what
    elif path.startswith("/fhir/"):
        assert json.loads(text)["resourceType"] == "OperationOutcome", what
    elif text and path != "/wechat/callback":
        problem = json.loads(text)
        assert problem["code"], what
        assert problem["message"], what


async def test_every_route_counts_whoever_may_ask_it_too_often(walk: Walk, counted: Callable[[str], None]) -> None:
    """Each limit is reached at once here: whoever is let through is not counted."""
    who_counts: dict[str, set[str]] = {}
    walk.limits.refusing = True
    try:
        for method, path in walk.routes:
            if path == "/media/v1/socket":
                continue
            for who, headers in walk.askers.items():
                walk.limits.keys.clear()
                async with walk.asked(method, path, headers) as answer:
                    is_told = answer.status == 429 and answer.headers.get("Retry-After")
                if walk.limits.keys:
                    assert is_told, f"{who}: {method} {path} is counted and gets {answer.status}"
                    who_counts.setdefault(f"{method} {path}", set()).add(walk.limits.keys[-1].partition(":")[0])
    finally:
        walk.limits.refusing = False
    free = {path for method, path in walk.routes if f"{method} {path}" not in who_counts}
    assert free == _nobody_counts(walk), free ^ _nobody_counts(walk)
    groups = {group for groups in who_counts.values() for group in groups}
    assert groups == GROUPS
    counted(f"routes: {len(who_counts)} counted under {sorted(groups)}, {len(free)} pages and others that need not be")


def _nobody_counts(walk: Walk) -> set[str]:
    pages = {path for _, path in walk.routes if re.fullmatch(r"/h5/\w+/\{id\}", path)}
    return pages | PAGES | set(UNLIMITED)


GROUPS = {"api", "images", "open", "linked", "device", "pairing", "verify", "stow", "console", "console-open", "track"}
"""Under what is counted: each has its own number a minute."""
