"""What is done by rule about a difference: each rule is one that can be, and stands there once."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.reconciliation import FOLDER, load_rules, rules_for


def written(folder: Path, **changes: Any) -> Path:
    rules = json.loads((FOLDER / "rules.json").read_text(encoding="utf-8"))
    path = folder / "rules.json"
    path.write_text(json.dumps([*rules, {**rules[0], **changes}]), encoding="utf-8")
    return path


def test_what_the_bill_has_and_we_have_not_is_looked_for_before_it_is_fetched() -> None:
    assert [rule.when for rule in rules_for("payment", "missing_here")] == ["posted_other_day", "fetched"]


def test_no_rule_corrects_an_amount() -> None:
    for book in ("payment", "insurer"):
        for kind in ("amount", "state", "duplicate", "totals"):
            assert rules_for(book, kind) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {},  # twice
        {"kind": "amount"},
        {"when": "known_there"},
        {"when": "fetched"},
        {"book": "insurer", "when": "fetched", "outcome": "repaired"},
        {"when": "guessed"},
        {"outcome": "for_a_person"},
        {"says": ""},
    ],
)
def test_a_rule_that_cannot_be_is_told(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        load_rules(written(tmp_path, **changes))
