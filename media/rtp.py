"""RTP packets as bytes (RFC 3550, RFC 8285, RFC 4588): what forwarding reads of them and rewrites in them.

Nothing here makes an object of a packet: a forwarded packet costs a few slices, which is what lets one core carry
many rooms.
"""

import struct
from typing import NamedTuple

HEADER = 12
"""Octets of the fixed header (RFC 3550, 5.1)."""

_FIXED = struct.Struct("!BBHII")
_AFTER_FIRST = struct.Struct("!BHII")
_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_MASK = 0xFFF0
_TWO_BYTE_PROFILE = 0x1000


class Header(NamedTuple):
    """The fixed header of a packet, and where its payload begins."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload_at: int


class MalformedPacketError(ValueError):
    """What arrived is no RTP packet."""


def read_header(packet: bytes) -> Header:
    """The header of ``packet``; raises ``MalformedPacketError`` where it is cut short or of another version."""
    if len(packet) < HEADER:
        raise MalformedPacketError("shorter than a header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(packet)
    if first >> 6 != 2:
        raise MalformedPacketError("not version 2")
    payload_at = HEADER + 4 * (first & 0x0F)
    if first & 0x10:
        if len(packet) < payload_at + 4:
            raise MalformedPacketError("cut short in the header extension")
        payload_at += 4 + 4 * int.from_bytes(packet[payload_at + 2 : payload_at + 4])
    if len(packet) < payload_at:
        raise MalformedPacketError("cut short in the header")
    return Header(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, payload_at)


def readdressed(
    packet: bytes, header: Header, payload_type: int, sequence: int, timestamp: int, ssrc: int
) -> bytearray:
    """A copy of ``packet`` as another stream sends it."""
    copy = bytearray(packet)
    _AFTER_FIRST.pack_into(copy, 1, header.marker << 7 | payload_type, sequence, timestamp, ssrc)
    return copy


def extension_at(packet: bytes | bytearray, payload_at: int, identifier: int) -> tuple[int, int] | None:
    """Where the data of a header extension lie (offset, length), or ``None`` where the packet does not carry it."""
    first = packet[0]
    if not first & 0x10:
        return None
    position = HEADER + 4 * (first & 0x0F)
    profile = int.from_bytes(packet[position : position + 2])
    position += 4
    one_byte = profile == _ONE_BYTE_PROFILE
    if not one_byte and profile & _TWO_BYTE_MASK != _TWO_BYTE_PROFILE:
        return None
    while position < payload_at:
        octet = packet[position]
        if octet == 0:  # padding
            position += 1
            continue
        if one_byte:
            found, length, data_at = octet >> 4, (octet & 0x0F) + 1, position + 1
            if found == 15:
                return None
        elif position + 1 < payload_at:
            found, length, data_at = octet, packet[position + 1], position + 2
        else:
            return None
        if data_at + length > payload_at:
            return None
        if found == identifier:
            return data_at, length
        position = data_at + length
    return None


def send_time(now: float) -> bytes:
    """``abs-send-time`` for the moment ``now`` in seconds: 24 bits, 6.18 fixed point."""
    return (int(now * (1 << 18)) & 0xFFFFFF).to_bytes(3)


def wrapped_for_retransmission(
    packet: bytes | bytearray, payload_at: int, payload_type: int, sequence: int, ssrc: int
) -> bytes:
    """``packet`` on the retransmission stream (RFC 4588, 4): its own number goes before the payload."""
    wrapped = bytearray(packet[:payload_at])
    original = packet[2:4]
    marker = packet[1] & 0x80
    struct.pack_into("!BH", wrapped, 1, marker | payload_type, sequence)
    struct.pack_into("!I", wrapped, 8, ssrc)
    return bytes(wrapped + original + packet[payload_at:])


def unwrapped_retransmission(packet: bytes, header: Header, payload_type: int, ssrc: int) -> bytes | None:
    """The packet that a retransmission carries; ``None`` where it carries none (padding that only probes)."""
    if len(packet) < header.payload_at + 3:
        return None
    original = bytearray(packet[: header.payload_at])
    struct.pack_into("!B", original, 1, header.marker << 7 | payload_type)
    original[2:4] = packet[header.payload_at : header.payload_at + 2]
    struct.pack_into("!I", original, 8, ssrc)
    return bytes(original + packet[header.payload_at + 2 :])


def is_newer(sequence: int, than: int) -> bool:
    """Whether a sequence number comes after another, around the wrap at 65 536 (RFC 1982)."""
    return sequence != than and (sequence - than) & 0xFFFF < 0x8000


def starts_keyframe_vp8(packet: bytes | bytearray, payload_at: int) -> bool:
    """Whether this is the first packet of a VP8 key frame (RFC 7741, 4.2 and 4.3)."""
    if len(packet) <= payload_at:
        return False
    descriptor = packet[payload_at]
    if not descriptor & 0x10 or descriptor & 0x0F:  # not the start of partition 0
        return False
    position = payload_at + 1
    if descriptor & 0x80:
        extended = packet[position] if position < len(packet) else 0
        position += 1
        if extended & 0x80:
            position += 2 if position < len(packet) and packet[position] & 0x80 else 1
        position += bool(extended & 0x40) + bool(extended & 0x30)
    return position < len(packet) and not packet[position] & 0x01
