"""`qiaoyi run`: starting, starting again, two at once, ending; and what it leaves on the disk and in the log."""

import asyncio
import json
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qiaoyi.demo.picture import film
from tests.e2e.product import END_SECONDS, Product, free_port, qiaoyi

# What is said, heard and decided in the story; none of it may lie in clear in the log, the database or the file store.
SECRETS = (
    "王秀英", "李大山", "胸口有点闷", "不是38.5度", "都没有", "67岁", "硝苯地平", "高血压，吃", "黄痰",
    "咳嗽伴发热", "150/95", "湿啰音", "肺炎治疗7天", "社区获得性肺炎", "复查血常规", "右下肺斑片影",
    "今天还发烧吗", "今天不烧了", "血氧96", "嘴歪了", "demo-story-",
)  # fmt: skip


def spellings(secret: str) -> list[bytes]:
    """Give the byte strings that would be `secret` in clear: UTF-8, UTF-16, and escaped as JSON escapes."""
    escaped = json.dumps(secret)[1:-1]
    return [secret.encode(), secret.encode("utf-16-le"), escaped.encode(), escaped.upper().encode()]


def test_it_prints_where_everything_is_before_it_is_ready(product: Product) -> None:
    assert [line.split()[0] for line in product.said] == ["phones", "product", "data", "console", "ready"]
    assert product.said[0].split()[1] == product.said[-1].split()[1] == f"{product.sandbox_url}/"
    assert product.said[1].split()[1] == f"http://127.0.0.1:{product.port}"
    assert Path(product.said[2].split()[1]) == product.data
    assert product.said[3].split()[1] == f"http://127.0.0.1:{product.port}/console"
    assert f"--data {product.data} administrator NAME --port {product.port}" in product.said[3]


@pytest.mark.parametrize("taken", ["--port", "--sandbox-port"])
def test_a_taken_port_is_one_clear_line(tmp_path: Path, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ports = {"--port": str(free_port()), "--sandbox-port": str(free_port()), taken: str(port)}
        arguments = [word for pair in ports.items() for word in pair]
        started = qiaoyi("run", *arguments, "--data", str(tmp_path / "data"), timeout=END_SECONDS)
    told = [line for line in started.stderr.splitlines() if not line.startswith("{")]
    assert started.returncode in (1, 2)
    assert len(told) == 1, started.stderr
    assert told[0].startswith("qiaoyi: ")
    assert str(port) in told[0]
    assert not any(line.startswith("ready") for line in started.stdout.splitlines())


def test_a_played_story_is_kept_whole_and_nothing_clinical_lies_in_clear(tmp_path: Path, product: Product) -> None:
    """One test, for the story takes longer than what is looked at."""
    kept = Product(tmp_path / "data")
    with kept.running():
        assert kept.demo("--json").returncode == 0
        phones = asyncio.run(kept.phones())
        _verify_the_audit_log(kept)
    assert len(phones) > 40
    _verify_the_audit_log(kept)
    _find_nothing_in_clear(kept)
    _play_beside_another_copy(kept, phones, product)


def _verify_the_audit_log(product: Product) -> None:
    verified = qiaoyi("--data", str(product.data), "audit", "verify")
    assert verified.returncode == 0, verified.stdout
    counted = re.match(r"(\d+) entries, all as they were written", verified.stdout)
    assert counted is not None
    assert int(counted[1]) > 100


def _find_nothing_in_clear(product: Product) -> None:
    sandbox_state = product.data / "sandbox.json"  # the other side: WeChat itself knows what was said
    kept = {file: file.read_bytes() for file in product.data.rglob("*") if file.is_file() and file != sandbox_state}
    kept[product.log_file] = product.log_file.read_bytes()
    assert any(file.name.startswith("qiaoyi.db") for file in kept)
    assert any(file.parent.parent.name == "files" for file in kept), "the picture of the story is not in the file store"
    found = {
        (file.name, secret)
        for file, content in kept.items()
        for secret in SECRETS
        if any(spelling in content for spelling in spellings(secret))
    }
    assert found == set()
    pictures = [file.name for file, content in kept.items() if film()[:24] in content or film()[-64:] in content]
    assert pictures == []
    assert all(part in sandbox_state.read_text() for part in ("王秀英", "社区获得性肺炎"))  # it was said at all


def _play_beside_another_copy(product: Product, phones: dict[str, str], other: Product) -> None:
    """It starts again on its data with the same people, beside a copy that runs; each takes the story, and one signal
    ends it."""
    with product.running(by=signal.SIGINT), ThreadPoolExecutor(2) as pool:
        assert asyncio.run(product.phones()) == phones
        played = list(pool.map(lambda copy: copy.demo("--json"), (product, other)))
    assert [one.returncode for one in played] == [0, 0], [one.stderr for one in played]
