"""When the frames of a stream were made, on the clock of a recording.

A stream's own clock (its RTP timestamps) is laid onto the recording's at its first frame. Sound and picture of one
person are brought together by the reports in which the sender says which timestamps belong to one moment of its own
clock (RFC 3550, 6.4.1): the picture follows the sound, because a jump of the sound would be heard.
"""

from media.frames import extended

VOICE_RATE, PICTURE_RATE = 48_000, 90_000
"""Ticks a second of the RTP clocks (RFC 7587, 4.1; RFC 7741, 4.1)."""

_EARLY_MOST = 0.5
_LATE_MOST = 1.0
_LATE_WINDOW = 4.0
_APART_MOST = 1.0


class Timeline:
    """The clock of one stream of ``rate`` ticks a second."""

    def __init__(self, rate: int) -> None:
        self.sound: Timeline | None = None
        """The stream that this one, a picture, is brought together with."""
        self._rate = rate
        self._offset: float | None = None
        self._newest = 0
        self._reported: tuple[float, int] | None = None
        self._least_late, self._window_ends = float("inf"), 0.0

    def at(self, timestamp: int, arrived: float) -> float:
        """When the frame of this ``timestamp`` (without the wrap) was made; ``arrived`` in the recording's seconds."""
        self._newest = timestamp
        own = timestamp / self._rate
        if self._offset is None:
            self._offset, self._window_ends = arrived - own, arrived + _LATE_WINDOW
        self._follow(own, arrived)
        made = own + self._offset
        together = self._with_sound(timestamp)
        return together if together is not None and abs(together - made) < _APART_MOST else made

    def report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """What the sender reports: a moment of its clock (64 bits of NTP) and the timestamp that belongs to it."""
        self._reported = (ntp_timestamp / (1 << 32), extended(rtp_timestamp, self._newest, 32))

    def of_sender(self, moment: float) -> float | None:
        """Where a moment of the sender's clock lies in the recording; ``None`` before frames and a report came."""
        if self._offset is None or self._reported is None:
            return None
        reported, timestamp = self._reported
        return moment - reported + timestamp / self._rate + self._offset

    def _with_sound(self, timestamp: int) -> float | None:
        if self.sound is None or self._reported is None:
            return None
        moment, reported = self._reported
        return self.sound.of_sender(moment + (timestamp - reported) / self._rate)

    def _follow(self, own: float, arrived: float) -> None:
        """Lay the clock anew where it has gone astray: nothing arrives before it is made, and where everything has
        come late for a while, the sender's clock has stood still (a phone that slept)."""
        assert self._offset is not None  # noqa: S101  # laid by the caller
        late = arrived - own - self._offset
        if late < -_EARLY_MOST:
            self._offset += late
            self._least_late = 0.0
        self._least_late = min(self._least_late, late)
        if arrived >= self._window_ends:
            if self._least_late > _LATE_MOST:
                self._offset += self._least_late
            self._least_late, self._window_ends = float("inf"), arrived + _LATE_WINDOW
