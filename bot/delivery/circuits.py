"""What WeChat has told us not to do for a while, or at all."""

from datetime import datetime, timedelta

from backend.clock import Clock, local


class Circuits:
    """Paths that are shut until a moment, and features that the account may not use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._disabled: set[str] = set()

    def shut_for_today(self, path: str) -> datetime:
        """Shut `path` until WeChat counts anew, at midnight in China; give that moment."""
        midnight = local(self._clock.now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self._until[path] = midnight
        return midnight

    def shut_for(self, path: str, duration: timedelta) -> datetime:
        """Shut `path` for `duration`; give the moment of its opening."""
        self._until[path] = self._clock.now() + duration
        return self._until[path]

    def shut_until(self, path: str) -> datetime | None:
        """Give until when `path` is shut; None where it is open."""
        until = self._until.get(path)
        return until if until is not None and until > self._clock.now() else None

    def disable(self, feature: str) -> None:
        """Use `feature` no more: the account may not."""
        self._disabled.add(feature)

    def allows(self, feature: str) -> bool:
        """Tell whether `feature` may be used."""
        return feature not in self._disabled
