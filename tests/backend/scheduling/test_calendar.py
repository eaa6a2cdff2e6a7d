"""The calendar file keeps to RFC 5545."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.scheduling import BookingState, BookingView
from backend.scheduling.calendar import write

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
BOOKING = BookingView("b", "s", "e", "c" * 32, "p", START, START + timedelta(minutes=30), BookingState.ACTIVE, 2, START)


def test_a_booking_becomes_an_event_with_its_times_and_an_alarm() -> None:
    lines = write(BOOKING, "远程会诊", "请提前10分钟, 打开微信", stamp=START).split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert f"UID:{'c' * 32}@qiaoyi" in lines
    assert "SEQUENCE:2" in lines
    assert "DTSTART:20261124T010000Z" in lines
    assert "DTEND:20261124T013000Z" in lines
    assert "SUMMARY:远程会诊" in lines
    assert "DESCRIPTION:请提前10分钟\\, 打开微信" in lines
    assert "TRIGGER:-PT60M" in lines


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200))
def test_no_line_is_longer_than_75_octets_and_unfolding_gives_the_text_back(title: str) -> None:
    written = write(BOOKING, title, stamp=START)
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))
    unfolded = written.replace("\r\n ", "")
    [summary] = [line for line in unfolded.split("\r\n") if line.startswith("SUMMARY:")]
    plain = summary.removeprefix("SUMMARY:").replace("\\\\", "\x00").replace("\\n", "\n")
    plain = plain.replace("\\,", ",").replace("\\;", ";").replace("\x00", "\\")
    assert plain == title.replace("\r\n", "\n").replace("\r", "\n")


def test_every_line_ends_in_crlf_and_alarm_and_event_are_nested() -> None:
    written = write(BOOKING, "远程会诊", "第一行\n第二行; 完", stamp=START)
    assert written.endswith("END:VCALENDAR\r\n")
    assert written.count("\n") == written.count("\r\n")
    lines = written.split("\r\n")
    order = ["BEGIN:VEVENT", "BEGIN:VALARM", "END:VALARM", "END:VEVENT"]
    assert [line for line in lines if line in order] == order
    assert "ACTION:DISPLAY" in lines
    assert "DESCRIPTION:第一行\\n第二行\\; 完" in lines


def test_a_title_cannot_break_out_of_its_line() -> None:
    written = write(BOOKING, "会诊\r\nATTENDEE:mailto:x@example.org", stamp=START)
    assert not any(line.startswith("ATTENDEE") for line in written.split("\r\n"))
