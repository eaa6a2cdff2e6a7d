"""What a serving process goes on doing."""

from collections.abc import Callable, Coroutine
from typing import Any

Work = dict[str, Callable[[], Coroutine[Any, Any, None]]]
"""The loops of a process: each name with what begins it."""
