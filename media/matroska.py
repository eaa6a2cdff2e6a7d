"""WebM as bytes (EBML, RFC 8794; Matroska, RFC 9559): clusters of encoded frames, and the header of a file of them.

A cluster is written once and never touched again. The header is made when the length of every cluster is known, so
that it can hold the duration and, before the first cluster, the cues: whoever plays by ranges can seek at once.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

PICTURE, VOICE = 1, 2
"""Track numbers: VP8 and Opus."""

CLUSTER = 0x1F43B675
"""The identifier with which every cluster begins."""

LONGEST_CLUSTER_MS = 32_767
"""A block says its time as 16 bits, counted from its cluster's (RFC 9559, 10.2)."""

_EBML, _EBML_VERSION, _EBML_READ_VERSION = 0x1A45DFA3, 0x4286, 0x42F7
_EBML_MAX_ID, _EBML_MAX_SIZE = 0x42F2, 0x42F3
_DOC_TYPE, _DOC_TYPE_VERSION, _DOC_TYPE_READ_VERSION = 0x4282, 0x4287, 0x4285
_SEGMENT, _INFO, _TIMESTAMP_SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_MUXING_APP, _WRITING_APP = 0x4D80, 0x5741
_TRACKS, _TRACK_ENTRY, _TRACK_NUMBER, _TRACK_UID, _TRACK_TYPE = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83
_FLAG_LACING, _CODEC_ID, _CODEC_PRIVATE, _SEEK_PRE_ROLL = 0x9C, 0x86, 0x63A2, 0x56BB
_VIDEO, _PIXEL_WIDTH, _PIXEL_HEIGHT = 0xE0, 0xB0, 0xBA
_AUDIO, _SAMPLING_FREQUENCY, _CHANNELS = 0xE1, 0xB5, 0x9F
_CUES, _CUE_POINT, _CUE_TIME, _CUE_POSITIONS, _CUE_TRACK, _CUE_CLUSTER = 0x1C53BB6B, 0xBB, 0xB3, 0xB7, 0xF7, 0xF1
_CLUSTER_TIMESTAMP, _SIMPLE_BLOCK = 0xE7, 0xA3

_APPLICATION = "qiaoyi"
_OPUS_PRE_ROLL_NS = 80_000_000  # RFC 7845, 4.6: what a decoder needs before its sound is right
_OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)  # RFC 7845, 5.1


class Block(NamedTuple):
    """One encoded frame: its track, its time in milliseconds from the beginning of the file, its bytes."""

    track: int
    at: int
    keyframe: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Chapter:
    """One cluster as the header must know it: its time in milliseconds, its length in octets, and whether a picture
    can be shown from its beginning."""

    at: int
    size: int
    seekable: bool


def identifier(number: int) -> bytes:
    """An element's identifier, which carries its length in itself (RFC 8794, 5)."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def data_size(size: int, octets: int = 0) -> bytes:
    """How many octets of data follow, as a variable-size integer (RFC 8794, 4 and 6).

    ``octets`` fixes the width, 0 takes the least. Raises ``ValueError`` where it does not fit; all ones would mean
    "unknown", so that value takes the next width.
    """
    least = max(1, math.ceil((size + 1).bit_length() / 7))
    if size < 0 or least > 8 or 0 < octets < least:
        raise ValueError(f"a size of {size} does not fit")
    width = octets or least
    return (1 << 7 * width | size).to_bytes(width)


def element(number: int, data: bytes) -> bytes:
    """One element."""
    return identifier(number) + data_size(len(data)) + data


def cluster(blocks: Sequence[Block]) -> bytes:
    """A cluster of ``blocks``, which span at most ``LONGEST_CLUSTER_MS``; each begins with their earliest time.

    Raises ``ValueError`` for none, or for blocks that are too far apart.
    """
    begins = min(block.at for block in blocks)
    parts = [_unsigned(_CLUSTER_TIMESTAMP, begins)]
    for block in blocks:
        if block.at - begins > LONGEST_CLUSTER_MS:
            raise ValueError("the blocks are too far apart for one cluster")
        # RFC 9559, 10.2: track number as a variable-size integer, time, flags (the first bit says "key frame")
        head = struct.pack("!BhB", 0x80 | block.track, block.at - begins, 0x80 if block.keyframe else 0)
        parts += [identifier(_SIMPLE_BLOCK), data_size(len(head) + len(block.data)), head, block.data]
    return element(CLUSTER, b"".join(parts))


def header(chapters: Sequence[Chapter], duration: int, picture: tuple[int, int] | None, voice: bool) -> bytes:
    """What comes before the clusters, so that together they are a file.

    ``duration`` in milliseconds, ``picture`` its width and height in pixels where there is one.
    """
    tracks = ([_picture_track(*picture)] if picture is not None else []) + ([_voice_track()] if voice else [])
    info = element(
        _INFO,
        _unsigned(_TIMESTAMP_SCALE, 1_000_000)
        + element(_DURATION, struct.pack("!d", duration))
        + element(_MUXING_APP, _APPLICATION.encode())
        + element(_WRITING_APP, _APPLICATION.encode()),
    )
    front = info + element(_TRACKS, b"".join(tracks))
    track = PICTURE if picture is not None else VOICE
    # The positions count from the segment's data, so behind the cues, whose length does not depend on them.
    cues_length = len(_cues(chapters, track, 0))
    body = front + _cues(chapters, track, len(front) + cues_length)
    size = len(body) + sum(chapter.size for chapter in chapters)
    return _EBML_HEADER + identifier(_SEGMENT) + data_size(size, 8) + body


def _unsigned(number: int, value: int, octets: int = 0) -> bytes:
    return element(number, value.to_bytes(octets or max(1, (value.bit_length() + 7) // 8)))


_EBML_HEADER = element(
    _EBML,
    _unsigned(_EBML_VERSION, 1)
    + _unsigned(_EBML_READ_VERSION, 1)
    + _unsigned(_EBML_MAX_ID, 4)
    + _unsigned(_EBML_MAX_SIZE, 8)
    + element(_DOC_TYPE, b"webm")
    + _unsigned(_DOC_TYPE_VERSION, 4)
    + _unsigned(_DOC_TYPE_READ_VERSION, 2),
)


def _track(number: int, kind: int, codec: bytes, more: bytes) -> bytes:
    return element(
        _TRACK_ENTRY,
        _unsigned(_TRACK_NUMBER, number)
        + _unsigned(_TRACK_UID, number)
        + _unsigned(_TRACK_TYPE, kind)
        + _unsigned(_FLAG_LACING, 0)
        + element(_CODEC_ID, codec)
        + more,
    )


def _picture_track(width: int, height: int) -> bytes:
    shape = element(_VIDEO, _unsigned(_PIXEL_WIDTH, width) + _unsigned(_PIXEL_HEIGHT, height))
    return _track(PICTURE, 1, b"V_VP8", shape)


def _voice_track() -> bytes:
    sound = element(_AUDIO, element(_SAMPLING_FREQUENCY, struct.pack("!d", 48_000)) + _unsigned(_CHANNELS, 2))
    private = element(_CODEC_PRIVATE, _OPUS_HEAD) + _unsigned(_SEEK_PRE_ROLL, _OPUS_PRE_ROLL_NS)
    return _track(VOICE, 2, b"A_OPUS", private + sound)


def _cues(chapters: Iterable[Chapter], track: int, first: int) -> bytes:
    """Where to go on from a time; the first cluster begins at ``first``. Positions are of one width."""
    points, position = [], first
    for chapter in chapters:
        if chapter.seekable:
            where = _unsigned(_CUE_TRACK, track) + _unsigned(_CUE_CLUSTER, position, 8)
            points.append(element(_CUE_POINT, _unsigned(_CUE_TIME, chapter.at) + element(_CUE_POSITIONS, where)))
        position += chapter.size
    return element(_CUES, b"".join(points))
