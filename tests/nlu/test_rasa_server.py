"""The real Rasa server, trained on our examples and started as `make rasa` starts it, behind the provider."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.metrics import Metrics
from data.intent_examples import intent_examples
from nlu.embedded import EmbeddedProvider
from nlu.normalise import normalise
from nlu.rasa_client import RasaClient, RasaReply
from nlu.rasa_export import unambiguous
from nlu.rasa_provider import MAX_CHARACTERS, RasaProvider, RasaState, joined
from nlu.types import Context, Intent
from sandbox.settings import LOCAL_AES_KEY, LOCAL_APP_ID, LOCAL_APP_SECRET, LOCAL_TOKEN
from tests.support.callbacks import Caller
from tests.support.processes import free_port, qiaoyi, serving
from tests.support.sandbox import running_sandbox
from tests.support.waiting import eventually

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(900)]  # the first test may have to install and train
pytest_plugins = ["tests.support.rasa_server"]

_SECONDS = 10.0
"""Patience with a server that shares two cores with the other tests."""


@pytest.fixture
async def client(rasa_url: str) -> AsyncIterator[RasaClient]:
    async with aiohttp.ClientSession() as http:
        yield RasaClient(http, rasa_url, _SECONDS)


@pytest.fixture
async def rasa(client: RasaClient, provider: EmbeddedProvider) -> RasaProvider:
    """The provider, with a server that has proved to be ready."""
    rasa = RasaProvider(client, provider, Metrics())
    assert await rasa.look()
    return rasa


async def test_it_is_ready_and_answers_through_the_provider(client: RasaClient, provider: EmbeddedProvider) -> None:
    metrics = Metrics()
    rasa = RasaProvider(client, provider, metrics)
    assert await rasa.look()
    assert rasa.state is RasaState.SERVING
    await rasa.prepare("我要挂号")
    understood = await rasa.parse("我要挂号", Context())
    assert understood.intent is Intent.BOOK
    assert metrics.value("nlu_requests", outcome="served") == 1
    assert metrics.value("nlu_understood", by="rasa") == 1


async def test_it_has_learnt_nearly_all_of_its_examples(client: RasaClient) -> None:
    examples = [(text, intent) for intent, texts in unambiguous(intent_examples()).items() for text in texts][::7]
    replies = await _each(client, [text for text, _ in examples])
    right = sum(reply.intent.name == intent for reply, (_, intent) in zip(replies, examples, strict=True))
    assert right / len(examples) > 0.9


async def test_symptoms_are_found_by_their_everyday_names(client: RasaClient) -> None:
    reply = await client.parse("孩子拉肚子两天了")
    assert ("symptom", "腹泻") in {(entity.entity, entity.value) for entity in reply.entities}


async def test_facts_and_dangers_are_those_of_the_embedded_provider(
    rasa: RasaProvider, provider: EmbeddedProvider
) -> None:
    for text in ("没有发烧，咳嗽三天了", "胸口疼得一身冷汗", "体温38.5度，吃了布洛芬"):
        await rasa.prepare(text)
        own, together = provider.understand(text, Context()), await rasa.parse(text, Context())
        assert together.symptoms == own.symptoms
        assert together.red_flags == own.red_flags
        assert (together.temperature, together.drugs) == (own.temperature, own.drugs)


@pytest.mark.parametrize(
    "text",
    [
        "asdf qwer",
        "😀😀😀",
        "頭疼三天了",
        "  咳嗽  ",
        "SELECT * FROM users;",
        "[头疼](symptom)",
        "\\n\\t",
        "。",
        "９０岁",
    ],
)
async def test_odd_texts_get_a_sound_reply(client: RasaClient, provider: EmbeddedProvider, text: str) -> None:
    source = normalise(text)
    reply = await client.parse(source.text.strip())
    assert joined(provider.understand(text, Context()), reply, source).text == source.text


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=60))
async def test_no_text_is_answered_unsoundly(rasa_url: str, provider: EmbeddedProvider, text: str) -> None:
    metrics = Metrics()
    async with aiohttp.ClientSession() as http:
        rasa = RasaProvider(RasaClient(http, rasa_url, _SECONDS), provider, metrics)
        assert await rasa.look()
        await rasa.prepare(text)
        await rasa.parse(text, Context())
    blank = not normalise(text).text.strip()
    asked_or_not = metrics.value("nlu_requests", outcome="served") + metrics.value("nlu_requests", outcome="command")
    assert asked_or_not == (0 if blank else 1)


async def test_the_longest_text_that_is_asked_about_is_answered(client: RasaClient) -> None:
    text = ("头疼三天了，吃了布洛芬也不管用。" * 30)[:MAX_CHARACTERS]
    assert (await client.parse(normalise(text).text)).intent.confidence > 0


async def test_a_slash_would_let_the_writer_choose_the_intent_so_the_provider_keeps_it_back(
    client: RasaClient, rasa: RasaProvider, provider: EmbeddedProvider
) -> None:
    reply = await client.parse("/emergency")
    assert (reply.intent.name, reply.intent.confidence) == ("emergency", 1.0)
    await rasa.prepare("/emergency")
    assert await rasa.parse("/emergency", Context()) == provider.understand("/emergency", Context())


async def test_eight_at_once_are_all_served(client: RasaClient) -> None:
    assert len(await _each(client, ["头疼", "我要挂号", "多少钱", "谢谢"] * 6)) == 24


async def _each(client: RasaClient, texts: list[str]) -> list[RasaReply]:
    """The replies to all texts in their order, asked eight at a time."""
    room = asyncio.Semaphore(8)

    async def one(text: str) -> RasaReply:
        async with room:
            return await client.parse(text)

    return await asyncio.gather(*(one(text) for text in texts))


async def test_the_product_asks_the_server_that_its_settings_name(rasa_url: str, tmp_path: Path) -> None:
    port = free_port()
    account = {"APP_ID": LOCAL_APP_ID, "APP_SECRET": LOCAL_APP_SECRET, "TOKEN": LOCAL_TOKEN, "AES_KEY": LOCAL_AES_KEY}
    chosen = {"PORT": str(port), "NLU_PROVIDER": "rasa", "RASA_URL": rasa_url, "RASA_TIMEOUT": "2"}
    async with running_sandbox() as wechat, aiohttp.ClientSession() as http:
        chosen |= {f"WECHAT__{name}": value for name, value in account.items()}
        chosen |= {"WECHAT__API_URL": wechat.base_url}
        status, _, errors = await qiaoyi(tmp_path, chosen, "migrate")
        assert status == 0, errors
        async with serving(tmp_path, chosen):

            async def is_asked() -> bool:
                async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    return bool((await answer.json())["language"] == "rasa serving")

            await eventually(is_asked)
            answer = await Caller(f"http://127.0.0.1:{port}/wechat/callback", http).text("我要挂号")
            assert answer.status == 200
