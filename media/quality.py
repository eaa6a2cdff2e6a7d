"""From how packets travel to what is shown: the state of somebody's network, and the picture that it bears."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Network(IntEnum):
    """How somebody's network is; the higher the better, as many bars."""

    CRITICAL = 1
    POOR = 2
    GOOD = 3
    EXCELLENT = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of somebody's network: the worse share of lost packets of both ways (0–1), seconds of jitter and of
    delay (the longer of the way there and back and of the queue before us)."""

    lost: float
    jitter: float
    delay: float


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page is asked to send: lines and columns, pictures a second, bit/s."""

    width: int
    height: int
    frame_rate: int
    bitrate: int


PICTURES = {
    Network.EXCELLENT: Picture(1920, 1080, 30, 4_000_000),
    Network.GOOD: Picture(1280, 720, 25, 1_500_000),
    Network.POOR: Picture(854, 480, 15, 500_000),
}
"""The picture for a network. There is none for a critical one: then everything is left to the voices."""

_LIMITS = {
    Network.EXCELLENT: Sample(lost=0.01, jitter=0.030, delay=0.150),
    Network.GOOD: Sample(lost=0.03, jitter=0.060, delay=0.300),
    Network.POOR: Sample(lost=0.12, jitter=0.150, delay=0.800),
}
"""Delays after ITU-T G.114 (150 ms unnoticed, 400 ms the most for talking, there and back here); losses and jitter
by what WebRTC's repair still hides: 3 % of lost packets cost no frame, beyond a tenth pictures stand still."""

_WORSE_AFTER = 2
_BETTER_AFTER = 8
_BETTER_AFTER_MOST = 64
_RELAPSE_WITHIN = 30


def grade(sample: Sample) -> Network:
    """The state that this second alone speaks for."""
    for state, limit in _LIMITS.items():
        if sample.lost <= limit.lost and sample.jitter <= limit.jitter and sample.delay <= limit.delay:
            return state
    return Network.CRITICAL


class Losses:
    """The share of packets lost in the last second, of all streams of a connection together.

    A second of one voice is 50 packets: at 3 % of true loss it shows anything from 0 to 10 %, and packets that are
    merely late count as lost at its end. The worst of several streams would therefore speak ill of any network.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._expected = self._lacked = 0

    def add(self, expected: int, lacked: int) -> None:
        """Once a second: packets expected and lacked since the beginning."""
        since, lost = expected - self._expected, lacked - self._lacked
        self._expected, self._lacked = expected, lacked
        self.share = min(1.0, max(0.0, lost / since)) if since > 0 else 0.0


class Observer:
    """Watches one network, a sample a second. Falls after two bad seconds, rises a step after eight good ones; pictures
    are given up only where two seconds of the smallest were as bad. Who falls back soon after a rise has to be good for
    twice as long next time, so that a network that comes and goes does not make the picture come and go."""

    def __init__(self) -> None:
        self.state = Network.GOOD
        self._worse = self._better = 0
        self._patience = _BETTER_AFTER
        self._since_rise: int | None = None

    def add(self, sample: Sample) -> Network:
        """The state after one more second."""
        seen = grade(sample)
        if self._since_rise is not None:
            self._since_rise += 1
        self._worse = self._worse + 1 if seen < self.state else 0
        self._better = self._better + 1 if seen > self.state else 0
        if self._worse >= _WORSE_AFTER:
            self._fall(seen)
        elif self._better >= self._patience:
            self._rise()
        elif self._since_rise is not None and self._since_rise > _RELAPSE_WITHIN:
            self._patience, self._since_rise = _BETTER_AFTER, None
        return self.state

    def _fall(self, seen: Network) -> None:
        if self._since_rise is not None and self._since_rise <= _RELAPSE_WITHIN:
            self._patience = min(2 * self._patience, _BETTER_AFTER_MOST)
        self.state = max(seen, Network.POOR) if self.state > Network.POOR else seen
        self._worse, self._since_rise = 0, None

    def _rise(self) -> None:
        self.state, self._better, self._since_rise = Network(self.state + 1), 0, 0


def picture_to_send(own: Network, watching: Iterable[Network]) -> Picture | None:
    """What somebody should send: no more than their own network bears, nor than any of those bear who can be shown a
    picture at all; none where their own network bears none, or nobody's does."""
    able = [state for state in watching if state > Network.CRITICAL]
    if own is Network.CRITICAL or not able:
        return None
    return PICTURES[min(own, *able)]
