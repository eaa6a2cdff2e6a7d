"""In whatever order doctors, pharmacists and time act, a prescription stands where the table of moves says."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict, DomainError, NotFound
from backend.prescription import PrescriptionView, State, Step
from backend.prescription.rules import MOVES
from backend.security.policy import SYSTEM, Actor
from tests.backend.prescription.conftest import build_desk
from tests.support.prescribing import amoxicillin

T = TypeVar("T")


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_steps_leaves_the_table_of_moves(sqlite_template: Path) -> None:
    class Machine(PrescriptionMachine):
        template = sqlite_template

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=8, stateful_step_count=14, suppress_health_check=checks)
    )


class PrescriptionMachine(RuleBasedStateMachine):
    """The real services beside a model: the state, whether the patient may know, and what was signed."""

    template: Path

    @initialize()
    def write_one(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        shutil.copyfile(self.template, self.folder / "qiaoyi.db")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'qiaoyi.db'}")
        self.desk = self.run(build_desk(self.database, Clock(), self.folder))
        self.rival = self.run(self.desk.pharmacy.pharmacist("丁一诺"))
        self.view: PrescriptionView = self.run(self.desk.written())
        self.state, self.known, self.versions = State.DRAFT, False, 0

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def attempt(self, step: Step, work: Awaitable[PrescriptionView], *, harmless: bool = False) -> bool:
        """Do a step: it leads where the table says, or is refused and changes nothing."""
        wanted = MOVES.get((self.state, step))
        if wanted is None and not harmless:
            with pytest.raises(DomainError):
                self.run(work)
            return False
        self.view = self.run(work)
        self.state = wanted or self.state
        return wanted is not None

    @rule(days=st.integers(1, 7))
    def write(self, days: int) -> None:
        service, id_ = self.desk.prescriptions, self.view.id
        self.attempt(Step.WRITE, service.write(self.desk.doctor, id_, lines=[amoxicillin(days)]))

    @rule()
    def sign(self) -> None:
        revision = self.run(self.desk.prescriptions.prescription(SYSTEM, self.view.id)).revision
        work = self.desk.prescriptions.sign(self.desk.doctor, self.view.id, revision=revision)
        # What was signed already and is signed again at the same revision stays as it is.
        self.versions += self.attempt(Step.SIGN, work, harmless=True)

    @rule(second=st.booleans())
    def approve(self, second: bool) -> None:
        if self.state is State.SIGNED and self._too_old():
            with pytest.raises(DomainError):
                self.run(self.desk.prescriptions.approve(self._free_pharmacist(second), self.view.id))
            return
        work = self.desk.prescriptions.approve(self._free_pharmacist(second), self.view.id)
        self.known |= self.attempt(Step.APPROVE, work)

    @rule(second=st.booleans())
    def give_back(self, second: bool) -> None:
        pharmacist = self._free_pharmacist(second)
        self.attempt(Step.RETURN, self.desk.prescriptions.give_back(pharmacist, self.view.id, "请核对"))

    @rule()
    def both_at_once(self) -> None:
        if self.state is not State.SIGNED or self._too_old():
            return
        pair = [self.desk.prescriptions.approve(one, self.view.id) for one in (self.desk.pharmacist, self.rival)]

        async def together() -> list[object]:
            return await asyncio.gather(*pair, return_exceptions=True)

        outcomes = self.run(together())
        taken = self.run(self.desk.prescriptions.prescription(SYSTEM, self.view.id))
        assert sum(isinstance(one, Conflict) for one in outcomes) == 1, outcomes
        assert taken.state is State.VALID
        self.view, self.state, self.known = taken, State.VALID, True

    @rule()
    def revoke(self) -> None:
        work = self.desk.prescriptions.revoke(self.desk.doctor, self.view.id, "不用了")
        self.attempt(Step.REVOKE, work, harmless=self.state is State.REVOKED)

    @rule(hours=st.sampled_from([1, 30, 80]))
    def time_passes(self, hours: int) -> None:
        self.run(self.desk.clinic.pass_time(timedelta(hours=hours)))
        if (
            self.state is State.VALID
            and self.view.valid_until
            and self.view.valid_until <= self.desk.clinic.clock.now()
        ):
            self.state = MOVES[self.state, Step.EXPIRE]

    def _free_pharmacist(self, second: bool) -> Actor:
        """Give one of the two; the one who has it before them where somebody does."""
        taken = self.run(self.desk.prescriptions.prescription(SYSTEM, self.view.id)).taken_by
        both = {one.practitioner_id: one for one in (self.desk.pharmacist, self.rival)}
        return both.get(taken) or (self.rival if second else self.desk.pharmacist)

    def _too_old(self) -> bool:
        signed_at = self.view.signed_at
        assert signed_at is not None
        return self.desk.clinic.clock.now() >= signed_at + timedelta(days=2)

    @invariant()
    def it_stands_where_the_model_does(self) -> None:
        now = self.run(self.desk.prescriptions.prescription(SYSTEM, self.view.id))
        assert (now.state, now.version) == (self.state, self.versions)

    @invariant()
    def the_patient_knows_of_it_from_its_approval_on(self) -> None:
        work = self.desk.prescriptions.prescription(self.desk.patient, self.view.id)
        if not self.known:
            with pytest.raises(NotFound):
                self.run(work)
            return
        seen = self.run(work)
        said = self.run(self.desk.prescriptions.verify(seen.code or ""))
        assert (said.genuine, said.state) == (True, self.state)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder)
