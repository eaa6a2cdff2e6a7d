"""Waiting for something to become true, without sleeping a fixed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

_STEP_SECONDS = 0.01


async def eventually(condition: Callable[[], bool | Awaitable[bool]], timeout: float = 10.0) -> None:
    """Return as soon as `condition` holds.

    Raises:
        TimeoutError: it did not within `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        while True:
            held = condition()
            if await held if inspect.isawaitable(held) else held:
                return
            await asyncio.sleep(_STEP_SECONDS)
