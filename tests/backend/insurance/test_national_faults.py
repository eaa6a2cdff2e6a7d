"""Whatever goes wrong between us and the insurer: nothing is claimed twice, and nothing unknown is taken for known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database
from backend.insurance.insurer import InsurerRefused, InsurerUnclear, InsurerUnreachable, Visit
from backend.insurance.messages import LARGEST_ANSWER
from backend.insurance.national import NationalInsurer
from backend.insurance.tables import InsurerMessage
from sandbox.client import SandboxClient, SandboxError
from tests.support.insurer import LIU, WANG, Talk, settings_for, talking
from tests.support.waiting import eventually

DOINGS = ("register", "upload", "settle", "revoke", "revoke_upload", "unregister")
NUMBER = {
    "register": "2201",
    "upload": "2204",
    "settle": "2207",
    "revoke": "2208",
    "revoke_upload": "2205",
    "unregister": "2202",
}


async def state_of(database: Database, message: str) -> str:
    query = select(InsurerMessage.state).where(InsurerMessage.message == message).order_by(InsurerMessage.id.desc())
    async with database.reading() as session:
        return str(await session.scalar(query.limit(1)))


async def do(talk: Talk, name: str, visit: Visit, settlement: str) -> str:
    """One step of a visit, always under the same message id; gives the settlement's number as far as there is one."""
    message = f"{name} {visit.number}"
    if name == "settle":
        return (await talk.insurer.settle(visit, message=message)).number
    if name == "revoke":
        await talk.insurer.revoke(settlement, visit.number, message=message)
    else:
        about = visit if name in ("register", "upload") else visit.number
        await getattr(talk.insurer, name)(about, message=message)
    return settlement


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ({"drop": "before"}, InsurerUnclear),
        ({"drop": "after"}, InsurerUnclear),
        ({"status": 502}, InsurerUnclear),
        ({"kind": "bad_signature"}, InsurerUnclear),
        ({"kind": "foreign_answer"}, InsurerUnclear),
        ({"errcode": 9999}, InsurerRefused),
        ({"kind": "twice"}, None),
    ],
    ids=str,
)
async def test_each_step_that_failed_is_sent_again_and_happens_once(
    talk: Talk, fault: dict[str, Any], raised: type[Exception] | None
) -> None:
    for round_, fault_at in enumerate(DOINGS, 1):
        visit, settlement = await talk.visit(LIU), ""
        for name in DOINGS:
            if name == fault_at:
                async with talk.sandbox.client.faulty(path=f"/insurer/{NUMBER[name]}", times=1, **fault):
                    with pytest.raises(raised) if raised else nullcontext():
                        settlement = await do(talk, name, visit, settlement)
            settlement = await do(talk, name, visit, settlement)
        assert talk.books.visits == {}
        assert (len(talk.books.settlements), talk.standing) == (round_, 0)
        assert talk.books.account(talk.books.people[visit.person]) == 83_000


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_after_a_lost_answer_one_can_ask_what_became_of_a_settlement(
    talk: Talk, database: Database, drop: str
) -> None:
    visit = await talk.ready()
    async with talk.sandbox.client.faulty(path="/insurer/2207", drop=drop):
        with pytest.raises(InsurerUnclear):
            await talk.insurer.settle(visit, message="the settling")
    assert await state_of(database, "the settling") == "unclear"
    settled = await talk.insurer.settled(visit.number)
    assert (settled is not None) is (drop == "after")
    assert settled is None or settled.message == "the settling"
    again = await talk.insurer.settle(visit, message="the settling")
    assert settled in (None, again)
    assert talk.standing == 1
    assert await state_of(database, "the settling") == "answered"


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_reversal_undoes_what_a_lost_message_did_and_nothing_where_it_did_nothing(
    talk: Talk, database: Database, drop: str
) -> None:
    visit = await talk.ready(LIU)
    async with talk.sandbox.client.faulty(path="/insurer/2207", drop=drop):
        with pytest.raises(InsurerUnclear):
            await talk.insurer.settle(visit, message="the settling")
    await talk.insurer.reverse("the settling", message="the reversal")
    await talk.insurer.reverse("the settling", message="the reversal")
    assert talk.standing == 0
    assert await talk.insurer.settled(visit.number) is None
    assert await state_of(database, "the settling") == "reversed"
    with pytest.raises(InsurerRefused) as refusal:
        await talk.insurer.settle(visit, message="the settling")
    assert refusal.value.code == "reversed"
    assert (await talk.insurer.settle(visit, message="anew")).split.insurance > 0


async def test_a_reversal_whose_own_answer_is_lost_is_repeated(talk: Talk) -> None:
    visit = await talk.ready()
    await talk.insurer.settle(visit, message="the settling")
    async with talk.sandbox.client.faulty(path="/insurer/2601", drop="after", times=1):
        with pytest.raises(InsurerUnclear):
            await talk.insurer.reverse("the settling", message="the reversal")
    await talk.insurer.reverse("the settling", message="the reversal")
    assert talk.standing == 0


@pytest.mark.parametrize("name", ["register", "upload", "revoke"])
async def test_every_step_with_an_effect_can_be_reversed(talk: Talk, name: str) -> None:
    visit = await talk.visit()
    await talk.insurer.register(visit, message="register")
    if name != "register":
        await talk.insurer.upload(visit, message="upload")
    if name == "revoke":
        settled = await talk.insurer.settle(visit, message="settle")
        await talk.insurer.revoke(settled.number, visit.number, message="revoke")
    await talk.insurer.reverse(name, message="the reversal")
    assert (visit.number in talk.books.numbers) is (name != "register")
    assert talk.standing == (1 if name == "revoke" else 0)
    batches = [one for kept in talk.books.visits.values() for one in kept.batches]
    assert len(batches) == (1 if name == "revoke" else 0)


async def test_what_was_never_sent_needs_no_reversal(talk: Talk) -> None:
    await talk.insurer.reverse("never sent", message="the reversal")
    assert talk.books.reversed == set()


async def test_a_message_that_arrives_after_its_reversal_does_nothing(talk: Talk) -> None:
    visit = await talk.ready()
    async with talk.sandbox.client.faulty(path="/insurer/2207", kind="late", latency_ms=400, times=1):
        with pytest.raises(InsurerUnclear):
            await talk.insurer.settle(visit, message="the settling")
        await talk.insurer.reverse("the settling", message="the reversal")
        seen = talk.sandbox.world.journal.last_seq
        await eventually(lambda: talk.sandbox.world.journal.last_seq > seen)
    assert talk.standing == 0


async def test_an_answer_that_takes_too_long_is_unclear_and_counts_when_asked(database: Database, clock: Clock) -> None:
    async with talking(database, clock, timeout=0.4) as talk:
        visit = await talk.ready()
        async with talk.sandbox.client.faulty(path="/insurer/2207", latency_ms=800):
            with pytest.raises(InsurerUnclear):
                await talk.insurer.settle(visit, message="the settling")
        await eventually(lambda: talk.standing == 1)
        settled = await talk.insurer.settled(visit.number)
        assert settled is not None
        assert settled.message == "the settling"


async def test_a_call_that_was_given_up_half_way_is_asked_about_like_a_lost_one(talk: Talk, database: Database) -> None:
    visit = await talk.ready()
    async with talk.sandbox.client.faulty(path="/insurer/2207", latency_ms=60_000, times=1):
        settling = asyncio.create_task(talk.insurer.settle(visit, message="the settling"))
        await eventually(lambda: not talk.sandbox.world.faults.all())
        settling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await settling
    assert await state_of(database, "the settling") == "sent"
    await talk.insurer.settle(visit, message="the settling")
    assert talk.standing == 1


async def test_an_insurer_that_is_down_was_not_reached(talk: Talk, database: Database, unused_tcp_port: int) -> None:
    away = NationalInsurer(database, talk.clock, settings_for(f"http://127.0.0.1:{unused_tcp_port}/insurer/api"))
    with pytest.raises(InsurerUnreachable):
        await away.person(*WANG, message="the question")
    assert await state_of(database, "the question") == "unreachable"
    await talk.insurer.person(*WANG, message="the question")
    await away.close()


async def test_what_may_have_arrived_once_stays_unclear_when_the_insurer_goes_down(
    talk: Talk, database: Database, unused_tcp_port: int
) -> None:
    visit = await talk.ready()
    away = NationalInsurer(database, talk.clock, settings_for(f"http://127.0.0.1:{unused_tcp_port}/insurer/api"))
    async with talk.sandbox.client.faulty(path="/insurer/2207", drop="after"):
        with pytest.raises(InsurerUnclear):
            await talk.insurer.settle(visit, message="the settling")
    with pytest.raises(InsurerUnreachable):
        await away.settle(visit, message="the settling")
    assert await state_of(database, "the settling") == "unclear"
    await away.close()


@pytest.mark.parametrize("kind", ["negative", "wrong_sum", "bad_signature", "foreign_answer"])
async def test_an_answer_that_cannot_be_is_unclear(talk: Talk, kind: str) -> None:
    visit = await talk.ready()
    async with talk.sandbox.client.faulty(path="/insurer/220*", kind=kind):
        with pytest.raises(InsurerUnclear):
            await talk.insurer.presettle(visit, message=talk.message())
        with pytest.raises(InsurerUnclear):
            await talk.insurer.settle(visit, message="the settling")
    settled = await talk.insurer.settled(visit.number)
    assert settled is not None
    assert await talk.insurer.settle(visit, message="the settling") == settled


async def test_what_is_no_answer_is_unclear(talk: Talk) -> None:
    bodies = [
        "",
        "<html>502</html>",
        "[]",
        "null",
        "7",
        '{"infcode": "0"}',
        '{"infcode": NaN}',
        "[" * 5_000,
        "{" * 50_000,
    ]
    for body in bodies:
        async with talk.sandbox.client.faulty(path="/insurer/1101", body=body):
            with pytest.raises(InsurerUnclear):
                await talk.person()


async def test_every_code_of_failure_known_or_not_becomes_a_plain_sentence(talk: Talk) -> None:
    for code in (1001, 9999, 777, -1):
        async with talk.sandbox.client.faulty(path="/insurer/1101", errcode=code):
            with pytest.raises(InsurerRefused) as refusal:
                await talk.person()
        assert refusal.value.code == str(code)
        assert refusal.value.sentence.endswith("。")
        assert "交易" not in refusal.value.sentence


async def test_a_key_that_is_not_ours_gets_nothing_that_can_be_trusted(database: Database, clock: Clock) -> None:
    async with talking(database, clock, key="another key of length") as talk:
        with pytest.raises(InsurerUnclear):
            await talk.person()


@asynccontextmanager
async def answering(
    answer: web.StreamResponse | None, database: Database, clock: Clock
) -> AsyncIterator[NationalInsurer]:
    """An insurer that says this to everything; None: says without end."""

    async def say(request: web.Request) -> web.StreamResponse:
        if answer is not None:
            return answer
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10 * LARGEST_ANSWER >> 16):
            await response.write(b" " * (1 << 16))
        return response

    application = web.Application()
    application.router.add_post("/api", say)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    insurer = NationalInsurer(database, clock, settings_for(f"http://127.0.0.1:{runner.addresses[0][1]}/api"))
    try:
        yield insurer
    finally:
        await insurer.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        web.Response(status=302, headers={"Location": "http://169.254.169.254/"}),
        web.Response(body=b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["without end", "elsewhere", "compressed"],
)
async def test_an_answer_without_end_or_from_elsewhere_is_unclear(
    answer: web.StreamResponse | None, database: Database, clock: Clock
) -> None:
    async with answering(answer, database, clock) as insurer:
        with pytest.raises(InsurerUnclear):
            await insurer.person(*WANG, message="the question")


async def test_a_senseless_fault_of_the_insurer_is_refused(talk: Talk) -> None:
    client: SandboxClient = talk.sandbox.client
    with pytest.raises(SandboxError) as error:
        await client.fault(path="/insurer/2207", kind="stale_timestamp")
    assert error.value.code == "fault_invalid"
    with pytest.raises(SandboxError):
        await client.fault(path="/cgi-bin/menu/create", kind="twice")
