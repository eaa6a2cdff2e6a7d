"""A booking as an iCalendar file (RFC 5545), which every phone's calendar opens."""

from datetime import UTC, datetime

from backend.scheduling.views import BookingView

_LINE_OCTETS = 75
_ALARM_MINUTES = 60


def write(booking: BookingView, title: str, description: str = "", *, stamp: datetime) -> str:
    """Give the file's text; lines end in CRLF and are folded at 75 octets (section 3.1).

    The same booking moved keeps its UID and counts up its SEQUENCE, so that the calendar moves the entry it has.

    Args:
        title: what the entry is called; keep clinical text out of it, calendars are synchronised far and wide.
        stamp: when the file is written.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Qiaoyi//Remote consultation//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{booking.consultation_id}@qiaoyi",
        f"SEQUENCE:{booking.sequence}",
        f"DTSTAMP:{_utc(stamp)}",
        f"DTSTART:{_utc(booking.starts_at)}",
        f"DTEND:{_utc(booking.ends_at)}",
        f"SUMMARY:{_escape(title)}",
        *([f"DESCRIPTION:{_escape(description)}"] if description else []),
        "STATUS:CONFIRMED",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escape(title)}",
        f"TRIGGER:-PT{_ALARM_MINUTES}M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _fold(line: str) -> str:
    folded, width = [], 0
    for character in line:
        octets = len(character.encode())
        if width + octets > _LINE_OCTETS:
            folded.append("\r\n ")
            width = 1
        folded.append(character)
        width += octets
    return "".join(folded)
