"""The journal: every call between product and platform, in both directions, as far back as memory is granted."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from sandbox.clock import MovableClock, iso
from sandbox.errors import JsonObject
from sandbox.signal import Signal

MAX_ENTRIES = 20_000
MAX_BODY_CHARACTERS = 2_000


class Journal:
    """A bounded list of entries with consecutive numbers."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock
        self._entries: deque[JsonObject] = deque(maxlen=MAX_ENTRIES)
        self.last_seq = 0
        self._signal = Signal()

    def add(
        self,
        *,
        direction: str,
        path: str,
        openid: str | None,
        errcode: int | None,
        status: int,
        ms: float,
        body: str,
        answer: str = "",
        method: str = "POST",
    ) -> None:
        """Write one entry.

        ``direction`` is ``in`` (the product called the platform) or ``out`` (a callback to the product); ``status`` is
        the HTTP status, 0 where none came; ``ms`` the duration in milliseconds of real time.
        """
        self.last_seq += 1
        self._entries.append(
            {
                "seq": self.last_seq,
                "at": iso(self._clock.now()),
                "direction": direction,
                "method": method,
                "path": path,
                "openid": openid,
                "errcode": errcode,
                "status": status,
                "ms": round(ms, 2),
                "body": body[:MAX_BODY_CHARACTERS],
                "answer": answer[:MAX_BODY_CHARACTERS],
            }
        )
        self._signal.notify()

    async def read(
        self, *, after: int | None, path: str | None, openid: str | None, wait: float, limit: int
    ) -> list[JsonObject]:
        """Entries after a number that fit the filters, oldest first; waits up to ``wait`` seconds for the first one.

        Without a number: the latest entries that fit.
        """
        if after is None:
            latest = (entry for entry in reversed(self._entries) if _fits(entry, path, openid))
            return list(islice(latest, limit))[::-1]
        found: list[JsonObject] = []
        looked_until = after

        def has_some() -> bool:
            nonlocal looked_until
            fresh = (entry for entry in self._after(looked_until) if _fits(entry, path, openid))
            found.extend(islice(fresh, limit))
            looked_until = self.last_seq
            return bool(found)

        await self._signal.wait_until(has_some, wait)
        return found

    def _after(self, seq: int) -> Iterator[JsonObject]:
        first_seq = self.last_seq - len(self._entries) + 1
        return islice(self._entries, max(0, seq - first_seq + 1), None)

    def clear(self) -> None:
        """Forget all entries; numbers go on, so that a reader's place stays valid."""
        self._entries.clear()


def _fits(entry: JsonObject, path: str | None, openid: str | None) -> bool:
    return (path is None or entry["path"] == path) and (openid is None or entry["openid"] == openid)
