"""Lets aiortc be imported where PyAV is not installed.

aiortc imports PyAV for its encoders and decoders, of which this room uses none: packets are forwarded as they come.
PyAV's wheels bundle x264 and x265 (GPL), so the product is installed without it, and these names stand in for its
classes. Development installs the real one, because the tests' pages encode and decode.
"""

import importlib.util
import sys
from types import ModuleType
from typing import Any

_MODULES = ("av", "av.frame", "av.packet", "av.video", "av.video.codeccontext")
"""What aiortc 1.16 imports when it is imported itself."""


class _NotInstalled(ModuleType):
    """A module whose every name is a class of which nothing can be made."""

    def __getattr__(self, name: str) -> type[Exception]:
        if name.startswith("__"):
            raise AttributeError(name)
        # An exception, because aiortc catches some of these names.
        made = type(name, (Exception,), {"__init__": _refuse, "__module__": self.__name__})
        setattr(self, name, made)
        return made


def _refuse(self: object, *_args: Any, **_options: Any) -> None:
    raise RuntimeError(f"{type(self).__module__}.{type(self).__name__} needs PyAV, which is not installed")


def stand_in() -> None:
    """Put the names in place; does nothing where PyAV is installed."""
    if "av" not in sys.modules and importlib.util.find_spec("av") is None:
        for name in _MODULES:
            sys.modules[name] = _NotInstalled(name)
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, sys.modules[name])
