"""The Rasa provider against a server that plays well, down, slow and confused: the embedded provider always serves."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.metrics import Metrics
from nlu.embedded import EmbeddedProvider
from nlu.normalise import normalise
from nlu.rasa_client import MAX_BODY_BYTES, PROBE, RasaClient, RasaEntity, RasaIntent, RasaReply
from nlu.rasa_provider import MAX_CHARACTERS, RasaProvider, RasaState, joined
from nlu.types import Asked, Context, Intent, Provider, Slot
from tests.support.processes import free_port

UNCLEAR = "麻烦您给弄一下那个"
"""Words of which the embedded provider makes nothing."""


def says(text: str, intent: str = "book", confidence: float = 0.9, **more: Any) -> dict[str, Any]:
    """A reply as Rasa 3.6 writes it."""
    return {
        "text": text,
        "intent": {"name": intent, "confidence": confidence},
        "entities": [],
        "text_tokens": [[0, len(text)]],
        "intent_ranking": [{"name": intent, "confidence": confidence}],
        **more,
    }


Script = Callable[[str], Awaitable[web.StreamResponse]]


@dataclass
class FakeRasa:
    """A server on loopback that answers sentences as `script` says, and the probe soundly while `sound`."""

    script: Script
    url: str = ""
    asked: list[str] = field(default_factory=list)
    sound: bool = True
    status: Any = field(default_factory=lambda: {"model_file": "m.tar.gz", "num_active_training_jobs": 0})

    async def on_parse(self, request: web.Request) -> web.StreamResponse:
        text = (await request.json())["text"]
        if text == PROBE and self.sound:
            return web.json_response(says(text, "describe_symptoms"))
        self.asked.append(text)
        return await self.script(text)

    async def on_status(self, _request: web.Request) -> web.Response:
        return web.json_response(self.status) if self.status is not None else web.Response(status=409)

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["FakeRasa"]:
        application = web.Application()
        application.add_routes([web.post("/model/parse", self.on_parse), web.get("/status", self.on_status)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()


async def well(text: str) -> web.Response:
    return web.json_response(says(text))


@dataclass
class House:
    """The provider with what it counts."""

    rasa: RasaProvider
    metrics: Metrics

    async def hear(self, text: str, context: Context | None = None) -> Intent:
        """The intent of a message that goes the way of a turn."""
        await self.rasa.prepare(text)
        return (await self.rasa.parse(text, context or Context())).intent

    def outcomes(self, outcome: str) -> int:
        return self.metrics.value("nlu_requests", outcome=outcome)


@contextlib.asynccontextmanager
async def provider_of(
    url: str, embedded: EmbeddedProvider, timeout: float = 5.0, retry_seconds: float = 0.01
) -> AsyncIterator[House]:
    metrics = Metrics()
    async with aiohttp.ClientSession() as http:
        rasa = RasaProvider(RasaClient(http, url, timeout), embedded, metrics, retry_seconds=retry_seconds)
        yield House(rasa, metrics)


async def test_rasa_tells_what_the_embedded_provider_does_not_know(provider: EmbeddedProvider) -> None:
    assert provider.understand(UNCLEAR, Context()).intent is not Intent.BOOK
    async with FakeRasa(well).running() as server, provider_of(server.url, provider) as house:
        assert await house.rasa.look()
        interface: Provider = house.rasa
        await interface.prepare(UNCLEAR)
        understood = await interface.parse(UNCLEAR, Context())
        assert (understood.intent, understood.confidence) == (Intent.BOOK, 0.9)
        assert house.outcomes("served") == 1
        assert house.metrics.value("nlu_understood", by="rasa") == 1


async def test_it_is_asked_once_for_one_text_and_never_while_a_turn_holds_the_database(
    provider: EmbeddedProvider,
) -> None:
    async with FakeRasa(well).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        await house.rasa.parse(UNCLEAR, Context())
        assert server.asked == []
        assert house.metrics.value("nlu_understood", by="embedded") == 1
        await house.rasa.prepare(UNCLEAR)
        await house.rasa.prepare(UNCLEAR)
        assert server.asked == [UNCLEAR]


async def test_it_is_not_asked_before_it_has_proved_to_be_ready(provider: EmbeddedProvider) -> None:
    async with FakeRasa(well).running() as server, provider_of(server.url, provider) as house:
        assert await house.hear(UNCLEAR) == provider.understand(UNCLEAR, Context()).intent
        assert server.asked == []
        assert house.rasa.state is RasaState.STARTING
        assert house.outcomes("starting") == 1


@pytest.mark.parametrize("status", [None, {}, {"model_file": ""}, [1], "ready"])
async def test_a_server_without_a_model_is_not_ready(provider: EmbeddedProvider, status: Any) -> None:
    async with FakeRasa(well, status=status).running() as server, provider_of(server.url, provider) as house:
        assert not await house.rasa.look()


async def test_a_server_whose_model_talks_nonsense_is_not_ready(provider: EmbeddedProvider) -> None:
    async def nonsense(_text: str) -> web.Response:
        return web.json_response({"hello": "world"})

    async with FakeRasa(nonsense, sound=False).running() as server, provider_of(server.url, provider) as house:
        assert not await house.rasa.look()


async def test_a_server_that_is_not_there_is_not_ready(provider: EmbeddedProvider) -> None:
    async with provider_of(f"http://127.0.0.1:{free_port()}", provider) as house:
        assert not await house.rasa.look()
        assert await house.hear("头疼") is Intent.DESCRIBE_SYMPTOMS


def _body(body: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> Script:
    async def answer(_text: str) -> web.Response:
        content = body.encode() if isinstance(body, str) else body
        return web.Response(body=content, status=status, headers=headers, content_type="application/json")

    return answer


def _with(**fields: Any) -> Script:
    async def answer(text: str) -> web.Response:
        return web.Response(text=json.dumps(says(text) | fields), content_type="application/json")

    return answer


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (_body("", 500), "status"),
        (_body("{}", 409), "status"),
        (_body("", 302, {"Location": "/status"}), "status"),
        (_body(""), "nonsense"),
        (_body("<html>"), "nonsense"),
        (_body(b"\xff\xfe"), "nonsense"),
        (_body("[" * 30_000), "nonsense"),
        (_body("null"), "nonsense"),
        (_body("[]"), "nonsense"),
        (_body("x" * (MAX_BODY_BYTES + 1)), "too_big"),
        (_body("{}", 200, {"Content-Encoding": "gzip"}), "refused"),
        (_with(intent=None), "nonsense"),
        (_with(intent={"name": None, "confidence": 0.0}), "nonsense"),
        (_with(intent={"name": "book", "confidence": 1.5}), "nonsense"),
        (_with(intent={"name": "book", "confidence": float("nan")}), "nonsense"),
        (_with(intent={"name": "diagnose_cancer", "confidence": 0.99}), "unknown_intent"),
        (_with(text="别的话"), "other_text"),
        (_with(entities={"a": 1}), "nonsense"),
        (_with(entities=[{"entity": "drug", "value": "药", "start": 5, "end": 99}]), "nonsense"),
        (_with(entities=[{"entity": "drug", "value": "药", "start": 3, "end": 3}]), "nonsense"),
        (_with(entities=[{"entity": "drug", "value": "药", "start": -2, "end": 1}]), "nonsense"),
    ],
)
async def test_whatever_is_no_sound_reply_is_counted_and_the_embedded_provider_serves(
    provider: EmbeddedProvider, script: Script, code: str
) -> None:
    async with FakeRasa(script).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        await house.rasa.prepare(UNCLEAR)
        assert await house.rasa.parse(UNCLEAR, Context()) == provider.understand(UNCLEAR, Context())
        assert server.asked == [UNCLEAR]
        assert house.outcomes(code) == 1
        assert house.metrics.value("nlu_understood", by="embedded") == 1


async def test_a_slow_server_is_given_its_time_and_no_more(provider: EmbeddedProvider) -> None:
    never = asyncio.Event()

    async def slow(text: str) -> web.Response:
        await never.wait()
        return await well(text)

    async with FakeRasa(slow).running() as server, provider_of(server.url, provider, timeout=0.05) as house:
        await house.rasa.look()
        began = asyncio.get_running_loop().time()
        assert await house.hear(UNCLEAR) == provider.understand(UNCLEAR, Context()).intent
        assert asyncio.get_running_loop().time() - began < 2
        assert house.outcomes("timeout") == 1
        never.set()


async def test_a_body_that_trickles_is_cut_off_at_the_same_time(provider: EmbeddedProvider) -> None:
    never = asyncio.Event()

    async def trickle(_text: str) -> web.StreamResponse:
        response = web.StreamResponse()
        request = requests[-1]
        await response.prepare(request)
        await response.write(b'{"text"')
        await never.wait()
        return response

    requests: list[web.Request] = []

    class Trickling(FakeRasa):
        async def on_parse(self, request: web.Request) -> web.StreamResponse:
            requests.append(request)
            return await super().on_parse(request)

    async with Trickling(trickle).running() as server, provider_of(server.url, provider, timeout=0.2) as house:
        await house.rasa.look()
        await house.rasa.prepare(UNCLEAR)
        assert house.outcomes("timeout") == 1
        never.set()


async def test_after_three_failures_it_is_not_asked_until_it_is_ready_again(provider: EmbeddedProvider) -> None:
    broken = True

    async def moody(text: str) -> web.Response:
        return web.Response(status=500) if broken else await well(text)

    async with FakeRasa(moody).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        for number in range(5):
            await house.hear(f"{UNCLEAR}{number}")
        assert len(server.asked) == 3
        assert (house.rasa.state, house.outcomes("away")) == (RasaState.AWAY, 2)
        server.sound = False
        assert not await house.rasa.look()
        broken = False
        assert await house.rasa.look()
        assert await house.hear(UNCLEAR) is Intent.BOOK


async def test_failures_between_successes_do_not_add_up(provider: EmbeddedProvider) -> None:
    async def every_third_time(text: str) -> web.Response:
        return await well(text) if text.endswith("0") else web.Response(status=500)

    async with FakeRasa(every_third_time).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        for number in (1, 2, 10, 3, 4, 20, 5, 6):
            await house.rasa.prepare(f"{UNCLEAR}{number}")
        assert house.rasa.state is RasaState.SERVING
        assert len(server.asked) == 8


async def test_its_loop_finds_a_server_that_comes_late_and_one_that_comes_back(provider: EmbeddedProvider) -> None:
    port = free_port()
    seen: asyncio.Queue[RasaState] = asyncio.Queue()

    class Watched(RasaProvider):
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "state":
                seen.put_nowait(value)

    async with aiohttp.ClientSession() as http:
        client = RasaClient(http, f"http://127.0.0.1:{port}", 5.0)
        rasa = Watched(client, provider, Metrics(), tolerated=1, retry_seconds=0.01)
        loop = asyncio.create_task(rasa.run())
        try:
            assert await seen.get() is RasaState.STARTING
            async with FakeRasa(well).running(port):
                assert await asyncio.wait_for(seen.get(), 20) is RasaState.SERVING
            await rasa.prepare(UNCLEAR)
            assert await seen.get() is RasaState.AWAY
            async with FakeRasa(well).running(port):
                assert await asyncio.wait_for(seen.get(), 20) is RasaState.SERVING
        finally:
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop


async def test_more_than_eight_at_once_do_not_queue_up_at_the_server(provider: EmbeddedProvider) -> None:
    eight, go_on = asyncio.Event(), asyncio.Event()

    async def together(text: str) -> web.Response:
        if len(server.asked) == 8:
            eight.set()
        await go_on.wait()
        return await well(text)

    async with FakeRasa(together).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        asking = [asyncio.create_task(house.rasa.prepare(f"{UNCLEAR}{number}")) for number in range(8)]
        await asyncio.wait_for(eight.wait(), 20)
        await house.rasa.prepare(UNCLEAR)
        assert house.outcomes("busy") == 1
        go_on.set()
        await asyncio.gather(*asking)
        assert house.outcomes("served") == 8


@pytest.mark.parametrize(
    ("text", "outcome"), [("头" * (MAX_CHARACTERS + 1), "too_long"), ("/book", "command"), ("  /book{}", "command")]
)
async def test_what_the_server_must_not_see_is_not_asked(provider: EmbeddedProvider, text: str, outcome: str) -> None:
    async with FakeRasa(well).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        await house.rasa.prepare(text)
        assert server.asked == []
        assert house.outcomes(outcome) == 1


@pytest.mark.parametrize("text", ["", "  ", "\u200b"])
async def test_nothing_is_not_asked_about(provider: EmbeddedProvider, text: str) -> None:
    async with FakeRasa(well).running() as server, provider_of(server.url, provider) as house:
        await house.rasa.look()
        assert await house.hear(text) is Intent.OUT_OF_SCOPE
        assert server.asked == []


def reply(text: str, intent: str, *entities: RasaEntity) -> RasaReply:
    return RasaReply(text=text, intent=RasaIntent(name=intent, confidence=0.99), entities=entities)


@pytest.mark.parametrize(
    ("text", "context", "intent"),
    [
        ("转人工", Context(), "greet"),
        ("胸口疼得一身冷汗", Context(), "greet"),
        ("救命啊", Context(), "out_of_scope"),
        ("三天了", Context(asked=Asked(slot=Slot.DURATION)), "book"),
        ("没有", Context(asked=Asked(slot=Slot.SYMPTOM, values=("咳嗽",))), "cancel_booking"),
        ("不是38度，是39度", Context(), "describe_symptoms"),
        ("头疼三天了", Context(), "out_of_scope"),
        ("头疼三天了", Context(), "nlu_fallback"),
        ("头疼三天了", Context(), "affirm"),
        ("头疼三天了", Context(), "answer"),
    ],
)
def test_rasa_never_outvotes_danger_a_steering_word_an_answer_or_a_stated_symptom(
    provider: EmbeddedProvider, text: str, context: Context, intent: str
) -> None:
    own = provider.understand(text, context)
    assert joined(own, reply(text, intent), normalise(text)) == own


@pytest.mark.parametrize(("doubt", "intent"), [(-0.01, Intent.COMPLAIN), (0.01, Intent.BOOK)])
def test_of_two_intents_that_could_be_meant_the_surer_counts(
    provider: EmbeddedProvider, doubt: float, intent: Intent
) -> None:
    own = provider.understand(UNCLEAR, Context()).model_copy(update={"intent": Intent.BOOK, "confidence": 0.5})
    said = RasaReply(text=UNCLEAR, intent=RasaIntent(name="complain", confidence=0.5 - doubt))
    assert joined(own, said, normalise(UNCLEAR)).intent is intent


def test_an_emergency_that_only_rasa_hears_counts(provider: EmbeddedProvider) -> None:
    own = provider.understand(UNCLEAR, Context())
    assert joined(own, reply(UNCLEAR, "emergency"), normalise(UNCLEAR)).intent is Intent.EMERGENCY


def test_entities_that_the_lexicon_lacks_are_taken_with_their_place_in_what_was_typed(
    provider: EmbeddedProvider,
) -> None:
    typed = "  ＡＢ我\u200b吃了灵芝通心丸，頭疼"
    source = normalise(typed)
    start = source.text.strip().index("灵芝")
    found = RasaEntity(entity="drug", value="灵芝通心丸", start=start, end=start + 5, confidence_entity=0.9)
    unsure = RasaEntity(entity="disease", value="吃", start=start - 2, end=start - 1, confidence_entity=0.3)
    ache = source.text.strip().index("头疼")
    known = RasaEntity(entity="symptom", value="头痛", start=ache, end=ache + 2, confidence_entity=0.9)
    own = provider.understand(typed, Context())
    together = joined(own, reply(source.text, "nlu_fallback", found, found, unsure, known), source)
    new = [entity for entity in together.entities if entity not in own.entities]
    assert [(entity.kind, entity.text, typed[entity.start : entity.end]) for entity in new] == [
        ("drug", "灵芝通心丸", "灵芝通心丸")
    ]
    assert together.symptoms == own.symptoms
    assert together.drugs == own.drugs


@given(text=st.text(max_size=40), intent=st.sampled_from([*Intent]), data=st.data())
def test_no_reply_that_fits_takes_a_fact_away(
    provider: EmbeddedProvider, text: str, intent: Intent, data: st.DataObject
) -> None:
    source = normalise(text)
    entities = []
    asked = source.text.strip()
    if asked:
        start = data.draw(st.integers(0, len(asked) - 1))
        end = data.draw(st.integers(start + 1, len(asked)))
        entities = [RasaEntity(entity="drug", value="x", start=start, end=end, confidence_entity=0.9)]
    own = provider.understand(text, Context())
    together = joined(own, reply(source.text, intent, *entities), source)
    assert together.model_copy(update={"intent": 0, "confidence": 0, "entities": 0}) == own.model_copy(
        update={"intent": 0, "confidence": 0, "entities": 0}
    )
    assert set(own.entities) <= set(together.entities)
