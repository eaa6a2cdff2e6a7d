"""Turns: encrypted callbacks with whole dialogues, against one product process on SQLite.

Three loads: as many people as can be kept answered (capacity), half of that (what a day is like), three times that (a
storm). A turn is a callback that was signed and encrypted by the sandbox, answered by the product, and whatever it
pushed in reply.

    python -m benchmarks.turns [--seconds 20] [--people 400] [--json]
"""

import argparse
import asyncio
import itertools
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.product import Product, running_product
from sandbox.wechat import actions
from sandbox.wechat.courier import Round
from sandbox.wechat.phones import Phone

_ANSWER_LIMIT = 4.5
_DRAIN_SECONDS = 120
_IN_FLIGHT = 24
_WAITING = (
    "SELECT (SELECT count(*) FROM deferred_messages) + (SELECT count(*) FROM outbox_messages WHERE due_at IS NOT NULL)"
)

# One consultation's worth of talk; it begins anew each time, so that every turn does what turns do.
_TALK = (
    "重新开始",
    "我最近总是咳嗽，还发烧，体温38.5度，有黄痰",
    "没有",
    "不是38.5度，是39度",
    "三天了",
    "67岁，女",
    "有高血压，吃硝苯地平",
    "没有过敏",
    "王秀英",
    "我的会诊",
)


@dataclass
class Load:
    """What a load gave.

    Attributes:
        turns: callbacks sent, and how many of them were answered later than WeChat waits.
        per_second: turns finished each second.
        p50_ms, p99_ms, worst_ms: from the first byte of a callback to the end of its answer.
        lost: messages without a trace in the product's database after the queues have emptied.
        core_ms: processor time of the product per turn.
    """

    turns: int
    per_second: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    late: int
    lost: int
    core_ms: float


class Crowd:
    """People who talk, each one message at a time."""

    def __init__(self, product: Product, count: int, first: int = 0) -> None:
        account = product.world.account
        self.product = product
        self._phones = [account.phones.create(f"人{number}", f"bench-{first + number:06}") for number in range(count)]
        self._talks: dict[str, Iterator[str]] = {}

    async def greet(self) -> None:
        """Let everybody follow and consent, so that the loads measure conversations."""
        account = self.product.world.account
        for batch in self._batches():
            await asyncio.gather(*(_finished(actions.follow(account, phone, None)) for phone in batch))
            for phone in batch:
                self._talks[phone.openid] = itertools.cycle(_TALK)
        for batch in self._batches():
            await asyncio.gather(*(self._agree(phone) for phone in batch))

    def _batches(self) -> Iterator[list[Phone]]:
        for start in range(0, len(self._phones), _IN_FLIGHT):
            yield self._phones[start : start + _IN_FLIGHT]

    async def _agree(self, phone: Phone) -> None:
        account = self.product.world.account
        # A benchmark looks from outside, where nothing tells when it is done.
        while (menu := next((one for one in reversed(phone.messages) if one.content.get("items")), None)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await _finished(actions.tap(account, phone, menu.seq, menu.content["items"][0]["id"]))

    async def spread(self) -> None:
        """Let each talk as far as another place of the talk: the loads hold its turns, dear and cheap, in equal parts.

        Everybody at its beginning, as they follow, are those whose first words take the most understanding.
        """

        async def so_far(phone: Phone, words: int) -> None:
            for _ in range(words):
                await self.speak(phone)

        numbered = list(enumerate(self._phones))
        for start in range(0, len(numbered), _IN_FLIGHT):
            batch = numbered[start : start + _IN_FLIGHT]
            await asyncio.gather(*(so_far(phone, number % len(_TALK)) for number, phone in batch))

    async def speak(self, phone: Phone) -> float:
        """Send the person's next words; give the milliseconds that their answer took."""
        turn = actions.say(self.product.world.account, phone, next(self._talks[phone.openid]))
        return await _finished(turn)

    async def closed_loop(self, seconds: float, in_flight: int) -> list[float]:
        """Keep `in_flight` people talking without a pause; give each turn's milliseconds."""
        end = time.perf_counter() + seconds
        took: list[float] = []
        share = len(self._phones) // in_flight

        async def some(phones: list[Phone]) -> None:
            for phone in itertools.cycle(phones):
                if time.perf_counter() > end:
                    return
                took.append(await self.speak(phone))

        await asyncio.gather(*(some(self._phones[n * share : (n + 1) * share]) for n in range(in_flight)))
        return took

    async def open_loop(self, seconds: float, rate: float) -> list[float]:
        """Let `rate` messages come in each second, whatever becomes of them; give each turn's milliseconds."""
        began, running = time.perf_counter(), []
        for number, phone in enumerate(itertools.cycle(self._phones)):
            due = began + number / rate
            if due > began + seconds:
                break
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            running.append(asyncio.ensure_future(self.speak(phone)))
        return list(await asyncio.gather(*running))


async def _finished(turn: Round) -> float:
    if turn.task is not None:
        await turn.task
    return sum(delivery.ms for delivery in turn.deliveries)


async def measure(crowd: Crowd, seconds: float, *, rate: float | None = None) -> Load:
    """Put a load on the product: `rate` messages a second, or as many as it answers."""
    product = crowd.product
    before, cpu, began = _taken(product), product.cpu_seconds(), time.perf_counter()
    took = await (crowd.closed_loop(seconds, _IN_FLIGHT) if rate is None else crowd.open_loop(seconds, rate))
    wall = time.perf_counter() - began
    await _drained(product)
    ranks = statistics.quantiles(took, n=100)
    return Load(
        turns=len(took),
        per_second=round(len(took) / wall, 1),
        p50_ms=round(statistics.median(took), 1),
        p99_ms=round(ranks[98], 1),
        worst_ms=round(max(took), 1),
        late=sum(one > _ANSWER_LIMIT * 1000 for one in took),
        lost=len(took) - (_taken(product) - before),
        core_ms=round(1000 * (product.cpu_seconds() - cpu) / len(took), 2),
    )


def _taken(product: Product) -> int:
    return _count(product, "SELECT count(*) FROM inbound_messages")


async def _drained(product: Product) -> None:
    """Wait until nothing is put off and everything has been sent.

    Raises:
        TimeoutError: the queues did not empty.
    """
    async with asyncio.timeout(_DRAIN_SECONDS):
        while _count(product, _WAITING):  # noqa: ASYNC110  # another process: nothing tells when it is done
            await asyncio.sleep(0.2)


def _count(product: Product, query: str) -> int:
    connection = sqlite3.connect(f"file:{product.data}/qiaoyi.db?mode=ro", uri=True, timeout=30)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


async def run(seconds: float, people: int) -> dict[str, object]:
    """Measure the three loads on a fresh database."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_product(Path(folder)) as product:
            crowd = Crowd(product, people)
            await crowd.greet()
            await crowd.spread()
            capacity = await measure(crowd, seconds)
            half = await measure(crowd, seconds, rate=capacity.per_second / 2)
            storm = await measure(crowd, seconds, rate=capacity.per_second * 3)
            return {
                "capacity": asdict(capacity),
                "half": asdict(half),
                "storm": asdict(storm),
                "resident_mb": round(product.resident_megabytes()),
            }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.seconds, options.people))
    if options.json:
        print(json.dumps(result))
        return
    for name in ("capacity", "half", "storm"):
        print(f"{name:9}", "  ".join(f"{key} {value}" for key, value in dict(result[name]).items()))  # type: ignore[call-overload]
    print(f"resident  {result['resident_mb']} MB")


if __name__ == "__main__":
    main()
