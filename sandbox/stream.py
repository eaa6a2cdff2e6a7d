"""Live events for the phones page: whoever listens gets each event, whoever is too slow is let go."""

import asyncio

from sandbox.errors import JsonObject

MAX_WAITING_EVENTS = 2_000


class Stream:
    """Fan-out to bounded queues, one a listener."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[JsonObject | None]] = set()

    def listen(self) -> asyncio.Queue[JsonObject | None]:
        """A new listener's queue. ``None`` in it says that the stream is over for this listener."""
        queue: asyncio.Queue[JsonObject | None] = asyncio.Queue(MAX_WAITING_EVENTS)
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[JsonObject | None]) -> None:
        """Stop listening."""
        self._listeners.discard(queue)

    @property
    def heard(self) -> bool:
        """Whether anybody listens: making an event for nobody costs time."""
        return bool(self._listeners)

    def publish(self, event: JsonObject) -> None:
        """Give an event to every listener. One that does not keep up is cut off and comes back with a fresh look."""
        for queue in list(self._listeners):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._cut_off(queue)

    def close(self) -> None:
        """End the stream for all."""
        for queue in list(self._listeners):
            self._cut_off(queue)

    def _cut_off(self, queue: asyncio.Queue[JsonObject | None]) -> None:
        self._listeners.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
