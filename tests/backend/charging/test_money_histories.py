"""Whatever breaks, in whatever order: nothing is lost, nothing is taken twice, and all books say the same.

MONEY_HISTORIES=10000 in the environment runs so many instead of a few.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from backend.charging.moving import Moving
from tests.support.money_checks import check_charge
from tests.support.money_machine import run, table
from tests.support.money_world import World, without_threads

HISTORIES = int(os.environ.get("MONEY_HISTORIES", "20"))


@pytest.mark.timeout(36_000 if HISTORIES > 100 else 600)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_after_every_history_all_books_say_the_same(counted: Callable[[str], None]) -> None:
    counts = run(HISTORIES, steps=25)
    counted(f"histories of charges, and what went wrong in them\n{table(counts)}")
    assert counts["histories"] >= HISTORIES
    assert counts["charges"] > 0


@pytest.fixture
def world() -> Iterator[World]:
    with without_threads():
        made = World()
        yield made
        made.close()


def cancelled_after_paying(world: World) -> None:
    async def happens() -> None:
        till, patient = world.till, world.patients[0]
        case, slot = await world.case(patient), await world.slot(6)
        charge = await till.charging.begin(patient, case, slot)
        await till.work()
        await till.pay(patient, charge)
        await till.work()
        await till.charging.cancel(patient, charge.id)
        await till.settle_down()
        await check_charge(world, await till.now(charge))

    world.run(happens())


def test_what_is_checked_holds_when_nothing_is_wrong(world: World) -> None:
    cancelled_after_paying(world)


@pytest.mark.parametrize("forgotten", ["_give_back", "_undo_insurance", "_try_shut"])
def test_what_is_checked_does_not_hold_when_something_is_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    async def nothing(*_arguments: object) -> None:
        return

    monkeypatch.setattr(Moving, forgotten, nothing)
    with pytest.raises(AssertionError):
        cancelled_after_paying(world)
