"""A track is one file to a player, of which it may ask for any part; only who holds its address gets it."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import av
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from backend.clock import Clock
from backend.errors import NotFound
from backend.ids import new_id
from backend.limits import MemoryRateLimits
from backend.security.keyring import KeyRing
from backend.video.recordings import SegmentView
from media.segments import Segment
from miniprogram_api.sessions import Sessions
from qiaoyi.links import recording_tokens
from qiaoyi.recordings import Playback
from tests.media.studio import real_segments

TRACK = new_id()


@dataclass
class Kept:
    """What is kept of one track, and which parts were read."""

    segments_of_track: list[Segment] = field(default_factory=lambda: real_segments(12))
    read: list[str] = field(default_factory=list)

    async def segments(self, track_id: str) -> list[SegmentView]:
        if track_id != TRACK:
            raise NotFound
        return [
            SegmentView(str(s.number), s.begins, s.ends, len(s.data), s.picture, s.voice, s.keyframe)
            for s in self.segments_of_track
        ]

    async def segment_data(self, segment: SegmentView) -> bytes:
        self.read.append(segment.file_id)
        return self.segments_of_track[int(segment.file_id)].data


@dataclass
class Player:
    """Asks for parts of a track."""

    http: aiohttp.ClientSession
    server: TestServer
    links: Sessions
    kept: Kept

    def address(self, track: str = TRACK) -> str:
        return str(self.server.make_url(f"/h5/media/{self.links.mint(track)[0]}.webm"))

    async def get(self, asked: str | None = None, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
        headers = {} if asked is None else {"Range": asked}
        async with self.http.request(method, self.address(), headers=headers) as answer:
            return answer.status, await answer.read(), dict(answer.headers)


@pytest_asyncio.fixture
async def player(clock: Clock) -> AsyncIterator[Player]:
    kept, links = Kept(), recording_tokens(KeyRing({1: bytes(32)}, bytes(32)), clock)

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except NotFound:
            raise web.HTTPNotFound from None

    application = web.Application(middlewares=[refuse])
    application.add_routes(Playback(kept, links, MemoryRateLimits()).routes())  # type: ignore[arg-type]  # the two methods that it needs
    server = TestServer(application)
    await server.start_server()
    async with aiohttp.ClientSession() as http:
        yield Player(http, server, links, kept)
    await server.close()


async def test_the_whole_is_a_file_that_can_be_decoded(player: Player) -> None:
    status, data, headers = await player.get()
    assert (status, headers["Content-Type"], headers["Accept-Ranges"]) == (200, "video/webm", "bytes")
    with av.open(io.BytesIO(data), "r") as file:
        assert file.duration is not None
        assert file.duration / 1_000_000 == pytest.approx(12, abs=0.1)
        assert len(list(file.decode(video=0))) == 180


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=300-99999999", 300, None),
        ("bytes=-500", -500, None),
        ("bytes=-99999999", 0, None),
        ("bytes=250000-480000", 250_000, 480_001),
    ],
)
async def test_a_part_is_what_the_whole_holds_there(player: Player, asked: str, start: int, stop: int | None) -> None:
    _, whole, _ = await player.get()
    status, part, headers = await player.get(asked)
    assert part == whole[start:stop]
    assert status == 206
    first = whole.index(part) if len(part) > 100 else start
    assert headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"


async def test_only_the_parts_that_are_asked_for_are_decrypted(player: Player) -> None:
    _, whole, _ = await player.get()
    player.kept.read.clear()
    await player.get(f"bytes={len(whole) - 10}-")
    assert player.kept.read == [str(len(player.kept.segments_of_track) - 1)]
    player.kept.read.clear()
    await player.get("bytes=0-99")
    assert player.kept.read == []


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-999999999"])
async def test_a_part_behind_the_end_is_refused(player: Player, asked: str) -> None:
    _, whole, _ = await player.get()
    status, data, headers = await player.get(asked)
    assert (status, data, headers["Content-Range"]) == (416, b"", f"bytes */{len(whole)}")


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "nonsense"])
async def test_what_is_no_range_counts_as_none(player: Player, asked: str) -> None:
    assert (await player.get(asked))[0] == 200


async def test_the_head_alone_tells_the_length(player: Player) -> None:
    _, whole, _ = await player.get()
    player.kept.read.clear()
    status, data, headers = await player.get(method="HEAD")
    assert (status, data, int(headers["Content-Length"])) == (200, b"", len(whole))
    assert player.kept.read == []


async def test_an_address_is_good_for_a_while_and_for_its_track(player: Player, clock: Clock) -> None:
    address = player.address()
    for wrong in (player.address(new_id()), address.replace(".webm", "x.webm"), address.replace(TRACK, new_id())):
        async with player.http.get(wrong) as answer:
            assert answer.status == 404
    clock.advance(timedelta(minutes=31))
    async with player.http.get(address) as answer:
        assert answer.status == 404
