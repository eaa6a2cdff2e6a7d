"""A sandbox inside the test's own event loop, on a free port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.app import serving
from sandbox.client import SandboxClient
from sandbox.settings import Settings
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that runs: where, with which settings, and a client of it. ``world`` is for the sandbox's own tests."""

    base_url: str
    settings: Settings
    client: SandboxClient
    world: World


@asynccontextmanager
async def running_sandbox(**settings: Any) -> AsyncIterator[RunningSandbox]:
    """Run a sandbox for the length of the block; keyword arguments are fields of ``sandbox.settings.Settings``.

    The callback address may be entered later: ``await running.client.set_callback(url)``.
    """
    chosen = Settings(**{"port": 0, **settings})
    async with serving(chosen) as world, SandboxClient(world.account.public_url) as client:
        yield RunningSandbox(world.account.public_url, chosen, client, world)
