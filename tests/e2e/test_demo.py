"""`qiaoyi demo`: the story is whole, as often as it is played, and a missing step is told."""

import asyncio
import json
from typing import Any

from sandbox.client import SandboxClient
from tests.e2e.product import Product, free_port, qiaoyi

STEPS = [
    "join", "consent", "intake", "record", "institution", "task", "request", "offers",
    "booking", "payment", "refund", "rebooking", "supplement",
    "miniprogram", "reminders", "video", "thread", "opinion", "results", "settlement", "history",
    "history_summary", "prescription", "returned", "approved", "paper", "delivery", "refill", "red_flag",
]  # fmt: skip


def steps_of(story: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the steps of a story by their name, in their order."""
    return {step["name"]: step for step in story["steps"]}


def test_the_story_is_whole_twice_on_one_running_product_and_names_nobody_in_the_log(
    product: Product, played: dict[str, Any]
) -> None:
    steps = steps_of(played)
    assert list(steps) == STEPS
    assert all(step["ok"] and step["milliseconds"] > 0 for step in steps.values())
    assert played["ok"] is True
    transcript = product.demo()
    assert transcript.returncode == 0, transcript.stderr
    for shown in ("王秀英 ▸ 不是38.5度，是39度", "〔对，没问题〕", "为什么请您", "您是患者", "★★★★★"):
        assert shown in transcript.stdout

    log = product.log_file.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines
    assert all({"at", "level", "logger", "message"} <= line.keys() for line in lines)
    assert [line for line in lines if line["level"] in ("ERROR", "CRITICAL")] == []
    assert {openid for openid in asyncio.run(product.phones()) if openid in log} == set()


async def test_a_step_that_is_missing_ends_the_story_and_fails(product: Product) -> None:
    async with SandboxClient(product.sandbox_url) as sandbox, sandbox.faulty(path="callback", kind="bad_signature"):
        told = product.demo("--json", "--patience", "5")
    assert told.returncode == 1
    steps = steps_of(json.loads(told.stdout))
    assert [(name, step["ok"]) for name, step in steps.items()] == [("join", True), ("consent", False)]
    assert "您同意吗" in told.stderr


def test_without_a_running_product_the_demo_says_so() -> None:
    played = qiaoyi("demo", "--json", "--sandbox", f"http://127.0.0.1:{free_port()}")
    assert played.returncode == 1
    assert not json.loads(played.stdout)["ok"]
    assert "is `make run` running?" in played.stderr
    assert "Traceback" not in played.stderr
