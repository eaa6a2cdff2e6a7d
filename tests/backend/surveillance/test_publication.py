"""What is published hides every small number, also from somebody who knows the rule and adds and subtracts."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.surveillance.publication import SMALL, SMALLEST, Published, publish, total

_COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=8).map(
    lambda counts: {f"area {number}": count for number, count in enumerate(counts)}
)
_HIDDEN_AT_MOST = 5


@settings(max_examples=60)
@given(_COUNTS)
def test_each_hidden_number_has_two_possible_values_at_least(counts: dict[str, int]) -> None:
    areas, whole = publish(counts)
    hidden = [area for area, one in areas.items() if one == SMALL][:_HIDDEN_AT_MOST]
    # All the tables that differ in these alone: whoever knows as much as all other areas still cannot tell.
    others = {
        tuple(values)
        for values in product(range(1, SMALLEST), repeat=len(hidden))
        if publish(counts | dict(zip(hidden, values, strict=True))) == (areas, whole)
    }
    for place, area in enumerate(hidden):
        assert len({values[place] for values in others}) > 1, (area, counts, str(whole))


@settings(max_examples=60)
@given(_COUNTS)
def test_a_whole_that_is_small_cannot_be_told_either(counts: dict[str, int]) -> None:
    whole = sum(counts.values())
    shown = publish(counts)[1]
    assert shown.low <= whole <= shown.high
    if 0 < whole < SMALLEST:
        hidden = [area for area, count in counts.items() if count]
        possible = {
            sum(values)
            for values in product(range(1, SMALLEST), repeat=len(hidden))
            if publish(counts | dict(zip(hidden, values, strict=True)))[1] == shown
        }
        assert len(possible) > 1


@given(_COUNTS)
def test_what_is_published_is_true_and_large_numbers_and_zeros_are_exact(counts: dict[str, int]) -> None:
    for area, one in publish(counts)[0].items():
        assert one.low <= counts[area] <= one.high
        assert (one.low == one.high) == (counts[area] == 0 or counts[area] >= SMALLEST)


def test_the_difference_of_two_spans_tells_no_more_than_the_day_between_them() -> None:
    days = [publish({"甲": count, "乙": 7})[0]["甲"] for count in (12, 3, 0, 8)]
    longer, shorter = total(days), total([days[0], days[2], days[3]])
    assert (longer.low - shorter.low, longer.high - shorter.high) == (SMALL.low, SMALL.high)


def test_published_numbers_are_said_in_a_few_marks() -> None:
    said = [str(one) for one in (Published(0, 0), Published(12, 12), SMALL, Published(13, 16))]
    assert said == ["0", "12", "<5", "13~16"]


def test_a_single_small_area_makes_the_whole_a_range() -> None:
    areas, whole = publish({"甲": 1, "乙": 30})
    assert (str(areas["甲"]), str(areas["乙"]), str(whole)) == ("<5", "30", "31~34")
    assert str(publish({"甲": 1, "乙": 3, "丙": 30})[1]) == "34"
