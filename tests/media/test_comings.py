"""Of people who come and go nothing is left: no object, no task, no socket."""

import asyncio
import gc
from collections import Counter
from pathlib import Path

from aioice.ice import StunProtocol
from aiortc import RTCDtlsTransport, RTCIceTransport

from benchmarks.rooms.crowd import People
from benchmarks.rooms.ours import OurDoor
from benchmarks.rooms.pictures import encoded_audio, encoded_video
from benchmarks.rooms.sent import Encoded
from media.connections import Connection
from media.forwarded import ForwardedStream
from media.peer import Peer
from media.published import PublishedStream
from media.rooms import Member, Room
from tests.media.test_signalling import House, house  # noqa: F401 - a fixture
from tests.support.waiting import eventually

OF_PEOPLE = (
    Connection,
    ForwardedStream,
    Member,
    Peer,
    PublishedStream,
    RTCDtlsTransport,
    RTCIceTransport,
    Room,
    StunProtocol,
)
TIMES = 20


def alive() -> Counter[str]:
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, OF_PEOPLE))


def open_sockets() -> int:
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the listing's own
            continue
    return sum(link.startswith("socket:") for link in links)


async def test_three_people_come_and_go_many_times_and_nothing_is_left(house: House) -> None:  # noqa: F811
    people = People(house.session, OurDoor(house.url), Encoded(encoded_video(), encoded_audio()), False)
    await people.come_and_go([0])
    await eventually(lambda: not house.rooms.rooms)
    before, sockets, tasks = alive(), open_sockets(), len(asyncio.all_tasks())
    await people.come_and_go(range(1, 1 + TIMES))
    await eventually(lambda: not house.rooms.rooms)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
    await eventually(lambda: open_sockets() <= sockets)
    assert alive() - before == Counter()


async def test_packets_that_were_kept_are_let_go_of_before_the_collector_comes(house: House) -> None:  # noqa: F811
    people = People(house.session, OurDoor(house.url), Encoded(encoded_video(), encoded_audio()), False)
    before = alive()["PublishedStream"]
    gc.disable()
    try:
        await people.enter(0)
        ours = [id(stream) for person in people.everybody for stream in person.streams]
        await people.leave(0)
        await eventually(lambda: not house.rooms.rooms)
        left = [t for t in gc.get_objects() if isinstance(t, PublishedStream) and id(t) not in ours]
    finally:
        gc.enable()
    assert len(left) <= before
