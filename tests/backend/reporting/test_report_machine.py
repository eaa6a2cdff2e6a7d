"""In whatever order an expert writes, signs, amends, discards: one report stands, none changes, each is issued once."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict, IllegalMove, InvalidInput, NotFound
from backend.imaging.tables import ImagingInstance
from backend.reporting import ReportState, ReportView
from backend.reporting.instances import identifiers
from tests.backend.reporting.conftest import build_desk
from tests.support.imaging import documents_on

T = TypeVar("T")

TEXTS = st.sampled_from(["", "右肺结节。", "双肺清晰。"])


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_steps_leaves_two_reports_or_none(sqlite_template: Path) -> None:
    class Machine(ReportMachine):
        template = sqlite_template

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=8, stateful_step_count=16, suppress_health_check=checks)
    )


class ReportMachine(RuleBasedStateMachine):
    """The real services beside a model that knows the signed versions and the draft."""

    template: Path

    @initialize()
    def open_a_study(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        shutil.copyfile(self.template, self.folder / "qiaoyi.db")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'qiaoyi.db'}")
        self.desk = self.run(build_desk(self.database, Clock(), self.folder))
        self.documents = documents_on(self.desk.clinic, self.desk.imaging, self.desk.reports)
        self.signed: list[ReportView] = []
        self.draft: ReportView | None = None
        self.issued = 0

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    @rule()
    def begin(self) -> None:
        work = self.desk.draft()
        if self.signed and self.draft is None:
            with pytest.raises(IllegalMove):
                self.run(work)
            return
        begun = self.run(work)
        assert self.draft is None or begun == self.draft
        self.draft = begun

    @rule(text=TEXTS, stale=st.booleans())
    def write(self, text: str, stale: bool) -> None:
        if self.draft is None:
            return
        revision = self.draft.revision - stale
        work = self.desk.reports.write(
            self.desk.expert, self.draft.id, revision=revision, examination="胸部CT", findings=text, impression=text
        )
        if stale:
            with pytest.raises(Conflict):
                self.run(work)
        else:
            self.draft = self.run(work)

    @rule()
    def sign(self) -> None:
        if self.draft is None:
            return
        work = self.desk.reports.sign(self.desk.expert, self.draft.id, revision=self.draft.revision)
        if not self.draft.findings:
            with pytest.raises(InvalidInput):
                self.run(work)
            return
        self.signed.append(self.run(work))
        self.draft = None

    @rule(of=st.integers(0, 5))
    def amend(self, of: int) -> None:
        if not self.signed:
            return
        report = self.signed[of % len(self.signed)]
        work = self.desk.reports.amend(self.desk.expert, report.id, "补充")
        if self.draft is None and report is not self.signed[-1]:
            with pytest.raises(IllegalMove):
                self.run(work)
            return
        amended = self.run(work)
        assert self.draft is None or amended.id == self.draft.id
        self.draft = amended

    @rule()
    def discard(self) -> None:
        if self.draft is not None:
            self.run(self.desk.reports.discard(self.desk.expert, self.draft.id))
            self.draft = None

    @rule()
    def issue(self) -> None:
        while self.run(self.desk.clinic.events.dispatch()):
            pass
        while self.run(self.documents.queue.make_next()):
            self.issued += 1
        assert self.issued == len(self.signed)

    @invariant()
    def readers_see_the_signed_versions_as_they_were(self) -> None:
        seen = self.run(self.desk.reports.reports_of(self.desk.patient, self.desk.case_id))
        assert [(one.id, one.version, one.findings) for one in seen] == [
            (one.id, number, one.findings) for number, one in enumerate(self.signed, 1)
        ]
        states = [one.state for one in seen]
        assert states == [ReportState.SUPERSEDED] * (len(seen) - 1) + [ReportState.SIGNED] * bool(seen)
        for one in seen:
            said = self.run(self.desk.reports.verify(one.code or ""))
            assert (said.genuine, said.latest) == (True, len(seen))

    @invariant()
    def no_draft_is_read(self) -> None:
        if self.draft is not None:
            with pytest.raises(NotFound):
                self.run(self.documents.pdf(self.desk.doctor, self.draft.id))

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        self.issue()
        self.run(self._each_is_filed_once())
        self.documents.queue.close()
        self.desk.imaging.close()
        self.run(self.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    async def _each_is_filed_once(self) -> None:
        wanted = [identifiers(one.id, one.version) for one in self.signed]
        async with self.database.reading() as session:
            query = select(ImagingInstance.sop_instance_uid).where(ImagingInstance.sender_id == "")
            filed = list(await session.scalars(query))
            assert await session.scalar(select(func.count()).select_from(ImagingInstance)) == len(filed) + 2
        assert sorted(filed) == sorted(uid for one in wanted for uid in (one.sr, one.pdf))
