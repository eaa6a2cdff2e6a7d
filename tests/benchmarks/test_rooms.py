"""The measurement of the rooms measures what it says; how good the figures are is for its own runs to say."""

import json
import struct
import sys

import pytest

from benchmarks.rooms.__main__ import main
from benchmarks.rooms.janus import janus_version
from benchmarks.rooms.seen import Watcher
from benchmarks.rooms.targets import judged
from media.rtp import read_header
from tests.media.streams import Clock

WHOLE, OTHER = b"\x00", b"\x01"


def send(watcher: Watcher, sequence: int, picture: int, data: bytes, *, begins: bool = True, ends: bool = True) -> None:
    """A packet of a picture, as people of a measured room send it."""
    head = struct.pack("!BBHII", 0x80, ends << 7 | 96, sequence & 0xFFFF, 0, 1)
    packet = head + struct.pack("!BBH", 0x90 if begins else 0x80, 0x80, 0x8000 | picture) + data
    watcher.forward(packet, read_header(packet), None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(clock: Clock) -> Watcher:
    return Watcher({number: 99.0 + number for number in range(10)}, clock=clock)


def test_a_picture_is_seen_when_all_of_it_is_there_whatever_the_order(watcher: Watcher, clock: Clock) -> None:
    send(watcher, 65535, 0, WHOLE)
    send(watcher, 2, 1, OTHER, begins=False)
    send(watcher, 0, 1, OTHER, ends=False)
    assert watcher.seen.pictures == 1
    clock.now += 0.5
    send(watcher, 1, 1, OTHER, begins=False, ends=False)
    assert (watcher.seen.pictures, watcher.seen.ages, watcher.seen.longest_gap) == (2, [1.0, 0.5], 0.5)


def test_what_cannot_be_decoded_is_not_seen(watcher: Watcher) -> None:
    send(watcher, 1, 0, OTHER)
    send(watcher, 2, 1, WHOLE)
    send(watcher, 4, 3, OTHER)
    assert watcher.seen.pictures == 1
    send(watcher, 6, 5, WHOLE, ends=False)
    assert watcher.seen.pictures == 1
    send(watcher, 7, 5, WHOLE, begins=False)
    assert watcher.seen.pictures == 2, "a whole picture needs no other one"
    send(watcher, 3, 2, OTHER)
    assert watcher.seen.pictures == 2, "what is older than what was seen comes too late"


def test_counting_begins_anew_and_a_pause_before_it_counts(watcher: Watcher, clock: Clock) -> None:
    send(watcher, 1, 0, WHOLE)
    clock.now += 3
    watcher.begin()
    clock.now += 1
    send(watcher, 2, 1, OTHER)
    assert (watcher.seen.pictures, watcher.seen.longest_gap) == (1, 4.0)


def test_targets_are_missed_and_reached() -> None:
    figures = {
        "cost": {
            "ours": {"core_seconds_a_room_second": 0.07, "latency_p95_ms": 151.0},
            "janus": {"core_seconds_a_room_second": 0.03},
        },
        "weather": {"longest_gap_seconds": 0.9, "frames_a_second_least": 13.9},
        "memory": {"growth_mb": 0.5, "left_over": {"media.peer.Peer": 1}},
    }
    assert list(judged(figures).values()) == [True, False, False, True, False, True, False]


def test_a_short_run_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    if sys.platform != "linux":
        pytest.skip("what a process uses is read from /proc")
    sizes = {"rooms": 1, "seconds": 2, "rounds": 1, "cycles": 3, "most": 1}
    given = [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
    main([*given, "--figures", "cost", "capacity", "memory", "--json"])
    result = json.loads(capsys.readouterr().out)
    servers = {"ours"} if janus_version() is None else {"ours", "janus"}
    assert set(result["cost"]) == servers | {"rooms"}
    for server in servers:
        assert result["cost"][server]["streams"] == 6
        assert result["cost"][server]["core_seconds_a_room_second"] > 0
    assert result["memory"]["left_over"] == {}
    assert result["capacity"]["ended_by"] in {"most", "pictures fell behind"}
    assert len(result["targets"]) >= 5
