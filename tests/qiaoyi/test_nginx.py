"""`deploy/nginx.conf` in front of the real product: TLS, headers, whose address counts, what streams, what is kept."""

import asyncio
import io
import json
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from backend.security.policy import SYSTEM
from backend.seed import demo_id
from backend.seed import seed as seed_people
from miniprogram_api.rooms import GUESSES_AT_AN_ADDRESS
from tests.e2e.product import free_port
from tests.support.imaging import as_file, ct_slice
from tests.support.nginx import HOST, Nginx, running_nginx
from tests.support.product import RunningProduct, running_product
from tests.support.requirements import require_program

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "0123456789abcdef0123456789abcdef.99999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
HSTS, POLICY = "Strict-Transport-Security", "Content-Security-Policy"
EDGE_OF_PARTS = "an-edge-of-parts"
STOW = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={EDGE_OF_PARTS}'}
GUESS = {"code": "12345678"}


@dataclass
class Edge:
    """A product, and nginx in front of it."""

    nginx: Nginx
    product: RunningProduct

    def client(self, source: str = "127.0.0.1") -> aiohttp.ClientSession:
        """A browser at an address of this machine."""
        return _client(self.nginx, source)


def _client(nginx: Nginx, source: str = "127.0.0.1") -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=nginx.trusting(), local_addr=(source, 0), resolver=_Loopback())
    return aiohttp.ClientSession(nginx.url, connector=connector)


class _Loopback(aiohttp.abc.AbstractResolver):
    """Knows one host."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        assert host == HOST
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [found]

    async def close(self) -> None:
        """Nothing is held."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    require_program("nginx")
    folder: Path = tmp_path_factory.mktemp("edge")
    async with (
        running_product(folder, trusted_proxies="127.0.0.1/32") as product,
        running_nginx(product.house.settings.port) as nginx,
    ):
        await seed_people(product.house.database, product.house.people, product.house.scheduling)
        yield Edge(nginx, product)


def _shake_hands(nginx: Nginx, version: ssl.TLSVersion) -> tuple[str | None, str]:
    """Speak one version of TLS, with ciphers of whatever age; give the version and the cipher. Raises ssl.SSLError."""
    trusting = nginx.trusting()
    trusting.set_ciphers("ALL:@SECLEVEL=0")
    trusting.minimum_version = trusting.maximum_version = version
    line = socket.create_connection(("127.0.0.1", nginx.port), timeout=10)
    with trusting.wrap_socket(line, server_hostname=HOST) as spoken:
        cipher = spoken.cipher()
        assert cipher is not None
        return spoken.version(), cipher[0]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_1_3_is_spoken_1_2_with_forward_secrecy_alone_and_nothing_older(edge: Edge) -> None:
    newest, _ = await asyncio.to_thread(_shake_hands, edge.nginx, ssl.TLSVersion.TLSv1_3)
    older, cipher = await asyncio.to_thread(_shake_hands, edge.nginx, ssl.TLSVersion.TLSv1_2)
    assert (newest, older) == ("TLSv1.3", "TLSv1.2")
    assert cipher.startswith("ECDHE-")
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        await asyncio.to_thread(_shake_hands, edge.nginx, ssl.TLSVersion.TLSv1_1)


async def test_every_answer_says_once_that_tls_stays_and_what_a_page_may_do_and_http_leads_to_https(edge: Edge) -> None:
    async with edge.client() as browser:
        for path in ("/api/v1/openapi.json", "/api/v1/me", "/nothing", "/v", "/console", f"/verify/{'A' * 26}"):
            async with browser.get(path) as answer:
                held = answer.headers
                assert len(held.getall(HSTS)) == 1, path
                assert "max-age=63072000" in held[HSTS]
                assert len(held.getall(POLICY)) == 1, path
                assert len(held.getall("X-Content-Type-Options")) == len(held.getall("Cache-Control")) == 1, path
                assert "nginx/" not in held.get("Server", ""), path
    plain = f"http://127.0.0.1:{edge.nginx.plain_port}/h5/copies/{TOKEN}.zip"
    async with aiohttp.ClientSession() as anybody, anybody.get(plain, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/h5/copies/{TOKEN}.zip")


async def test_limits_count_the_address_that_asks_and_not_one_that_it_claims(edge: Edge) -> None:
    async with edge.client("127.0.0.1") as guesser, edge.client("127.0.0.2") as somebody_else:
        told: Counter[int] = Counter()
        for number in range(GUESSES_AT_AN_ADDRESS + 2):
            claimed = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
            async with guesser.post("/api/v1/desk-session", json=GUESS, headers=claimed) as answer:
                told[answer.status] += 1
        assert told == {401: GUESSES_AT_AN_ADDRESS, 429: 2}
        async with somebody_else.post("/api/v1/desk-session", json=GUESS) as answer:
            assert answer.status == 401


async def test_the_web_socket_of_the_rooms_passes(edge: Edge) -> None:
    async with edge.client() as browser, browser.ws_connect("/media/v1/socket") as socket_:
        await socket_.send_json({"kind": "join", "version": 1, "token": "of nobody"})
        assert await socket_.receive_json(timeout=20) == {"kind": "closed", "code": "token_forged"}


async def test_images_stream_through_without_a_limit_and_are_put_down_nowhere(edge: Edge) -> None:
    """Whoever is refused hears it before they have sent everything: the product sees the beginning at once."""
    trusting = edge.nginx.trusting()
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.nginx.port, ssl=trusting, server_hostname=HOST)
    head = f"POST /dicomweb/studies HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {1 << 33}\r\n"
    head += f"Content-Type: {STOW['Content-Type']}\r\nAuthorization: Bearer nobody\r\n\r\n"
    writer.write(head.encode() + b"--" + EDGE_OF_PARTS.encode())
    await writer.drain()
    assert await asyncio.wait_for(reader.readline(), 30) == b"HTTP/1.1 401 Unauthorized\r\n"
    writer.close()
    sender = await edge.product.house.imaging.register_stow_sender(SYSTEM, demo_id("QL-T01"), "放射科CT")
    kept: list[Path] = []

    async def parts() -> AsyncIterator[bytes]:
        for number in range(1, 41):  # 20 MiB
            image = as_file(ct_slice(number, StudyDescription="胸部CT"))
            yield f"--{EDGE_OF_PARTS}\r\nContent-Type: application/dicom\r\n\r\n".encode() + image + b"\r\n"
            kept.extend(edge.nginx.put_down())
        yield f"--{EDGE_OF_PARTS}--\r\n".encode()

    authorised = STOW | {"Authorization": f"Bearer {sender.token}"}
    async with (
        edge.client() as machine,
        machine.post(
            "/dicomweb/studies", data=parts(), headers=authorised, timeout=aiohttp.ClientTimeout(120)
        ) as answer,
    ):
        assert answer.status in (200, 202), await answer.text()
    assert kept == []


async def test_a_body_that_is_too_large_elsewhere_is_refused_with_a_sentence(edge: Edge) -> None:
    async with edge.client() as browser:
        headers = {"Content-Type": "application/json"}
        async with browser.post("/api/v1/session", data=io.BytesIO(b" " * ((16 << 20) + 1)), headers=headers) as answer:
            assert (answer.status, answer.content_type) == (413, "application/json")
            assert json.loads(await answer.read())["code"] == "too_large"
            _is_private(answer)


def _says_nginx(body: dict[str, Any]) -> bool:
    """Whether nginx itself refused: the product says of which field, too, were it none."""
    return "field" not in body


async def test_who_asks_without_a_pause_is_told_so_as_the_product_would_tell_it(edge: Edge) -> None:
    async with edge.client("127.0.0.3") as flood:

        async def ask(_number: int) -> tuple[int, dict[str, Any], str]:
            async with flood.get(f"/h5/copies/{TOKEN}.zip") as answer:
                return answer.status, await answer.json(), answer.headers.get("Retry-After", "")

        for _ in range(30):
            told = await asyncio.gather(*map(ask, range(300)))
            refused = [one for one in told if one[0] == 429]
            if any(_says_nginx(body) for _, body, _ in refused):
                break
        assert {_says_nginx(body) for _, body, _ in refused} >= {True}
        sentence = "操作太频繁了，请过一分钟再试。"
        for _, body, wait in refused:
            assert (body["code"], body["message"], wait) == ("too_many_requests", sentence, "60")
    async with edge.client("127.0.0.4") as somebody_else, somebody_else.get("/api/v1/me") as answer:
        assert answer.status == 401


async def test_without_the_product_people_are_told_and_no_address_is_written_down(edge: Edge) -> None:
    async with running_nginx(free_port()) as alone, _client(alone) as browser:
        for path in (f"/h5/copies/{TOKEN}.zip", "/media/v1/socket", f"/dicomweb/studies?{TOKEN}"):
            async with browser.get(path) as answer:
                assert (answer.status, (await answer.json())["code"]) == (503, "busy"), path
                assert answer.headers["Retry-After"] == "10"
                _is_private(answer)
        assert TOKEN not in alone.written()
    assert TOKEN not in edge.nginx.written()
    assert edge.nginx.put_down() == []


def _is_private(answer: aiohttp.ClientResponse) -> None:
    """An answer of nginx's own has what the product's have."""
    assert answer.headers.getall(POLICY) == ["default-src 'none'; frame-ancestors 'none'"]
    assert answer.headers.getall("Cache-Control") == ["no-store"]
    assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]
    assert len(answer.headers.getall(HSTS)) == 1
