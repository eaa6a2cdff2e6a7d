"""In whatever order patient, pharmacies, doctor and time act: no line is handed out twice, and no pack is lost."""

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
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database
from backend.dispensing import Method, OrderState, OrderView
from backend.dispensing.tables import LineClaim, MedicineOrder
from backend.errors import DomainError
from backend.prescription import State
from backend.security.policy import Actor
from tests.backend.dispensing.conftest import build_county
from tests.support.prescribing import AMOXICILLIN, CETIRIZINE

T = TypeVar("T")

FULL = 20
PLACES = st.sampled_from(["near", "far"])
STEPS = st.sampled_from(["accept", "refuse", "pack", "short", "send", "receive", "cancel"])
HOME = {"address": "柳树村三组12号", "phone": "13800138000"}
_GIVEN = (OrderState.PACKED, OrderState.SENT, OrderState.RECEIVED)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_steps_hands_a_line_out_twice_or_loses_a_pack(sqlite_template: Path) -> None:
    class Machine(OrderMachine):
        template = sqlite_template

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=10, stateful_step_count=20, suppress_health_check=checks)
    )


class OrderMachine(RuleBasedStateMachine):
    """The real services; the model is the set of packs that went over a counter."""

    template: Path

    @initialize()
    def approve(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        shutil.copyfile(self.template, self.folder / "qiaoyi.db")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'qiaoyi.db'}")
        self.county = self.run(build_county(self.database, Clock(), self.folder))
        for pharmacy in (self.county.near, self.county.far):
            self.run(self.county.stock(pharmacy, FULL, FULL))
        self.prescription = self.run(self.county.approved())
        self.short: set[tuple[str, str]] = set()

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    def tried(self, work: Awaitable[T]) -> T | None:
        """What a step gives; None where it was refused, which must change nothing that the invariants see."""
        try:
            return self.run(work)
        except DomainError:
            return None

    def pharmacist(self, order: OrderView) -> Actor:
        return self.county.near_pharmacist if order.pharmacy_id == self.county.near else self.county.far_pharmacist

    def orders(self) -> list[OrderView]:
        return self.run(self.county.dispensing.orders_of(self.county.patient, self.county.patient.person_id))

    @rule(place=PLACES, method=st.sampled_from([Method.PICKUP, Method.DELIVERY]))
    def place(self, place: str, method: Method) -> None:
        where = getattr(self.county, place)
        self.tried(self.county.dispensing.place(self.county.patient, self.prescription.id, where, method, **HOME))

    @rule(place=PLACES)
    def redeem(self, place: str) -> None:
        pharmacist = getattr(self.county, f"{place}_pharmacist")
        self.tried(self.county.dispensing.redeem(pharmacist, self.prescription.code or ""))

    @rule(
        step=st.sampled_from(["accept", "refuse", "pack", "short", "send", "receive", "cancel"]),
        which=st.integers(0, 3),
    )
    def handle(self, step: str, which: int) -> None:
        orders = self.orders()
        if not orders:
            return
        order = orders[which % len(orders)]
        dispensing, pharmacist = self.county.dispensing, self.pharmacist(order)
        match step:
            case "accept":
                self.tried(dispensing.accept(pharmacist, order.id))
            case "refuse":
                self.tried(dispensing.refuse(pharmacist, order.id, "缺药"))
            case "pack":
                self.tried(dispensing.pack(pharmacist, order.id))
            case "short" if order.items:
                missing = order.items[-1]
                if self.tried(dispensing.pack(pharmacist, order.id, without=[missing.index], reason="缺药")):
                    self.short.add((order.pharmacy_id, missing.preparation))
            case "send":
                self.tried(dispensing.send(pharmacist, order.id, "本店送药员"))
            case "receive":
                self.tried(dispensing.receive(self.county.patient, order.id))
            case "cancel":
                self.tried(dispensing.cancel(self.county.patient, order.id))

    @rule()
    def revoke(self) -> None:
        self.tried(self.county.desk.prescriptions.revoke(self.county.desk.doctor, self.prescription.id, "患者要住院"))
        while self.run(self.county.events.dispatch()):
            pass

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.run(self.county.desk.clinic.pass_time(timedelta(hours=hours)))

    @invariant()
    def every_pack_is_on_a_shelf_or_promised_or_given(self) -> None:
        if not hasattr(self, "short"):
            return
        orders = self.orders()
        for pharmacy in (self.county.near, self.county.far):
            left = self.run(self.county.packs(pharmacy))
            for preparation in (AMOXICILLIN, CETIRIZINE):
                if (pharmacy, preparation) in self.short:
                    continue  # the pharmacy said that its shelf was not as it had been told
                held = sum(
                    item.packs
                    for order in orders
                    if order.pharmacy_id == pharmacy
                    for item in order.items
                    if item.preparation == preparation
                )
                assert left[preparation] + held == FULL

    @invariant()
    def no_line_belongs_to_two_orders_and_the_state_says_what_was_given(self) -> None:
        if not hasattr(self, "short"):
            return
        given = self.run(self._given())
        state = self.run(self.county.desk.prescriptions.prescription(self.county.patient, self.prescription.id)).state
        expected = {0: {State.VALID, State.REVOKED, State.EXPIRED}, 1: {State.PARTLY_DISPENSED}, 2: {State.DISPENSED}}
        assert state in expected[len(given)]

    async def _given(self) -> set[int]:
        async with self.database.reading() as session:
            rows = await session.execute(
                select(LineClaim.line, MedicineOrder.state).join(MedicineOrder, MedicineOrder.id == LineClaim.order_id)
            )
            lines = [line for line, state in rows if state in _GIVEN]
        assert len(lines) == len(set(lines))
        return set(lines)

    def teardown(self) -> None:
        if hasattr(self, "county"):
            self.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder)
