"""The shipped model gives the recorded figures, the same each time, and a damaged one is refused in one line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.learned_ranking import LONGEST_TEXT, MODEL, LearnedRanking, learned_ranking, ngram_counts
from nlu.models import FOLDER, ModelError

SAMPLE = json.loads((Path(__file__).parent / "data" / "learned_ranking_sample.json").read_text(encoding="utf-8"))
"""Cases and sentences written for this test, with the diseases that count as right, and how many are."""


def _first(probabilities: dict[str, float]) -> str:
    return max(probabilities, key=lambda name: probabilities[name])


def test_the_findings_of_the_sample_are_ranked_as_recorded() -> None:
    model = learned_ranking()
    right = [_first(model.by_findings(row["told"], row["complaint"])) in row["diseases"] for row in SAMPLE["findings"]]
    assert sum(right) == SAMPLE["right"]["findings"]


def test_the_words_of_the_sample_are_ranked_as_recorded() -> None:
    right = [_first(learned_ranking().by_text(row["text"])) in row["diseases"] for row in SAMPLE["words"]]
    assert sum(right) == SAMPLE["right"]["words"]


def test_two_of_the_model_say_exactly_the_same() -> None:
    one, other = LearnedRanking(), LearnedRanking()
    for row in SAMPLE["findings"]:
        assert one.by_findings(row["told"], ()) == other.by_findings(row["told"], ())
    for row in SAMPLE["words"]:
        assert one.by_text(row["text"]) == other.by_text(row["text"])


def test_the_model_states_how_it_fared_on_cases_that_it_had_not_seen() -> None:
    described = json.loads((FOLDER / f"{MODEL}.json").read_text(encoding="utf-8"))
    for part, cases in (("findings", 3610), ("words", 1192)):
        fared = described["unseen"][part]
        assert sum(one["cases"] for one in fared["bins"]) == cases
        assert 0.6 < fared["accuracy"] < 0.8
        assert fared["calibration_error"] < 0.08


def test_the_files_keep_within_their_budget() -> None:
    assert sum((FOLDER / f"{MODEL}.{ending}").stat().st_size for ending in ("onnx", "json", "md")) < 4 * 1024 * 1024


@settings(max_examples=60)
@given(
    told=st.dictionaries(st.text(max_size=8), st.sampled_from(["positive", "negative", "unknown", ""]), max_size=20),
    text=st.text(max_size=400),
)
def test_anything_gives_probabilities(told: dict[str, str], text: str) -> None:
    for probabilities in (learned_ranking().by_findings(told, list(told)[:2]), learned_ranking().by_text(text)):
        assert all(0 <= share <= 1 for share in probabilities.values())
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-4)


def test_of_an_endless_text_only_the_beginning_is_read() -> None:
    assert ngram_counts("咳" * LONGEST_TEXT + "烧") == ngram_counts("咳" * LONGEST_TEXT)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for ending in ("onnx", "json"):
        shutil.copyfile(FOLDER / f"{MODEL}.{ending}", tmp_path / f"{MODEL}.{ending}")
    return tmp_path


def test_an_untouched_copy_is_taken(copied: Path) -> None:
    assert LearnedRanking(copied).by_text("咳嗽") == learned_ranking().by_text("咳嗽")


def test_a_torn_graph_is_refused(copied: Path) -> None:
    path = copied / f"{MODEL}.onnx"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"differential\.onnx: the model file is damaged"):
        LearnedRanking(copied)


@pytest.mark.parametrize(
    "change",
    [
        lambda described: described.pop("features"),
        lambda described: described["complaints"].pop(),
        lambda described: described["texts"].append("没有的病"),
        lambda described: described["ngrams"].extend(["㐀㐁", "㐁㐂"]),
        lambda described: described["text_mix"].pop(),
    ],
    ids=["no features", "a label too few", "a label too many", "more n-grams than weights", "shares do not fit"],
)
def test_a_description_that_does_not_fit_is_refused(copied: Path, change: Any) -> None:
    path = copied / f"{MODEL}.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    change(described)
    path.write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(ModelError, match=r"differential\.json: does not fit its model"):
        LearnedRanking(copied)
