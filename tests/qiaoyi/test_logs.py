"""Log lines are JSON and hold nothing that a person wrote."""

import json
import logging
from collections.abc import Iterator

import pytest

from qiaoyi.logs import set_up

SENTENCE = "王秀英说她胸口疼"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Logging as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("INFO")
    logging.getLogger("bot.test").info("sent: code=%d\nnext", 0)
    [line] = lines(capsys)
    assert (line["level"], line["logger"], line["message"]) == ("INFO", "bot.test", "sent: code=0\nnext")
    assert str(line["at"]).endswith("+00:00")


def test_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("WARNING")
    logging.getLogger("bot.test").info("nothing")
    assert lines(capsys) == []


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_addresses_of_the_pages_of_a_room_are_left_out(capsys: pytest.CaptureFixture[str], level: str) -> None:
    set_up(level)
    logging.getLogger("aioice.ice").info("Check %s", "198.51.100.23:50000")
    assert lines(capsys) == []


def test_of_an_exception_type_and_places_are_kept_and_its_sentence_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("INFO")
    try:
        try:
            raise ValueError(SENTENCE)
        except ValueError as cause:
            raise RuntimeError(SENTENCE) from cause
    except RuntimeError:
        logging.getLogger("bot.test").exception("turn failed")
    written = capsys.readouterr().err
    assert SENTENCE not in written
    line = json.loads(written)
    assert (line["error"], line["caused_by"]) == ("RuntimeError", ["ValueError"])
    assert any("test_logs.py" in place for place in line["places"])


def test_exceptions_in_a_group_keep_their_sentences_to_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("INFO")
    try:
        raise ExceptionGroup(SENTENCE, [ValueError(SENTENCE)])
    except ExceptionGroup:
        logging.getLogger("bot.test").exception("loop failed")
    written = capsys.readouterr().err
    assert SENTENCE not in written
    assert json.loads(written)["error"] == "ExceptionGroup"
