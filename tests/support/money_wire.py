"""Between the house and those with whom it settles: a wire that loses, delays, doubles and reorders what it carries."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Fault(StrEnum):
    """What becomes of one call."""

    NONE = "none"
    UNREACHABLE = "unreachable"  # it never left, and that is known
    LOST = "lost"  # it never arrived, and nobody knows
    ANSWER_LOST = "answer_lost"
    LATE = "late"  # it arrives after somebody has given up waiting
    DOUBLED = "doubled"
    KILLED_BEFORE = "killed_before"  # the process ends before it is sent
    KILLED_AFTER = "killed_after"  # and after the other side has done it


class Killed(BaseException):  # what catches errors must not catch the end of the process
    """The process ends here."""


class Wire:
    """Carries calls to one side.

    Args:
        unreachable, unclear: what the interface raises in these cases.
    """

    def __init__(self, unreachable: type[Exception], unclear: type[Exception]) -> None:
        self._unreachable = unreachable
        self._unclear = unclear
        self.down = False
        self.next: list[Fault] = []
        self.chance: random.Random | None = None
        self.share = 0.0
        self.late: list[Callable[[], object]] = []
        self.counts: Counter[Fault] = Counter()

    async def carry(self, effect: Callable[[], T]) -> T:
        """Let the other side do `effect`, or what the next fault makes of it."""
        await asyncio.sleep(0)
        fault = self._fault()
        self.counts[fault] += 1
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.UNREACHABLE:
            raise self._unreachable
        if fault is Fault.LOST:
            raise self._unclear
        if fault is Fault.LATE:
            self.late.append(effect)
            raise self._unclear
        if fault in (Fault.ANSWER_LOST, Fault.KILLED_AFTER):
            _quietly(effect)
            raise Killed if fault is Fault.KILLED_AFTER else self._unclear
        if fault is Fault.DOUBLED:
            _quietly(effect)
        return effect()

    def arrive(self) -> int:
        """Let what is under way arrive, the last first; give how much that was."""
        arriving, self.late = self.late, []
        for effect in reversed(arriving):
            _quietly(effect)
        return len(arriving)

    def _fault(self) -> Fault:
        if self.down:
            return Fault.UNREACHABLE
        if self.next:
            return self.next.pop(0)
        if self.chance is not None and self.chance.random() < self.share:
            return self.chance.choice([fault for fault in Fault if fault is not Fault.NONE])
        return Fault.NONE


def _quietly(effect: Callable[[], object]) -> None:
    """Do it, though nobody hears the answer."""
    with contextlib.suppress(Exception):
        effect()
