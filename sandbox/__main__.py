"""``python -m sandbox``: serve until SIGTERM or Ctrl-C."""

import asyncio
import contextlib
import resource
import signal
import sys

from sandbox.app import serving
from sandbox.settings import Settings, read_settings
from sandbox.state_file import StateError


async def serve(settings: Settings) -> None:
    """Serve, say when ready, and end at a signal."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as world:
        print(f"ready sandbox {world.account.public_url}", flush=True)
        await stop.wait()


def allow_many_connections() -> None:
    """Raise this process's limit of open files to what it may have: a hanging product holds a connection a callback."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Run the sandbox; 1 when it can't start."""
    settings = read_settings(sys.argv[1:])
    allow_many_connections()
    try:
        asyncio.run(serve(settings))
    except (OSError, StateError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
