"""A made-up picture for the story: a grey plate that stands for a chest film. Nobody's body is on it."""

import struct
import zlib

_WIDTH, _HEIGHT = 240, 280


def film() -> bytes:
    """Give the picture as PNG (ISO/IEC 15948): two bright fields on a dark ground."""
    rows = b"".join(b"\x00" + bytes(_shade(x, y) for x in range(_WIDTH)) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _shade(x: int, y: int) -> int:
    fields = ((70, 140), (170, 140))
    inside = any(((x - cx) / 42) ** 2 + ((y - cy) / 95) ** 2 < 1 for cx, cy in fields)
    spot = ((x - 66) / 20) ** 2 + ((y - 190) / 16) ** 2 < 1
    return 150 if spot and inside else 60 if inside else 190


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
