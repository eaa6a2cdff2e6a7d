"""What docs/security.md names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_module_that_answers_a_threat_exists() -> None:
    rooms = "backend|bot|miniprogram_api|qiaoyi|media|nlu|deploy|web"
    named = set(re.findall(rf"`((?:{rooms})/[\w/.-]*)`", PAGE))
    assert len(named) > 30
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
