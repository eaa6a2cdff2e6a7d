"""Work in other processes: it ends with them, in the middle of things where that is asked for."""

import asyncio
import os
import signal
import time

import pytest

from backend.worker_processes import WorkerDied, WorkerProcesses
from tests.support.waiting import eventually


async def test_work_is_done_elsewhere() -> None:
    processes = WorkerProcesses(1, niceness=5)
    try:
        assert await processes.run(os.getpid) != os.getpid()
    finally:
        processes.close()


async def test_an_interrupt_from_the_terminal_does_not_disturb_a_worker() -> None:
    processes = WorkerProcesses(1, niceness=5)
    try:
        pid = await processes.run(os.getpid)
        os.kill(pid, signal.SIGINT)
        assert await processes.run(os.getpid) == pid
    finally:
        processes.close()


async def test_killed_work_is_told_of_at_once_and_the_next_gets_a_new_process() -> None:
    processes = WorkerProcesses(1, niceness=5)
    try:
        first = await processes.run(os.getpid)
        work = asyncio.create_task(processes.run(time.sleep, 600))
        await asyncio.sleep(0)
        processes.kill()
        with pytest.raises(WorkerDied):
            await work
        assert await processes.run(os.getpid) != first
    finally:
        processes.kill()


async def test_a_killed_process_is_gone() -> None:
    processes = WorkerProcesses(1, niceness=5)
    pid = await processes.run(os.getpid)
    processes.kill()

    def gone() -> bool:
        try:
            with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    await eventually(gone)
