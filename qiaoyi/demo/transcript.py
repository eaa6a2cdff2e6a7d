"""The transcript of a demonstration: its steps with their times, printed as they happen or kept for one JSON object."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from sandbox.client import Message


@dataclass
class Step:
    """One step of the story.

    Attributes:
        name: stable, for programs.
        title: what happens, in Chinese.
        ok: it happened.
        milliseconds: how long it took.
    """

    name: str
    title: str
    ok: bool = False
    milliseconds: float = 0.0


class Transcript:
    """Collects the steps and shows what the three phones see.

    Args:
        quiet: print nothing while the story is played.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.steps: list[Step] = []
        self._quiet = quiet

    @asynccontextmanager
    async def step(self, name: str, title: str) -> AsyncIterator[None]:
        """Time what is done inside as one step; it is missing from the story when something is raised."""
        step = Step(name, title)
        self.steps.append(step)
        self._print(f"\n── {title}")
        began = time.perf_counter()
        try:
            yield
            step.ok = True
        finally:
            step.milliseconds = round((time.perf_counter() - began) * 1000, 1)

    def fail(self, name: str, title: str) -> None:
        """Note a step that could not even begin."""
        self.steps.append(Step(name, title))

    def did(self, who: str, what: str) -> None:
        """Show what a person does."""
        self._print(f"   {who} ▸ {what}")

    def got(self, who: str, message: Message) -> None:
        """Show what arrives on a person's phone."""
        lines = message.text.splitlines() or [f"[{message.kind}]"]
        self._print(f"   {who} ◂ {lines[0]}")
        for line in lines[1:]:
            self._print(f"   {'　' * len(who)}   {line}")
        if message.items:
            self._print(f"   {'　' * len(who)}   〔{'〕〔'.join(item['text'] for item in message.items)}〕")

    def as_json(self) -> dict[str, object]:
        """Give the steps as one object."""
        return {"ok": all(step.ok for step in self.steps), "steps": [asdict(step) for step in self.steps]}

    def _print(self, line: str) -> None:
        if not self._quiet:
            print(line, flush=True)
