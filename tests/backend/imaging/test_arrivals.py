"""Work on what is here gives way to what is coming."""

from types import SimpleNamespace

import pytest

from backend.imaging import arrivals
from backend.imaging.arrivals import Arrivals


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moment; sleeping moves it."""
    moment = [1000.0]

    async def sleep(seconds: float) -> None:
        moment[0] += seconds

    monkeypatch.setattr(arrivals, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    monkeypatch.setattr(arrivals, "asyncio", SimpleNamespace(sleep=sleep))
    return moment


async def test_nothing_waits_where_nothing_came(now: list[float]) -> None:
    await Arrivals().paused()
    assert now == [1000.0]


async def test_work_waits_until_arrivals_have_paused(now: list[float]) -> None:
    coming = Arrivals()
    coming.note()
    await coming.paused()
    assert now == [1002.0]
    await coming.paused()
    assert now == [1002.0]


async def test_work_goes_on_beside_arrivals_that_do_not_end(now: list[float]) -> None:
    coming = Arrivals()
    for _ in range(100):
        coming.note()
        now[0] += 0.5
    began = now[0]
    await coming.paused()
    assert now == [began]


async def test_after_a_pause_work_gives_way_once_more(now: list[float]) -> None:
    coming = Arrivals()
    for _ in range(100):
        coming.note()
        now[0] += 0.5
    now[0] += 10
    coming.note()
    began = now[0]
    await coming.paused()
    assert now == [began + 2]
