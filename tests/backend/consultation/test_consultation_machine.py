"""Whatever people try in whatever order, the service does what the state machine says and nothing else."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from backend.clock import Clock
from backend.consultation import OfferState, Status
from backend.consultation.tables import Consultation, Offer, TimelineRow
from backend.db import Database
from backend.errors import Conflict, Forbidden, IllegalMove, InvalidInput
from backend.security.policy import Actor
from tests.support.clinic import Clinic, build_clinic, practitioner_of

T = TypeVar("T")

PEOPLE = st.sampled_from(["patient", "doctor", "expert", "second", "stranger"])


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_steps_leaves_the_state_machine(sqlite_template: Path) -> None:
    class Machine(ConsultationMachine):
        template = sqlite_template

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


class ConsultationMachine(RuleBasedStateMachine):
    """The real service beside a model that knows the status, who has it, and whether an opinion is there."""

    template: Path

    @initialize()
    def open_a_consultation(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        shutil.copyfile(self.template, self.folder / "qiaoyi.db")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'qiaoyi.db'}")
        self.clinic: Clinic = build_clinic(self.database, Clock(), self.folder)
        self.people: dict[str, Actor] = {}
        self.case = self.run(self._furnish())
        self.status = Status.DRAFT
        self.moves = 0
        self.taken_by: str | None = None
        self.gave_back: set[str] = set()
        self.opinion: set[str] = set()

    async def _furnish(self) -> str:
        clinic = self.clinic
        await clinic.furnish()
        self.people = {
            "patient": await clinic.patient(),
            "doctor": await clinic.doctor(),
            "expert": await clinic.expert(),
            "second": await clinic.expert("赵敏"),
            "stranger": await clinic.patient("路人"),
        }
        return (await clinic.draft(self.people["patient"])).id

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def attempt(self, work: Awaitable[object], *, allowed: bool, legal: bool, complete: bool = True) -> bool:
        """Run a step and check that it ends as the model says; give whether it was done."""
        try:
            self.run(work)
        except Forbidden:
            assert not allowed
        except IllegalMove as refusal:
            said = refusal.sentence
            assert allowed
            assert not legal
            assert self.status.label in said
        except InvalidInput:
            assert allowed
            assert legal
            assert not complete
        else:
            assert allowed
            assert legal
            assert complete
            return True
        return False

    def moved(self, target: Status) -> None:
        self.status = target
        self.moves += 1

    @rule(who=PEOPLE)
    def submit(self, who: str) -> None:
        work = self.clinic.care.submit(self.people[who], self.case)
        if self.attempt(work, allowed=who == "doctor", legal=self.status is Status.DRAFT):
            self.moved(Status.PENDING)

    @precondition(lambda self: self.status is not Status.DRAFT)
    @rule(who=st.sampled_from(["expert", "second"]))
    def accept(self, who: str) -> None:
        offers = self.run(self.clinic.offers(self.case))
        expert = self.people[who]
        offer = offers.get(practitioner_of(expert))
        if offer is None:
            return
        try:
            self.run(self.clinic.care.accept_offer(expert, offer))
        except Conflict:
            assert self.taken_by not in (None, who) or who in self.gave_back
        except IllegalMove:
            assert self.status is Status.CANCELLED
        else:
            assert self.taken_by in (None, who)
            assert who not in self.gave_back
            if self.taken_by is None:
                assert self.status is Status.PENDING
                self.taken_by = who
                self.moved(Status.ASSIGNED)

    @rule(who=PEOPLE)
    def give_back(self, who: str) -> None:
        work = self.clinic.care.give_back(self.people[who], self.case, "临时有手术")
        if self.attempt(work, allowed=who == self.taken_by, legal=self.status is Status.ASSIGNED):
            self.gave_back.add(who)
            self.taken_by = None
            self.moved(Status.PENDING)

    @rule(who=PEOPLE)
    def start(self, who: str) -> None:
        work = self.clinic.care.start(self.people[who], self.case)
        if self.attempt(work, allowed=who == self.taken_by, legal=self.status is Status.ASSIGNED):
            self.moved(Status.IN_PROGRESS)

    @precondition(lambda self: self.taken_by is not None)
    @rule(field=st.sampled_from(["diagnosis", "plan"]))
    def give_opinion(self, field: str) -> None:
        assert self.taken_by is not None
        work = self.clinic.care.record_opinion(self.people[self.taken_by], self.case, **{field: "写好了"})
        if self.attempt(work, allowed=True, legal=self.status is Status.IN_PROGRESS):
            self.opinion.add(field)

    @rule(who=PEOPLE)
    def complete(self, who: str) -> None:
        work = self.clinic.care.complete(self.people[who], self.case)
        legal, complete = self.status is Status.IN_PROGRESS, self.opinion == {"diagnosis", "plan"}
        if self.attempt(work, allowed=who == self.taken_by, legal=legal, complete=complete):
            self.moved(Status.COMPLETED)

    @precondition(lambda self: self.moves > 0)
    @rule(who=st.sampled_from(["doctor", "stranger"]))
    def cancel(self, who: str) -> None:
        work = self.clinic.care.cancel(self.people[who], self.case, "不需要了")
        legal = self.status not in (Status.COMPLETED, Status.CANCELLED)
        if self.attempt(work, allowed=who == "doctor", legal=legal):
            self.moved(Status.CANCELLED)

    @rule(who=PEOPLE)
    def post(self, who: str) -> None:
        work = self.clinic.care.post(self.people[who], self.case, text="您好")
        taking_part = {"patient", "doctor", self.taken_by}
        self.attempt(work, allowed=who in taking_part, legal=self.status is Status.IN_PROGRESS)

    @invariant()
    def the_case_stands_where_the_model_says(self) -> None:
        if hasattr(self, "case"):
            self.run(self._compare())

    async def _compare(self) -> None:
        async with self.database.reading() as session:
            case = await session.get_one(Consultation, self.case)
            told = (await session.scalars(select(TimelineRow.text))).all()
            accepted = (await session.scalars(select(Offer.id).where(Offer.state == OfferState.ACCEPTED))).all()
        assert case.status is self.status
        assert case.expert_id == (practitioner_of(self.people[self.taken_by]) if self.taken_by else None)
        assert len([line for line in told if "→" in line]) == self.moves
        assert len(accepted) == (1 if self.taken_by else 0)

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder)
