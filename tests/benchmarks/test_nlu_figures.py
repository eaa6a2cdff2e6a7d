"""The command that prints every figure: it reads the scorer, finds our own measures, and hides nothing that failed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.nlu.__main__ import NotMeasured, main, measured, scored
from benchmarks.nlu.measures import MEASURES
from benchmarks.nlu.predict import task_names
from benchmarks.nlu.speed import Timing, sentences
from benchmarks.nlu.targets import TARGETS, Figure, figures
from nlu.types import Speaker

TASK = "cardiology_window"


def scorer(folder: Path, code: str) -> Path:
    path = folder / "score.py"
    path.write_text(code)
    return path


def test_what_the_scorer_prints_is_read_by_its_names(tmp_path: Path) -> None:
    says = scorer(
        tmp_path, 'print("x dev: 3 rows"); print(f"{\'item F1\':34s} {71.5:6.2f}"); print("item+status F1   9.00")'
    )
    assert scored(TASK, tmp_path, says) == {"item F1": 71.5, "item+status F1": 9.0}


def test_the_scorer_is_told_the_data_and_what_answers(tmp_path: Path) -> None:
    code = """
import sys
assert sys.argv[1:4] == ["cardiology_window", "--data", sys.argv[3]]
assert sys.argv[-3:] == ["-m", "benchmarks.nlu.predict", "cardiology_window"]
"""
    says = scorer(tmp_path, code)
    assert scored(TASK, tmp_path, says) == {}


def test_a_scorer_that_fails_is_told_with_its_last_line(tmp_path: Path) -> None:
    fails = scorer(tmp_path, "import sys; print('3 of 9 rows unanswered', file=sys.stderr); sys.exit(2)")
    with pytest.raises(NotMeasured, match="ended with 2: 3 of 9 rows unanswered"):
        measured(TASK, tmp_path, fails)


def test_what_cannot_be_measured_is_named_and_ends_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails = scorer(tmp_path, "raise SystemExit(2)")
    arguments = ["--data", str(tmp_path), "--scorer", str(fails), "--json", TASK]
    monkeypatch.setattr(sys, "argv", ["benchmarks.nlu", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["figures"], list(told["not measured"])) == ({}, [TASK])


def test_figures_stand_beside_their_baselines_and_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    says = scorer(tmp_path, 'print("item F1  71.50"); print("item+status F1  9.00"); print("other  1.00")')
    monkeypatch.setattr(sys, "argv", ["benchmarks.nlu", "--data", str(tmp_path), "--scorer", str(says), TASK])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    _, item, status, other = capsys.readouterr().out.splitlines()
    assert item.split()[-5:] == ["71.50", "17.5", "≥", "65", "reached"]
    assert status.endswith("not reached")
    assert other.split()[-3:] == ["1.00", "–", "–"]


@pytest.mark.parametrize(
    ("value", "target", "at_most", "reached"),
    [(3.0, 3.0, True, True), (3.1, 3.0, True, False), (3.0, 3.0, False, True), (2.9, 3.0, False, False)],
)
def test_a_target_is_the_least_or_the_most(value: float, target: float, at_most: bool, reached: bool) -> None:
    assert Figure("x", "y", value, target=target, at_most=at_most).reached is reached
    assert Figure("x", "y", value).reached is None


def test_a_figure_that_nobody_set_a_target_for_is_shown_all_the_same() -> None:
    [figure] = figures("never heard of", {"some, %": 1.0})
    assert (figure.value, figure.baseline, figure.target) == (1.0, None, None)


def test_every_figure_that_has_a_target_belongs_to_something_that_is_measured() -> None:
    assert TARGETS.keys() <= {*task_names(), *MEASURES}


def test_our_written_cases_are_measured_without_the_public_sets(tmp_path: Path) -> None:
    figures = MEASURES["intents"](tmp_path)
    assert 0 < figures["rules alone: accuracy, %"] < figures["accuracy, %"] <= 100


def test_sentences_come_with_what_was_said_before_and_without_blank_ones(tmp_path: Path) -> None:
    rows = [{"text": "没有", "context": ["患者：头疼", "医生：发烧吗"]}, {"text": " ", "context": []}]
    (tmp_path / "symptoms_dev.jsonl").write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8"
    )
    [(text, context)] = sentences(tmp_path, 10)
    assert text == "没有"
    assert [(said.speaker, said.text) for said in context.before] == [
        (Speaker.PATIENT, "头疼"),
        (Speaker.DOCTOR, "发烧吗"),
    ]


def test_timing_is_in_milliseconds_and_sentences_a_second() -> None:
    timing = Timing.of([0.001] * 99 + [0.101])
    assert timing.p50_ms == pytest.approx(1)
    assert timing.p99_ms > 50
    assert timing.per_second == pytest.approx(500)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.nlu", "--data", str(tmp_path), "no_such_task"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such measure: no_such_task" in done.stderr
