"""Identifiers that sort by the time they were made, so that indexes grow at one end."""

import secrets
import time


def new_id() -> str:
    """Give a fresh identifier: 32 hexadecimal digits laid out as a version-7 UUID (RFC 9562, section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    random_a = secrets.randbits(12)
    random_b = secrets.randbits(62)
    return f"{(milliseconds << 80) | (0x7 << 76) | (random_a << 64) | (0b10 << 62) | random_b:032x}"
