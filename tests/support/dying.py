"""A process that kills itself at a named moment: for the tests of crashes."""

import functools
import os
import signal
from collections.abc import Callable
from typing import Any


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
