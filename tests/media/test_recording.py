"""What people in a room show and say while everybody agrees is recorded, whole, and nothing else is."""

import asyncio
import io
from collections.abc import AsyncIterator

import av
import pytest

from media.description import Source
from media.forwarding import RtpForwarding
from media.recording import Recorder
from tests.media.pages import join, running
from tests.media.segment_store import MemoryStore, file_of
from tests.support.waiting import eventually


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def forwarding() -> AsyncIterator[RtpForwarding]:
    async with running(RtpForwarding()) as started:
        yield started


@pytest.fixture
async def recorder(forwarding: RtpForwarding, store: MemoryStore) -> AsyncIterator[Recorder]:
    recorder = Recorder(forwarding, store, on_failed=lambda room: pytest.fail("the recording failed"))
    task = asyncio.create_task(recorder.run())
    yield recorder
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await recorder.close()


async def test_everybody_is_recorded_and_can_be_played(
    forwarding: RtpForwarding, recorder: Recorder, store: MemoryStore
) -> None:
    await join(forwarding, "r", "patient", "doctor")
    recorder.start("r", lambda: ["patient", "doctor"])
    await eventually(lambda: all(len(store.of(person)) >= 2 for person in ("patient", "doctor")), timeout=30)
    recorder.stop("r")
    await eventually(lambda: len(store.ended) == 1)
    for person in ("patient", "doctor"):
        with av.open(io.BytesIO(file_of(store.of(person)))) as file:
            assert {stream.codec_context.name for stream in file.streams} == {"vp8", "opus"}
            pictures = list(file.decode(video=0))
            print(len(pictures), file.duration, pictures[0].time, pictures[-1].time, pictures[0].width)
            file.seek(0)
            sounds = list(file.decode(audio=0))
            print(len(sounds), sounds[-1].time)
    assert store.of("patient", Source.SCREEN) == []
