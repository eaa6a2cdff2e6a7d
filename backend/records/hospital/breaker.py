"""A circuit breaker: whoever failed several times in a row is left alone for a while, then tried by one request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from backend.clock import Clock, backoff
from backend.records.hospital.faults import FaultCode, HospitalFault

TOLERATED = 4
"""Failures in a row after which a hospital is left alone."""
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=10)


class Breaker:
    """The breaker of one hospital. Only faults of the server as a whole count; a refused request is an answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until: datetime | None = None
        self._trying = False

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Let a request pass and learn from how it ends.

        Raises:
            HospitalFault: PAUSED, with the seconds that are left, where the hospital is being left alone.
        """
        trial = self._admit()
        try:
            yield
        except HospitalFault as fault:
            if fault.of_the_server:
                self._failed()
            else:
                self._answered()
            raise
        else:
            self._answered()
        finally:
            if trial:
                self._trying = False

    def _admit(self) -> bool:
        """Tell whether this is the one request that tries a hospital again; raise where none may pass."""
        if self._open_until is None:
            return False
        left = (self._open_until - self._clock.now()).total_seconds()
        if left > 0 or self._trying:
            raise HospitalFault(FaultCode.PAUSED, retry_seconds=max(left, 1.0))
        self._trying = True
        return True

    def _answered(self) -> None:
        self._failures, self._open_until = 0, None

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= TOLERATED:
            pause = backoff(self._failures - TOLERATED + 1, _FIRST_PAUSE, _LONGEST_PAUSE)
            self._open_until = self._clock.now() + pause
