"""In whatever order people ask, answer, take back and wait: each request is answered once, and never forgotten."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict, IllegalMove
from backend.rights import AmendmentState, Part
from backend.security.policy import SYSTEM, Actor, Role
from tests.support import cases
from tests.support.erasing import Life, lead, treat

T = TypeVar("T")

PARTS = [Part.HISTORY, Part.OPINION, Part.OTHER]
UNTIL_REMINDED = [3, 4, 7, 7, 7, 7, 7, 7, 7, 7]
"""Days from each time that they are asked to the next, as a person would say it."""


@dataclass
class Known:
    """A request as the model knows it."""

    part: Part
    due_at: datetime
    reminders: int = 0
    state: AmendmentState = AmendmentState.ASKED


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_steps_loses_a_request_or_answers_it_twice(sqlite_template: Path) -> None:
    class Machine(AmendmentMachine):
        template = sqlite_template

    budget = int(os.environ.get("QIAOYI_AMENDMENT_EXAMPLES", "6"))
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=budget, stateful_step_count=20, suppress_health_check=checks)
    )


class AmendmentMachine(RuleBasedStateMachine):
    """The real services beside a model of what was asked and what came of it."""

    template: Path

    @initialize()
    def finish_a_case(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        shutil.copyfile(self.template, self.folder / "qiaoyi.db")
        self.clock = Clock()
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'qiaoyi.db'}")
        self.life: Life = self.run(lead(self.database, self.clock, self.folder, treated=False))
        self.case_id = self.run(treat(self.life))
        self.amendments = self.life.house.services.amendments
        self.me = self.run(self.life.actor())
        self.staff = {True: self.run(self._staff("钟专家")), False: self.run(self._staff("村医甲"))}
        self.known: dict[str, Known] = {}

    async def _staff(self, name: str) -> Actor:
        return await cases.staff(self.life.house, name)

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def _some(self, which: int) -> tuple[str, Known] | None:
        found = list(self.known.items())
        return found[which % len(found)] if found else None

    @rule(part=st.sampled_from(PARTS))
    def ask(self, part: Part) -> None:
        work = self.amendments.ask(self.me, self.case_id, part, "写错了")
        if any(one.part is part and one.state is AmendmentState.ASKED for one in self.known.values()):
            with pytest.raises(Conflict):
                self.run(work)
            return
        asked = self.run(work)
        self.known[asked.id] = Known(part, asked.asked_at + timedelta(days=UNTIL_REMINDED[0]))

    @rule(which=st.integers(0, 9), amended=st.booleans())
    def answer(self, which: int, amended: bool) -> None:
        found = self._some(which)
        if found is None:
            return
        asked, known = found
        give = self.amendments.write if amended else self.amendments.decline
        work = give(self.staff[known.part.by_expert], asked, "看过了")
        self._settled(work, known, AmendmentState.AMENDED if amended else AmendmentState.DECLINED)

    @rule(which=st.integers(0, 9))
    def take_back(self, which: int) -> None:
        found = self._some(which)
        if found is not None:
            asked, known = found
            self._settled(self.amendments.take_back(self.me, asked), known, AmendmentState.TAKEN_BACK)

    def _settled(self, work: Awaitable[object], known: Known, state: AmendmentState) -> None:
        if known.state is AmendmentState.ASKED:
            self.run(work)
            known.state = state
        else:
            with pytest.raises(IllegalMove):
                self.run(work)

    @rule(days=st.sampled_from([0.5, 2.0, 3.5]))
    def wait(self, days: float) -> None:
        self.clock.advance(timedelta(days=days))
        now = self.clock.now()
        self.run(self.life.house.settle())
        for one in self.known.values():
            if one.state is AmendmentState.ASKED and one.due_at <= now:
                one.reminders += 1
                one.due_at = now + timedelta(days=UNTIL_REMINDED[one.reminders])

    @invariant()
    def each_stands_where_it_was_left(self) -> None:
        for asked, known in self.known.items():
            seen = self.run(self.amendments.amendment(SYSTEM, asked))
            assert (seen.state, seen.reminders) == (known.state, known.reminders)
        addenda = self.run(self.amendments.addenda(self.me, self.case_id))
        assert {one.id for one in addenda} == {
            asked for asked, known in self.known.items() if known.state is AmendmentState.AMENDED
        }

    @invariant()
    def whoever_watches_sees_all_that_wait_and_those_alone(self) -> None:
        clerk = Actor("clerk", frozenset({Role.ADMINISTRATOR}))
        open_now = {asked for asked, known in self.known.items() if known.state is AmendmentState.ASKED}
        seen = self.run(self.amendments.waiting(clerk))
        assert {one.id for one in seen} == open_now
        assert {one.id for one in seen if one.overdue} == {one for one in open_now if self.known[one].reminders >= 2}

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)
