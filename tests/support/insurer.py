"""The house's insurer and the sandbox that plays it, in the test's own event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count

from backend.clock import Clock
from backend.db import Database
from backend.insurance.coverage import Fee
from backend.insurance.insurer import Person, Visit
from backend.insurance.national import NationalInsurer
from backend.insurance.settings import InsurerSettings
from data.insurance import Level, Service
from sandbox.insurer.books import Books
from sandbox.insurer.envelope import LOCAL_KEY
from tests.support.sandbox import RunningSandbox, running_sandbox

HOSPITAL = "H99990200001"
TOWNSHIP = "H99990100001"

WANG = ("999901195903120026", "王秀英")
LI = ("999901195211050012", "李大山")
LIU = ("999901199406270048", "刘巧云")
ZHAO = ("999901196801300055", "赵福根")


@dataclass
class Talk:
    """Both sides. `message()` gives a fresh message id."""

    insurer: NationalInsurer
    sandbox: RunningSandbox
    clock: Clock
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def books(self) -> Books:
        """What the played insurer keeps."""
        return self.sandbox.world.insurer.books

    @property
    def standing(self) -> int:
        """How many settlements stand there."""
        return sum(one.standing for one in self.books.settlements.values())

    def message(self) -> str:
        """A message id that was never used."""
        return f"message-{next(self._numbers)}"

    async def person(self, who: tuple[str, str] = WANG) -> Person:
        """Look somebody up."""
        return await self.insurer.person(*who, message=self.message())

    async def visit(
        self,
        who: tuple[str, str] = WANG,
        *fees: Fee,
        service: Service = "remote_consultation",
        institution: str = HOSPITAL,
        level: Level = "tertiary",
        at: datetime | None = None,
        use_account: bool = True,
    ) -> Visit:
        """A visit of somebody who was looked up; a consultation of 200 yuan unless told otherwise."""
        person = await self.person(who)
        return Visit(
            f"V{next(self._numbers):04d}",
            person.number,
            institution,
            level,
            service,
            at or self.clock.now(),
            fees or (Fee("远程会诊", Decimal("200.00")),),
            use_account,
        )

    async def uploaded(self, visit: Visit) -> Visit:
        """The visit, registered and with its fees sent."""
        await self.insurer.register(visit, message=self.message())
        await self.insurer.upload(visit, message=self.message())
        return visit

    async def ready(self, who: tuple[str, str] = WANG, *fees: Fee, **given: object) -> Visit:
        """A visit that can be pre-settled and settled."""
        return await self.uploaded(await self.visit(who, *fees, **given))  # type: ignore[arg-type]


def settings_for(url: str, **given: object) -> InsurerSettings:
    """Settings by which the sandbox's insurer is reached."""
    return InsurerSettings.model_validate({"url": url, "institution": HOSPITAL, "key": LOCAL_KEY, **given})


@asynccontextmanager
async def talking(database: Database, clock: Clock, **given: object) -> AsyncIterator[Talk]:
    """Run both sides for the length of the block; keyword arguments are settings of the insurer."""
    async with running_sandbox() as sandbox:
        insurer = NationalInsurer(database, clock, settings_for(f"{sandbox.base_url}/insurer/api", **given))
        try:
            yield Talk(insurer, sandbox, clock)
        finally:
            await insurer.close()
