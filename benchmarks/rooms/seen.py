"""What one person sees of another: pictures that are whole and can be decoded, how old they are, how they pause."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from aiortc.rtp import RtcpSenderInfo

from media.published import PublishedStream
from media.rtp import Header, is_newer, starts_keyframe_vp8

_ASK_FOR_A_WHOLE_ONE_AFTER = 0.5


@dataclass
class Seen:
    """Since counting began: pictures, their ages in seconds, the longest time without a new one, whole seconds lost."""

    began: float
    pictures: int = 0
    ages: list[float] = field(default_factory=list)
    longest_gap: float = 0.0
    last: float = 0.0


class _Piece(NamedTuple):
    begins: bool
    is_whole: bool
    number: int
    ends: bool


class Watcher:
    """Puts the packets of a picture together, in order, as a decoder must be given them.

    A picture can be shown once all of it and everything before it is there; after a gap that is not filled, from the
    next picture that needs no other one. Such a one is asked for after half a second, as browsers do.
    """

    def __init__(
        self,
        sent: Mapping[int, float],
        on_picture: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seen = Seen(clock())
        self._on_picture = on_picture
        self.stream: PublishedStream | None = None
        self._sent, self._clock = sent, clock
        self._pieces: dict[int, _Piece] = {}
        self._next: int | None = None
        self._number = 0

    def begin(self) -> None:
        """Count anew."""
        self.seen = Seen(self._clock(), last=self.seen.last)

    def forward(self, packet: bytes, header: Header, send_time_at: int | None) -> None:
        """A packet, in whatever order."""
        if self._next is not None and header.sequence != self._next and not is_newer(header.sequence, self._next):
            return
        at = header.payload_at
        begins = packet[at] & 0x10 != 0
        number = int.from_bytes(packet[at + 2 : at + 4]) & 0x7FFF if begins else 0
        whole = begins and starts_keyframe_vp8(packet, at)
        self._pieces[header.sequence] = _Piece(begins, whole, number, header.marker)
        self._advance()
        if self._pieces:
            self._leap()

    def forward_report(self, report: RtcpSenderInfo) -> None:
        """Clocks are of no interest here."""

    def look(self) -> None:
        """Ask for a whole picture where nothing can be shown."""
        if self._clock() - self.seen.last > _ASK_FOR_A_WHOLE_ONE_AFTER and self.stream is not None and self._pieces:
            self.stream.request_keyframe()

    def _advance(self) -> None:
        while self._next is not None and (piece := self._pieces.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            if piece.begins:
                self._number = piece.number
            if piece.ends:
                self._show(self._number)

    def _leap(self) -> None:
        """Go on at a picture that needs no other one, when all of it is there."""
        for first, piece in self._pieces.items():
            if piece.is_whole and self._is_complete(first):
                self._next = first
                self._pieces = {n: p for n, p in self._pieces.items() if n == first or is_newer(n, first)}
                self._advance()
                return

    def _is_complete(self, number: int) -> bool:
        while (piece := self._pieces.get(number)) is not None:
            if piece.ends:
                return True
            number = (number + 1) & 0xFFFF
        return False

    def _show(self, number: int) -> None:
        seen, now = self.seen, self._clock()
        seen.pictures += 1
        seen.longest_gap = max(seen.longest_gap, now - (seen.last or seen.began))
        seen.last = now
        if number in self._sent:
            seen.ages.append(now - self._sent[number])
        self._on_picture()
