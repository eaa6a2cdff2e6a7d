"""When a process refuses new rooms, and when it takes them again."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from media.load import Admission, Load, is_calm, may_take_another_room, percentile
from tests.support.waiting import eventually

shares = st.floats(0, 4)
lags = st.floats(0, 2)
loads = st.builds(Load, shares, lags)


@given(loads, st.booleans())
def test_more_load_never_opens_the_door(load: Load, calm_before: bool) -> None:
    heavier = [Load(load.cpu + 0.1, load.loop_lag), Load(load.cpu, load.loop_lag + 0.01)]
    assert is_calm(load, calm_before) or not any(is_calm(more, calm_before) for more in heavier)


@given(loads)
def test_whoever_was_overloaded_has_to_calm_down_further(load: Load) -> None:
    assert is_calm(load, True) or not is_calm(load, False)


def test_at_the_limit_the_door_does_not_flutter() -> None:
    calm, doors = True, []
    for cpu in (0.70, 0.76, 0.74, 0.70, 0.65, 0.59, 0.70, 0.74):
        calm = is_calm(Load(cpu, 0.0), calm)
        doors.append(calm)
    assert doors == [True, False, False, False, False, True, True, True]


def test_a_late_event_loop_is_enough_to_refuse() -> None:
    assert not is_calm(Load(0.1, 0.051), True)
    assert not is_calm(Load(0.1, 0.03), False)
    assert is_calm(Load(0.1, 0.025), False)


@given(st.integers(0, 30), st.integers(0, 30), st.booleans())
def test_never_more_rooms_than_there_are_places(rooms: int, capacity: int, calm: bool) -> None:
    taken = may_take_another_room(rooms, capacity, calm)
    assert not taken or rooms < capacity
    assert taken or calm is False or rooms >= capacity


def test_the_first_room_is_taken_by_a_loaded_process_and_the_second_is_not() -> None:
    admission = Admission(capacity=3)
    admission.observe(Load(2.0, 0.3))
    assert admission.takes_another(0)
    assert not admission.takes_another(1)


def test_whoever_drains_takes_nothing() -> None:
    admission = Admission(capacity=3)
    admission.draining = True
    assert not admission.takes_another(0)


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_not_exceeded_by_that_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


async def test_a_blocked_event_loop_and_the_work_that_blocks_it_are_measured() -> None:
    admission = Admission(capacity=3)
    measuring = asyncio.create_task(admission.run())
    try:

        def is_seen() -> bool:
            end = time.process_time() + 0.2
            while time.process_time() < end:  # work on the loop itself
                pass
            return admission.load.loop_lag > 0.05 and admission.load.cpu > 0.1

        await eventually(is_seen)
        assert not admission.takes_another(1)
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)
