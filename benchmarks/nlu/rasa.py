"""Rasa beside the embedded provider, on the same sentences in the same run: `python -m benchmarks.nlu.speed --rasa`."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.nlu import speed
from benchmarks.nlu.intents import CASES
from benchmarks.product import free_port
from data.intent_examples import IntentExamples, load_intent_examples
from nlu.embedded import EmbeddedProvider
from nlu.normalise import normalise
from nlu.rasa_client import RasaClient, RasaFault
from nlu.rasa_provider import joined
from nlu.types import Asked, Context, Slot

_SCRIPT = Path(__file__).parents[2] / "deploy" / "rasa.sh"
_START_SECONDS = 600.0
_CLIENTS = 8
_PATIENCE = 30.0


def side_by_side(data: Path, limit: int) -> dict[str, dict[str, float]]:
    """The figures of the embedded provider and of Rasa, and how often each hears the intent of our cases."""
    embedded = speed.measure(data, limit) | speed.start()
    rasa, right = asyncio.run(_measure_rasa([text for text, _ in speed.sentences(data, limit)]))
    return {"embedded": embedded | right["embedded"], "rasa": rasa | right["rasa"], "both": right["both"]}


@asynccontextmanager
async def _running_rasa() -> AsyncIterator[tuple[str, int, float]]:
    """A trained server while inside: its address, its process, and the seconds that its start took."""
    script = [str(_SCRIPT), str(Path(sys.executable).parent)]
    subprocess.run([*script, "train"], check=True, stdout=subprocess.DEVNULL)  # noqa: ASYNC221, S603  # nothing else runs
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *script, "serve", str(port), stdout=log, stderr=log, start_new_session=True
        )
        try:
            await _until_ready(url)
            yield url, process.pid, time.perf_counter() - began
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def _until_ready(url: str) -> None:
    """Return when the server answers.

    Raises:
        TimeoutError: it never did.
    """
    async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as http:
        client = RasaClient(http, url, _PATIENCE)
        while True:
            try:
                await client.require_ready()
            except RasaFault:
                await asyncio.sleep(0.1)
            else:
                return


async def _measure_rasa(texts: Sequence[str]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    asked = [normalise(text).text.strip() for text in texts]
    asked = [text for text in asked if text and not text.startswith("/")]
    async with _running_rasa() as (url, process_id, started), aiohttp.ClientSession() as http:
        client = RasaClient(http, url, _PATIENCE)
        start = {"start, s": started, "start, s of processor time": speed.processor_seconds(process_id)}
        await _all_of(client, asked[:50], 1)
        used = speed.processor_seconds(process_id)
        alone = speed.Timing.of(await _all_of(client, asked, 1))
        used = speed.processor_seconds(process_id) - used
        began = time.perf_counter()
        together = speed.Timing.of(await _all_of(client, asked, _CLIENTS))
        per_second = len(asked) / (time.perf_counter() - began)
        figures = {
            "p50, ms": alone.p50_ms,
            "p99, ms": alone.p99_ms,
            "sentences a second": per_second,
            "p50 with 8 clients, ms": together.p50_ms,
            "p99 with 8 clients, ms": together.p99_ms,
            "processor time a sentence, ms": 1000 * used / len(asked),
            "memory, MB": speed.resident_megabytes(process_id),
        }
        return figures | start, await _intents(client, load_intent_examples(CASES))


async def _all_of(client: RasaClient, texts: Sequence[str], clients: int) -> list[float]:
    """The seconds that each text took, asked by so many clients."""
    waiting = iter(texts)
    took: list[float] = []

    async def work() -> None:
        for text in waiting:
            began = time.perf_counter()
            await client.parse(text)
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(work() for _ in range(clients)))
    return took


async def _intents(client: RasaClient, rows: Sequence[IntentExamples]) -> dict[str, dict[str, float]]:
    """Percent of the cases whose intent each hears: of all, and of those that answer no question (Rasa hears none)."""
    embedded = EmbeddedProvider()
    hits: dict[str, list[tuple[bool, bool]]] = {"embedded": [], "rasa": [], "both": []}
    for row in rows:
        asked = Asked(slot=Slot(row.asked), values=row.symptoms) if row.asked else None
        for text in row.texts:
            source = normalise(text)
            reply = await client.parse(source.text.strip())
            own = embedded.understand(text, Context(asked=asked))
            heard = {"embedded": own.intent, "rasa": reply.intent.name, "both": joined(own, reply, source).intent}
            for who, intent in heard.items():
                hits[who].append((asked is None, intent == row.intent))
    return {
        who: {
            "intents right, %": _percent([right for _, right in of]),
            "intents right where nothing was asked, %": _percent([right for alone, right in of if alone]),
        }
        for who, of in hits.items()
    }


def _percent(right: Sequence[bool]) -> float:
    return 100 * sum(right) / len(right)
