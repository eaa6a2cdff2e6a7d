"""The only source of the present time, so that tests and the local sandbox can move it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")

_MOST_DOUBLINGS = 20  # of a second that is twelve days; many more is no span of time that Python knows


class Clock:
    """A clock that runs with the system's, shifted by an offset that is zero in production."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self._offset = offset
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Give the present moment as an aware datetime in UTC."""
        return datetime.now(UTC) + self._offset

    def today(self) -> datetime:
        """Give the start of the present day as people in China count it, as an aware datetime in Asia/Shanghai."""
        return self.now().astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)

    def shift(self, offset: timedelta) -> None:
        """Run `offset` ahead of the system's clock from now on, and tell everybody who waits for a time."""
        if offset == self._offset:
            return
        self._offset = offset
        for listener in self._listeners:
            listener()

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by `by`."""
        self.shift(self._offset + by)

    def on_shift(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every shift, so that a sleeper can look at its due times again."""
        self._listeners.append(listener)


def local(moment: datetime) -> datetime:
    """Give `moment` in the time zone that people in China read."""
    return moment.astimezone(LOCAL_ZONE)


def backoff(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """Give how long to wait after the `failures`-th failure in a row, counted from 1: `first`, each time doubled, at
    most `longest`, however many there were."""
    doubled: timedelta = first * 2 ** min(failures - 1, _MOST_DOUBLINGS)
    return min(doubled, longest)
