"""Random histories of charges, in which whatever can break does, and what has to hold after each.

python -m tests.support.money_machine [--histories 10000] [--steps 25]
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from backend.charging import ChargeState, ChargeView
from backend.consultation import Status
from backend.errors import DomainError
from backend.insurance.insurer import InsurerRefused
from backend.money import to_fen
from backend.payment.payments import ForgedNotification
from backend.scheduling import BookingState
from backend.security.policy import SYSTEM
from data.insurance import coverage_tables
from tests.support.money_checks import check_charge, check_consultation
from tests.support.money_wire import Fault, Killed, Wire
from tests.support.money_world import World, without_threads
from tests.support.till import order_of

T = TypeVar("T")

_TOLD_EVERY = 500  # a run of thousands takes an hour

TROUBLES = st.lists(st.sampled_from(list(Fault)), min_size=1, max_size=4)
CASES = st.sampled_from([0, 0, 1])
TIMES = st.integers(1, 12)
ENDS = st.sampled_from(["held", "given back", "cancelled", "cancelled", "cancelled"])
MINUTES = st.sampled_from([0.1, 0.2, 1, 3, 10, 16, 45])


class Histories(RuleBasedStateMachine):
    """One patient, up to two consultations, up to four times of an expert, and all that goes wrong."""

    world: ClassVar[World]

    @initialize(
        patient=st.integers(0, 4),
        hours=st.sampled_from([1, 6]),
        share=st.sampled_from([0.0, 0.05, 0.2, 0.5]),
        seed=st.integers(0, 2**32),
    )
    def begin(self, patient: int, hours: int, share: float, seed: int) -> None:
        world = self.world
        world.counts["histories"] += 1
        if world.counts["histories"] % _TOLD_EVERY == 0:
            print(f"{world.counts['histories']} histories, {world.counts['charges']} charges", flush=True)
        self.till = world.till
        self.run(world.forget())
        self.patient = world.patients[patient]
        self.daughter = replace(world.daughter, wards=frozenset({self.patient.person_id}))
        self.cases = [self.run(world.case(self.patient)) for _ in range(2)]
        self.slots = [self.run(world.slot(hours + at)) for at in range(3)]
        self.orders: list[str] = []
        self.pages: dict[str, str] = {}
        self.turn = 0
        payments, insurer = self.till.payments, self.till.insurer
        payments.accounts.clear()
        payments.refunds.clear()
        payments.notifications.clear()
        insurer.visits.clear()
        insurer.people = dict(world.healthy)
        for wire in self.till.wires:
            wire.chance, wire.share = random.Random(seed), share
        payments.skew, payments.slow_refunds, insurer.table, insurer.cheat = timedelta(), False, None, Decimal(0)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.world.run(work)

    def attempt(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do something that may be refused, and in which the process may end: then a new one goes on."""
        try:
            return self.run(work)
        except DomainError as error:
            self.world.counts[f"refused: {error.code}"] += 1
        except Killed:
            self.killed()
        except BaseExceptionGroup as group:
            if group.split(Killed)[1] is not None:
                raise
            self.killed()
        return None

    def killed(self) -> None:
        self.world.counts["process killed"] += 1
        self.world.database.dies_in = 0
        self.till.restart()

    async def charge(self, case: int) -> ChargeView | None:
        return await self.till.charging.of_consultation(SYSTEM, self.cases[case])

    # what people do

    @rule(case=st.integers(0, 1), slot=st.integers(0, 2), alone=st.booleans())
    def choose_a_time(self, case: int, slot: int, alone: bool) -> None:
        charging = self.till.charging
        begin = charging.begin_without_insurance if alone else charging.begin
        self.attempt(begin(self.patient, self.cases[case], self.slots[slot]))

    @rule(case=st.integers(0, 1), daughter=st.booleans(), pays=st.booleans())
    def open_the_page(self, case: int, daughter: bool, pays: bool) -> None:
        async def opened() -> str | None:
            charge = await self.charge(case)
            payer = self.daughter if daughter else self.patient
            if charge is None:
                return None
            return order_of(await self.till.charging.prepay(payer, charge.id))

        order = self.attempt(opened())
        if order is not None:
            self.orders.append(order)
            if pays and self.till.payments.pay(order):
                self.world.counts["paid"] += 1

    @precondition(lambda self: self.orders)
    @rule(
        order=st.integers(0, 5),
        closed=st.sampled_from([False, False, False, True]),
        amount=st.sampled_from([None, None, None, None, 1, 10**6]),
    )
    def pay(self, order: int, closed: bool, amount: int | None) -> None:
        if self.till.payments.pay(self.orders[order % len(self.orders)], though_closed=closed, amount=amount):
            self.world.counts["paid"] += 1
            self.world.counts["paid though closed, or another amount"] += closed or amount is not None

    @rule(case=CASES, times=TIMES, end=ENDS)
    def what_should_happen_next_happens(self, case: int, times: int, end: str) -> None:
        """A consultation goes its way: so that what goes wrong does so at every part of it."""
        for _ in range(times):
            self.attempt(self.goes_on(case, end))

    @rule(case=CASES, times=TIMES, end=ENDS)
    def what_should_happen_after_it_happens(self, case: int, times: int, end: str) -> None:
        self.what_should_happen_next_happens(case, times, end)

    @rule(case=CASES, times=TIMES, end=ENDS)
    def what_should_happen_then_happens(self, case: int, times: int, end: str) -> None:
        self.what_should_happen_next_happens(case, times, end)

    async def goes_on(self, case: int, end: str) -> None:
        till, charge = self.till, await self.charge(case)
        if charge is None or charge.state in (ChargeState.CLOSED, ChargeState.REVERSED):
            self.turn += 1
            slot = self.slots[self.turn % len(self.slots)]
            await till.charging.begin(self.patient, self.cases[case], slot)
        elif charge.payable:
            await self.is_paid(charge)
        elif charge.state is ChargeState.CONFIRMED:
            self.world.counts[f"after paying: {end}"] += charge.paid > 0
            await self.ends(case, charge, end)
            await till.clinic.events.dispatch()
        elif not await till.charging.work(at_once=1):
            await self.world.pass_time(timedelta(seconds=65))

    async def is_paid(self, charge: ChargeView) -> None:
        payments = self.till.payments
        if charge.id not in self.pages:
            self.pages[charge.id] = order_of(await self.till.charging.prepay(self.patient, charge.id))
            self.orders.append(self.pages[charge.id])
        elif payments.pay(self.pages[charge.id]):
            self.world.counts["paid"] += 1
        elif payments.notifications:
            await self.till.charging.notified(*payments.letter(payments.notifications[-1]))
        else:
            del self.pages[charge.id]  # it was closed: the page is opened once more

    async def ends(self, case: int, charge: ChargeView, end: str) -> None:
        if end == "cancelled":
            await self.till.charging.cancel(self.patient, charge.id, "不去了")
        elif end == "given back":
            await self.world.care_ends(self.cases[case], Status.PENDING, "consultation.given_back")
        else:
            await self.held(case)

    @rule(case=st.integers(0, 1))
    def look_again(self, case: int) -> None:
        async def looked() -> None:
            charge = await self.charge(case)
            if charge is not None:
                await self.till.charging.refresh(self.patient, charge.id)

        self.attempt(looked())

    @rule(case=st.integers(0, 1))
    def cancel(self, case: int) -> None:
        async def cancelled() -> None:
            charge = await self.charge(case)
            if charge is not None:
                await self.till.charging.cancel(self.patient, charge.id, "不去了")

        self.attempt(cancelled())

    @rule(case=st.integers(0, 1), what=st.sampled_from(["given_back", "cancelled", "booking", "no_show", "moved"]))
    def something_happens_to_the_consultation(self, case: int, what: str) -> None:
        care, chosen = self.till.clinic.care, self.cases[case]
        self.world.counts[f"consultation: {what}"] += 1
        if what == "given_back":
            self.attempt(self.world.care_ends(chosen, Status.PENDING, "consultation.given_back"))
        elif what == "cancelled":
            self.attempt(self.world.care_ends(chosen, Status.CANCELLED, "consultation.cancelled"))
        elif what == "booking":
            self.attempt(care.cancel_booking(self.till.doctor, chosen))
        elif what == "no_show":
            self.attempt(care.record_no_show(self.till.expert, chosen))
        else:
            self.attempt(care.reschedule(self.patient, chosen, self.slots[-1]))

    @rule(case=st.integers(0, 1))
    def the_consultation_is_held(self, case: int) -> None:
        self.attempt(self.held(case))

    async def held(self, case: int) -> None:
        booking = await self.till.clinic.scheduling.booking(self.cases[case])
        if booking is not None and booking.state is BookingState.ACTIVE:
            self.world.counts["consultation: held"] += 1
            await self.till.finish(self.cases[case])

    @rule(slot=st.integers(0, 2))
    def somebody_else_books(self, slot: int) -> None:
        async def booked() -> None:
            other = await self.world.case(self.world.patients[0])
            await self.till.clinic.care.book(SYSTEM, other, self.slots[slot])

        self.attempt(booked())

    # what the machinery does

    @rule(steps=st.integers(1, 4))
    def work(self, steps: int) -> None:
        for _ in range(steps):
            self.attempt(self.till.charging.work(at_once=1))

    @rule()
    def two_workers_at_once(self) -> None:
        self.attempt(self.till.charging.work(at_once=4))

    @rule()
    def hear(self) -> None:
        self.attempt(self.till.clinic.events.dispatch())

    @precondition(lambda self: self.till.payments.notifications)
    @rule(which=st.integers(0, 9), forged=st.sampled_from([False, False, False, True]))
    def a_notification_comes(self, which: int, forged: bool) -> None:
        known = self.till.payments.notifications
        headers, body = self.till.payments.letter(known[which % len(known)])
        if forged:
            headers = {"signature": "false"}
        try:
            self.attempt(self.till.charging.notified(headers, body))
        except ForgedNotification:
            self.world.counts["notification: forged"] += 1
        else:
            self.world.counts["notification: delivered"] += 1

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: float) -> None:
        self.attempt(self.world.pass_time(timedelta(minutes=minutes)))

    # what goes wrong

    def wire(self, insurer: bool) -> Wire:
        return self.till.wires[0 if insurer else 1]

    @rule(insurer=st.booleans(), faults=TROUBLES)
    def the_wire_is_bad(self, insurer: bool, faults: list[Fault]) -> None:
        self.wire(insurer).next = faults

    @rule(insurer=st.booleans())
    def it_goes_down_or_comes_back(self, insurer: bool) -> None:
        wire = self.wire(insurer)
        wire.down = not wire.down
        self.world.counts["down"] += wire.down

    @rule(insurer=st.booleans())
    def what_was_late_arrives(self, insurer: bool) -> None:
        self.world.counts["arrived late"] += self.wire(insurer).arrive()

    @rule(commits=st.integers(1, 6), after=st.booleans())
    def the_process_will_end(self, commits: int, after: bool) -> None:
        self.world.database.dies_in, self.world.database.after = commits, after

    @rule()
    def refunds_are_slow_or_arrive(self) -> None:
        payments = self.till.payments
        payments.slow_refunds = not payments.slow_refunds
        payments.progress()

    @rule(what=st.sampled_from(["rates", "cheaper", "dearer", "suspended", "refuses", "refund refused", "skew"]))
    def the_other_side_changes(self, what: str) -> None:
        insurer, payments = self.till.insurer, self.till.payments
        self.world.counts[f"changed: {what}"] += 1
        if what == "rates":
            insurer.table = coverage_tables()[1]
        elif what in ("cheaper", "dearer"):
            insurer.cheat = Decimal(-5 if what == "cheaper" else 5)
        elif what == "suspended":
            insurer.people = {key: replace(one, insurance=None) for key, one in insurer.people.items()}
        elif what == "refuses":
            insurer.refuse = {"settle": InsurerRefused("9", "不行"), "upload": InsurerRefused("9", "不行")}
        elif what == "refund refused":
            payments.refuse_refunds = "NOTENOUGH"
        else:
            payments.skew = timedelta(minutes=3) if payments.skew <= timedelta() else timedelta(minutes=-3)

    # what has to hold

    def teardown(self) -> None:
        if not hasattr(self, "cases"):
            return
        self.world.database.dies_in = 0
        insurer, payments = self.till.insurer, self.till.payments
        insurer.refuse, insurer.cheat, payments.refuse_refunds = {}, Decimal(0), ""
        self.run(self.come_to_rest())
        self.run(self.check())

    async def come_to_rest(self) -> None:
        """Let everything end: what waits for a person is decided, what nobody pays expires."""
        till = self.till
        await till.settle_down()
        decisions = iter(("again", "bear", "waive", "reverse") * 20)
        for _ in range(20):
            waiting = await till.waiting(self.world.administrator)
            for charge in waiting:
                try:
                    await till.charging.decide(self.world.administrator, charge.id, next(decisions), "核对")  # type: ignore[arg-type]
                except DomainError:
                    continue
                self.world.counts["decided by a person"] += 1
            await self.world.pass_time(timedelta(minutes=20))
            await till.settle_down()
            if not waiting:
                return
        raise AssertionError("a person has to decide without end")

    async def check(self) -> None:
        charges: list[ChargeView] = []
        for case in self.cases:
            charges += await check_consultation(self.world, case)
        for charge in charges:
            await check_charge(self.world, charge)
            self.world.counts[f"ended {charge.state}"] += 1
            self.world.counts["paid, reversed and given back"] += charge.refunded > 0
        visits = {charge.id for charge in charges}
        self.world.counts["charges"] += len(visits)
        paid = sum(to_fen(one.paid - one.refunded) for one in charges)
        assert self.till.payments.received() == paid, "the provider has other money of ours than we think"
        assert len(self.till.insurer.visits) == sum(
            one.insured and one.state in (ChargeState.CONFIRMED, ChargeState.SETTLED) for one in charges
        ) - await self.borne(charges), "the insurer knows other visits of ours than we think"

    async def borne(self, charges: list[ChargeView]) -> int:
        """Count what was settled without the insurer, by a person's decision."""
        return sum(
            one.insured and one.settled is not None and not one.settled.table and one.state is ChargeState.SETTLED
            for one in charges
        )


def run(histories: int, steps: int) -> Counter[str]:
    """Run so many random histories; give what was done and what went wrong in them."""
    with without_threads():
        return _run(World(), histories, steps)


def _run(world: World, histories: int, steps: int) -> Counter[str]:
    try:

        class Machine(Histories):
            pass

        Machine.world = world
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=histories,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                phases=[Phase.generate],  # a history that fails is printed as it was; making it shorter takes hours
                suppress_health_check=list(HealthCheck),
            ),
        )
        for wire, side in zip(world.till.wires, ("insurer", "payment"), strict=True):
            world.counts.update({f"{side}: {fault.value}": count for fault, count in wire.counts.items()})
        balances = world.run(world.till.ledger.balances())
        assert sum(balances.values()) == 0
        assert world.run(world.till.ledger.unbalanced()) == []
        return world.counts
    finally:
        world.close()


def table(counts: Counter[str]) -> str:
    """Give the counts as lines to be read."""
    return "\n".join(f"{name:<45} {count:>9}" for name, count in sorted(counts.items()))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    began = time.monotonic()
    if options.seed is not None:
        hypothesis.core.global_force_seed = options.seed
    counts = run(options.histories, options.steps)
    print(table(counts))
    print(f"{time.monotonic() - began:.0f} seconds")


if __name__ == "__main__":
    main()
