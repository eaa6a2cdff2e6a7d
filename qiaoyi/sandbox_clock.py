"""Keeps the product's clock on that of a local WeChat, so that a week passes at a click."""

import asyncio
import logging
from datetime import timedelta

import aiohttp

from backend.clock import Clock

log = logging.getLogger(__name__)

_WAIT_SECONDS = 30


class ClockFollower:
    """Asks the sandbox for its clock, holding the question open until the clock is moved.

    Args:
        clock: is shifted.
        url: the sandbox's `…/api/clock`.
        name: tells the followers apart: the sandbox lets `advance` return when each has asked again.
    """

    def __init__(self, clock: Clock, url: str, name: str) -> None:
        self._clock = clock
        self._url = url
        self._name = name
        self._version = -1

    async def follow_once(self, http: aiohttp.ClientSession, wait_seconds: int = 0) -> None:
        """Take over the sandbox's offset, waiting up to `wait_seconds` for one that is not known yet."""
        query = {"follower": self._name, "version": str(self._version), "wait": str(wait_seconds)}
        timeout = aiohttp.ClientTimeout(total=wait_seconds + 10)
        async with http.get(self._url, params=query, timeout=timeout) as answer:
            answer.raise_for_status()
            held = await answer.json()
        self._version = int(held["version"])
        self._clock.shift(timedelta(seconds=float(held["offset_seconds"])))

    async def run(self) -> None:
        """Follow until cancelled; a sandbox that is away leaves the clock where it was."""
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    await self.follow_once(http, _WAIT_SECONDS)
                except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
                    log.warning("the sandbox's clock did not answer: %s", type(error).__name__)
                    await asyncio.sleep(2)
