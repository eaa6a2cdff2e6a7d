"""What a client writes behind the question mark: dates, codes and references, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LOCAL_ZONE
from backend.errors import InvalidInput
from backend.fhir.searching import ParameterType, Prefix, SearchParameter, Token
from backend.records.facade.parameters import MOST_COUNT, SearchRequest, read_moment, understand

KNOWN = {
    "code": SearchParameter("code", ParameterType.TOKEN, ""),
    "date": SearchParameter("date", ParameterType.DATE, ""),
    "patient": SearchParameter("patient", ParameterType.REFERENCE, "", target="Patient"),
}
BASE = "https://qiaoyi.example/fhir/R4"


def values(name: str, raw: str) -> tuple[object, ...]:
    """Read one parameter."""
    understood = understand(SearchRequest("Observation", ((name, raw),)), KNOWN, ["date"], BASE)
    return understood.search.criteria[0].values


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2026", "2026-01-01T00:00:00+08:00", timedelta(days=365)),
        ("2024-02", "2024-02-01T00:00:00+08:00", timedelta(days=29)),
        ("2026-12", "2026-12-01T00:00:00+08:00", timedelta(days=31)),
        ("2026-11-20", "2026-11-20T00:00:00+08:00", timedelta(days=1)),
        ("2026-11-20T10:15", "2026-11-20T10:15:00+08:00", timedelta(minutes=1)),
        ("2026-11-20T10:15Z", "2026-11-20T10:15:00+00:00", timedelta(minutes=1)),
        ("2026-11-20T10:15:30-05:00", "2026-11-20T10:15:30-05:00", timedelta(seconds=1)),
        ("2026-11-20T10:15:30 08:00", "2026-11-20T10:15:30+08:00", timedelta(seconds=1)),
        ("2026-11-20T10:15:30.25+08:00", "2026-11-20T10:15:30.250000+08:00", timedelta(milliseconds=10)),
        ("2026-11-20T10:15:30.123456789+08:00", "2026-11-20T10:15:30.123456+08:00", timedelta(microseconds=1)),
    ],
)
def test_a_date_stands_for_as_long_as_it_is_written(text: str, start: str, length: timedelta) -> None:
    moment = read_moment(f"ge{text}", "date")
    assert moment.prefix is Prefix.GREATER_OR_EQUAL
    assert moment.start == datetime.fromisoformat(start)
    assert moment.end - moment.start == length


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-02-30", "9999", "0000", "2026-1-1", "20261120", "2026-11-20T25:00"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_moment(text, "date")


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001  # a wall clock in China
def test_a_moment_lies_in_what_it_is_written_as(moment: datetime) -> None:
    here = moment.replace(tzinfo=LOCAL_ZONE)
    for text in (f"{here:%Y-%m-%d}", f"{here:%Y-%m}", f"{here:%Y}", here.astimezone(UTC).isoformat()):
        read = read_moment(text, "date")
        assert read.start <= here < read.end


def test_codes_have_a_system_or_none() -> None:
    read = values("code", r"http://loinc.org|8480-6,8462-4,|a\,b")
    assert read == (Token("http://loinc.org", "8480-6"), Token(None, "8462-4"), Token("", "a,b"))


@pytest.mark.parametrize("raw", ["Patient/1", "1", f"{BASE}/Patient/1"])
def test_a_reference_is_written_in_three_ways(raw: str) -> None:
    assert values("patient", raw) == ("1",)


@pytest.mark.parametrize("raw", ["Practitioner/1", "https://elsewhere.example/Patient/1", "Patient/../1", "Patient/"])
def test_a_reference_to_something_else_is_refused(raw: str) -> None:
    with pytest.raises(InvalidInput):
        values("patient", raw)


def test_a_page_is_bounded() -> None:
    understood = understand(SearchRequest("Observation", (("_count", "100000"),)), KNOWN, ["date"], BASE)
    assert understood.search.count == MOST_COUNT
