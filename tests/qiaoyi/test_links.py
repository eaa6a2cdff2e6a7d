"""Addresses in cards are signed for one thing and one time."""

from datetime import UTC, datetime, timedelta

from backend.clock import Clock
from backend.scheduling import BookingState, BookingView
from backend.security.keyring import KeyRing
from qiaoyi.links import PublicLinks, calendar_tokens, copy_tokens, invoice_tokens

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
BOOKING = BookingView("b", "s", "e", "c" * 32, "p", START, START + timedelta(minutes=30), BookingState.ACTIVE, 2, START)


def token_of(address: str) -> str:
    return address.rpartition("/")[2].removesuffix(".ics")


def links(ring: KeyRing, clock: Clock) -> PublicLinks:
    """The links of an installation."""
    minted = calendar_tokens(ring, clock), copy_tokens(ring, clock), invoice_tokens(ring, clock)
    return PublicLinks("https://q.example", *minted)


def test_a_link_opens_its_consultation_in_every_process_with_the_same_keys(key_ring: KeyRing, clock: Clock) -> None:
    address = links(key_ring, clock).calendar(BOOKING)
    assert address.startswith("https://q.example/h5/bookings/")
    assert calendar_tokens(key_ring, clock).read(token_of(address)) == "c" * 32


def test_another_installation_and_another_time_open_nothing(key_ring: KeyRing, clock: Clock) -> None:
    address = links(key_ring, clock).calendar(BOOKING)
    other = KeyRing({1: bytes(32)}, bytes(32))
    assert calendar_tokens(other, clock).read(token_of(address)) is None
    clock.advance(timedelta(days=60, seconds=1))
    assert calendar_tokens(key_ring, clock).read(token_of(address)) is None
