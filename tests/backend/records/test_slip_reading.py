"""Slips as words on a photograph: layouts, units, slips of the reader's eye, and papers that are no slips."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.records.slips.cells import tokens_of
from backend.records.slips.lines import Cell, Word, lines_of, turned
from backend.records.slips.reading import Doubt, SlipReading, best_turn, read_slip
from tests.support.slips import BLOOD_SLIP, CHEMISTRY_SLIP, LETTER, SIDE_BY_SIDE_SLIP, URINE_SLIP, Paper

TODAY = date(2026, 11, 22)


def words_of(paper: Paper, tilt: float = 0.0) -> list[Word]:
    """Give the words of a slip where they are printed, the photograph tilted by degrees."""
    table = [row for row in (paper.heads, *paper.rows) if row]
    rows = [((50,), (paper.title,)), ((50,), (paper.head,)), *((paper.columns, row) for row in table)]
    return [
        word(text, x, 100 + number * 62, tilt=tilt)
        for number, (places, row) in enumerate([*rows, ((50,), (paper.foot,))])
        for x, text in zip(places, row, strict=True)
        if text
    ]


def word(text: str, x: float, y: float, score: float = 0.99, tilt: float = 0.0) -> Word:
    """Give a word that is printed at a place."""
    width, height = max(20.0, len(text) * 22.0), 32.0
    turn = math.radians(tilt)
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    first, second, third, fourth = (
        (a * math.cos(turn) - b * math.sin(turn), a * math.sin(turn) + b * math.cos(turn)) for a, b in corners
    )
    return Word(text, (first, second, third, fourth), score)


def line(*texts: str) -> list[Word]:
    """Give words side by side."""
    return [word(text, number * 300, 0) for number, text in enumerate(texts)]


def values(reading: SlipReading) -> dict[str, str]:
    return {row.kind: row.value for row in reading.rows}


def test_a_blood_count_is_read() -> None:
    reading = read_slip(words_of(BLOOD_SLIP), TODAY)
    assert values(reading) == {
        "wbc": "11.2",
        "rbc": "4.35",
        "haemoglobin": "108",
        "platelets": "256",
        "neutrophils_percent": "78.4",
        "crp": "35.6",
    }
    assert (reading.name, reading.taken_on, reading.is_slip) == ("张秀英", date(2026, 11, 20), True)
    assert {row.reference for row in reading.rows} >= {"3.5-9.5", "115-150"}
    assert not any(row.doubt for row in reading.rows)


def test_other_units_are_converted_and_so_are_their_ranges() -> None:
    rows = {row.kind: row for row in read_slip(words_of(CHEMISTRY_SLIP), TODAY).rows}
    assert (rows["creatinine"].value, rows["creatinine"].reference) == ("97.24", "53.04-97.24")
    assert (rows["bilirubin_total"].value, rows["bilirubin_total"].reference) == ("20.52", "≤25.65")
    assert rows["creatinine"].printed == "1.1 mg/dL"


def test_urine_is_urine_although_its_names_are_those_of_blood() -> None:
    assert values(read_slip(words_of(URINE_SLIP), TODAY)) == {
        "urine_protein": "2+",
        "urine_glucose": "阴性",
        "urine_blood": "±",
        "urine_leukocytes": "阴性",
        "urine_gravity": "1.02",
    }


def test_two_columns_side_by_side_are_read_both() -> None:
    assert len(read_slip(words_of(SIDE_BY_SIDE_SLIP), TODAY).rows) == 6


@pytest.mark.parametrize("tilt", [-6, -2, 3, 7])
def test_a_tilted_photograph_is_read_as_the_straight_one(tilt: float) -> None:
    assert values(read_slip(words_of(BLOOD_SLIP, tilt), TODAY)) == values(read_slip(words_of(BLOOD_SLIP), TODAY))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_slip_that_lies_on_its_side_is_turned(quarters: int) -> None:
    lying = turned(words_of(CHEMISTRY_SLIP), quarters)
    assert (best_turn(lying) + quarters) % 4 == 0


def test_a_letter_is_no_slip() -> None:
    reading = read_slip(words_of(LETTER), TODAY)
    assert (reading.rows, reading.is_slip) == ((), False)
    assert read_slip([], TODAY).is_slip is False


@pytest.mark.parametrize(
    ("texts", "row"),
    [
        (("白细胞计数(WBC)", "11.20↑", "10^9/L", "3.5-9.5"), ("wbc", "11.2", None)),
        (("*血红蛋白", "13.5", "g/dL"), ("haemoglobin", "135", None)),
        (("3、血小板", "256"), ("platelets", "256", None)),
        (("WBC白细胞计数", "6.2"), ("wbc", "6.2", None)),
        (("血小板计数256", "10^9/L"), ("platelets", "256", None)),
        (("葡萄糖", "6.9mmol/L", "3.9-6.1"), ("glucose", "6.9", None)),
        (("PCT", "0.25", "%"), ("plateletcrit", "0.25", None)),
        (("PCT", "0.25", "ng/mL"), ("procalcitonin", "0.25", None)),
        (("血红蛋白", "l08", "g/L"), ("haemoglobin", "108", None)),
        (("钾", "4，10", "mmol/L"), ("potassium", "4.1", None)),
        (("C反应蛋白", "<0.5", "mg/L", "0-10"), ("crp", "", Doubt.BOUND)),
        (("白细胞", "1120", "10^9/L", "3.5-9.5"), ("wbc", "", Doubt.IMPOSSIBLE)),
        (("白细胞", "112", "10^9/L", "3.5-9.5"), ("wbc", "112", Doubt.UNSURE)),
        (("葡萄糖", "6.9", "g/L"), ("glucose", "", Doubt.UNIT)),
        (("肌酐", "1.1"), ("creatinine", "", Doubt.IMPOSSIBLE)),
    ],
)
def test_a_row_is_read_however_it_is_printed(texts: tuple[str, ...], row: tuple[str, str, Doubt | None]) -> None:
    [read] = read_slip(line(*texts), TODAY).rows
    assert (read.kind, read.value, read.doubt) == row


def test_what_was_read_badly_has_to_be_looked_at() -> None:
    [row] = read_slip([word("血红蛋白", 0, 0), word("108", 300, 0, score=0.5)], TODAY).rows
    assert (row.value, row.doubt) == ("108", Doubt.UNSURE)


def test_a_row_of_something_unknown_is_counted_and_not_kept() -> None:
    reading = read_slip(line("抗核抗体谱", "12.3", "0-20"), TODAY)
    assert (reading.rows, reading.unknown) == ((), 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("采集时间：2026-11-20 08:12 报告时间：2026-11-21", date(2026, 11, 20)),
        ("报告时间：2026年11月21日 采样日期2026/11/19", date(2026, 11, 19)),
        ("打印日期 2026.11.18", date(2026, 11, 18)),
        ("有效期至2030-01-01", None),
        ("2026-13-40", None),
    ],
)
def test_the_day_is_the_one_on_which_it_was_taken(text: str, day: date | None) -> None:
    assert read_slip([word(text, 0, 0)], TODAY).taken_on == day


@given(st.lists(st.tuples(st.text(max_size=12), st.floats(-500, 2000), st.floats(-500, 2000)), max_size=30))
def test_no_photograph_whatever_breaks_the_reading(given_: list[tuple[str, float, float]]) -> None:
    words = [word(text, x, y) for text, x, y in given_]
    reading = read_slip(words, TODAY)
    assert all(row.value or row.doubt for row in reading.rows)
    assert best_turn(words) in range(4)
    assert sum(map(len, lines_of(words))) == len(words)


@given(st.text(max_size=30))
def test_a_cell_is_never_lost_in_pieces_that_are_not_there(text: str) -> None:
    for token in tokens_of(Cell(text, 0.0, 1.0)):
        assert token.text or not text.strip()
