"""A process that kills itself at a named moment: for the tests of crashes.

It is forked from a server that has imported the product already (tests/conftest.py), so that it begins at once.
"""

import asyncio
import functools
import multiprocessing
import os
import signal
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from typing import Any

_FORKED = multiprocessing.get_context("forkserver")


class Forked:
    """A process that runs `main(say, *arguments)`, an asynchronous function of a module; what it says is heard here."""

    def __init__(self, main: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        self._heard, say = _FORKED.Pipe(duplex=False)
        self._process = _FORKED.Process(target=_run, args=(main, say, arguments), daemon=False)
        self._process.start()
        say.close()

    async def said(self) -> Any:
        """Wait for what it says next.

        Raises:
            EOFError: it ended without a word.
        """
        if not await asyncio.to_thread(self._heard.poll, 60):
            raise TimeoutError("the process says nothing")
        return self._heard.recv()

    async def ended(self) -> int | None:
        """Wait until it has ended; give its exit code, -9 for one that was killed."""
        await asyncio.to_thread(self._process.join, 120)
        return self._process.exitcode

    async def end(self) -> None:
        """Ask it to end where it still runs, and wait."""
        self._process.terminate()
        await self.ended()
        self._heard.close()

    def kill(self) -> None:
        """Kill it where it still runs."""
        self._process.kill()


def _run(main: Callable[..., Coroutine[Any, Any, None]], say: Connection, arguments: tuple[Any, ...]) -> None:
    asyncio.run(main(say.send, *arguments))


def die_at(owner: Any, name: str, *, before: bool, times: int = 1) -> None:
    """Let this process be killed at the call `name` of `owner` (a class or a module) that makes `times`.

    Args:
        before: the call itself is not made any more; else it, an asynchronous one, has been.
    """
    method: Callable[..., Any] = getattr(owner, name)
    left = times

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(method)
    async def deadly(*arguments: Any, **named: Any) -> Any:
        given = await method(*arguments, **named)
        count()
        return given

    @functools.wraps(method)
    def deadly_before(*arguments: Any, **named: Any) -> Any:
        count()
        return method(*arguments, **named)

    setattr(owner, name, deadly_before if before else deadly)
