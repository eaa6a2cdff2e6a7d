"""Other processes for work that would hold Python's lock: what runs in them is named by module, and imported there."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection, wait
from typing import ParamSpec, TypeVar

from backend import tracing

P = ParamSpec("P")
T = TypeVar("T")


class WorkerDied(Exception):
    """The work took its process down; the next work gets a new one."""


class WorkerProcesses:
    """Processes that start with the first work for them and end with this one, whatever becomes of it.

    Args:
        count: how many at most. niceness: how far they give way to everything else.
    """

    def __init__(self, count: int, niceness: int) -> None:
        self._count = count
        self._niceness = niceness
        self._pool: ProcessPoolExecutor | None = None
        self._lifeline: Connection | None = None

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Give what `work` gives, or raise what it raises; it and its arguments have to be picklable.

        Raises:
            WorkerDied: the process ended before the work did.
        """
        if self._pool is None:
            context = multiprocessing.get_context("forkserver")
            held, self._lifeline = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                self._count, mp_context=context, initializer=_prepare, initargs=(self._niceness, held)
            )
        pool = self._pool
        with tracing.inner("worker process", work=getattr(work, "__name__", type(work).__name__)):
            try:
                # In a thread: the first submission starts the processes, and waits until they have begun.
                submitted = await asyncio.to_thread(lambda: pool.submit(work, *arguments, **named))
            except RuntimeError as error:  # the pool was ended meanwhile, or had died before
                raise self._died(pool) from error
            try:
                return await asyncio.wrap_future(submitted)
            except BrokenProcessPool as error:
                raise self._died(pool) from error

    def _died(self, pool: ProcessPoolExecutor) -> WorkerDied:
        if pool is self._pool:
            self.close()
        return WorkerDied()

    def close(self) -> None:
        """End the processes, each when it has done what it is doing."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def kill(self) -> None:
        """End the processes in the middle of what they are doing; whoever waits for it gets `WorkerDied`."""
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None


def _prepare(niceness: int, lifeline: Connection) -> None:
    """Make this process give way to everything else, and end when the one that it works for has been killed, or has let
    go of the lifeline."""
    os.nice(niceness)
    # Ctrl-C reaches all processes of a terminal; this one ends with its parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()


def _end_with_parent(lifeline: Connection) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel, lifeline])
    os._exit(0)
