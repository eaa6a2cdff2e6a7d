"""Recordings between the rooms and the hospital part: segments go in, files that a browser can play come out.

`media` knows how a file is made, `backend.video` what is kept and who may see it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime

from aiohttp import web

from backend.errors import NotFound
from backend.limits import RateLimits
from backend.video.recordings import NewSegment, Recordings, SegmentView
from media.matroska import Chapter, header
from media.segments import Segment
from miniprogram_api.endpoint import TooManyRequests
from miniprogram_api.sessions import Sessions

_RANGES_A_MINUTE = 600
MEDIA_PATH = "/h5/media/{token}.webm"


class KeptSegments:
    """Where the rooms of this process put what they record (`media.recording.SegmentStore`)."""

    def __init__(self, video: Recordings) -> None:
        self._video = video

    async def begin(self, recording: str, room: str, started: float) -> None:
        """A room records; rooms are named after their consultation."""
        await self._video.begin_recording(recording, room, datetime.fromtimestamp(started, UTC))

    async def store(self, recording: str, segment: Segment) -> None:
        """Keep a part."""
        kept = NewSegment(
            person_id=segment.person,
            source=segment.source.value,
            track_begins_ms=segment.track_begins,
            number=segment.number,
            begins_ms=segment.begins,
            ends_ms=segment.ends,
            data=segment.data,
            size=segment.picture,
            voice=segment.voice,
            keyframe=segment.keyframe,
        )
        await self._video.store_segment(recording, kept)

    async def end(self, recording: str, ended: float) -> None:
        """Nothing more comes."""
        await self._video.end_recording(recording, datetime.fromtimestamp(ended, UTC))


class TrackFile:
    """A track as one WebM file, of which any part can be read: a header that is made here, and the stored clusters.

    Args:
        load: gives the bytes of a segment.
    """

    def __init__(self, segments: Sequence[SegmentView], load: Callable[[SegmentView], Awaitable[bytes]]) -> None:
        picture = next((segment.picture for segment in segments if segment.picture is not None), None)
        chapters = [Chapter(one.begins_ms, one.size, one.keyframe or picture is None) for one in segments]
        duration = max(segment.ends_ms for segment in segments)
        self._front = header(chapters, duration, picture, any(segment.voice for segment in segments))
        self._segments, self._load = segments, load
        self.size = len(self._front) + sum(segment.size for segment in segments)

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Give the bytes from `start` up to, not including, `stop`; one segment at a time is held."""
        if start < len(self._front):
            yield self._front[start:stop]
        begins = len(self._front)
        for segment in self._segments:
            if begins >= stop:
                return
            if begins + segment.size > start:
                yield (await self._load(segment))[max(0, start - begins) : stop - begins]
            begins += segment.size


class Playback:
    """Serves the tracks of recordings to `<video>` elements, which cannot say who asks: the address is the right to
    see one track for a while.

    Args:
        links: reads the tokens of the addresses, which are made when a recording is opened.
        limits: how often one track was asked for lately.
    """

    def __init__(self, video: Recordings, links: Sessions, limits: RateLimits) -> None:
        self._video = video
        self._links = links
        self._limits = limits

    def routes(self) -> list[web.RouteDef]:
        """Give the route of the tracks."""
        return [web.get(MEDIA_PATH, self._serve)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        track_id = self._links.read(request.match_info["token"])
        if track_id is None:
            raise NotFound("这个链接已经失效，请回到录像页面重新打开。")
        if not await self._limits.allow(f"track:{track_id}", _RANGES_A_MINUTE, seconds=60):
            raise TooManyRequests
        file = TrackFile(await self._video.segments(track_id), self._video.segment_data)
        headers = {"Accept-Ranges": "bytes", "Content-Type": "video/webm", "Cache-Control": "no-store"}
        asked = _asked_range(request, file.size)
        start, stop = asked or (0, file.size)
        if start >= file.size:
            headers["Content-Range"] = f"bytes */{file.size}"
            return web.Response(status=416, headers=headers)
        if asked is not None:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
        response = web.StreamResponse(status=200 if asked is None else 206, headers=headers)
        response.content_length = stop - start
        await response.prepare(request)
        if request.method != "HEAD":
            async for data in file.read(start, stop):
                await response.write(data)
            await response.write_eof()
        return response


def _asked_range(request: web.Request, size: int) -> tuple[int, int] | None:
    """The part that is asked for, from its first byte up to, not including, its end; None for the whole. A range that
    cannot be read counts as none, also where there are several (RFC 9110, 14.2)."""
    try:
        asked = request.http_range
    except ValueError:
        return None
    if asked.start is None and asked.stop is None:
        return None
    start = asked.start or 0
    return max(0, size + start) if start < 0 else start, size if asked.stop is None else min(asked.stop, size)
