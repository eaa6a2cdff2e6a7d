"""The parts of a multipart body are the same however the network cuts it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.imaging.multipart import Malformed, Parts

BOUNDARY = "a-boundary"
HEAD = b"Content-Type: application/dicom\r\n\r\n"


def body_of(*contents: bytes, head: bytes = HEAD) -> bytes:
    parts = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + head + content + b"\r\n" for content in contents)
    return parts + b"--" + BOUNDARY.encode() + b"--\r\n"


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({min(place, len(body)) for place in places} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


async def parts_of(pieces: Sequence[bytes], boundary: str = BOUNDARY) -> list[tuple[str, bytes]]:
    left = list(pieces)

    async def read() -> bytes:
        return left.pop(0) if left else b""

    parts = Parts(read, boundary)
    found = []
    while (media_type := await parts.next()) is not None:
        content = []
        while piece := await parts.piece():
            content.append(piece)
        found.append((media_type, b"".join(content)))
    assert not left, "what comes behind the parts was not read"
    return found


# What looks like a delimiter and is none has to pass.
CONTENT = st.lists(
    st.sampled_from([b"\r\n--a-bound", b"\r", b"\n", b"--", b"a-boundary", b"\0" * 40, b"x"]), max_size=8
)


@given(
    contents=st.lists(CONTENT.map(b"".join), max_size=4),
    places=st.lists(st.integers(0, 600), max_size=12),
    before=st.sampled_from([b"", b"\r\n", b"a preamble\r\n"]),
    behind=st.sampled_from([b"", b"an epilogue"]),
)
async def test_parts_are_told_apart_however_they_come(
    contents: list[bytes], places: list[int], before: bytes, behind: bytes
) -> None:
    pieces = cut(before + body_of(*contents) + behind, places)
    assert await parts_of(pieces) == [("application/dicom", content) for content in contents]


@given(st.integers(0, len(body_of(b"one", b"other")) - 5))
async def test_a_body_that_is_cut_off_is_malformed(end: int) -> None:
    with pytest.raises(Malformed):
        await parts_of([body_of(b"one", b"other")[:end]])


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\r\n", ""),
        (b"Content-Length: 3\r\n\r\n", ""),
        (b"content-TYPE:  Application/DICOM ; transfer-syntax=*\r\n\r\n", "application/dicom"),
        (b"Content-Type:\r\n application/json\r\nContent-Length: 3\r\n\r\n", "application/json"),
    ],
)
async def test_the_media_type_of_a_part_is_read(head: bytes, media_type: str) -> None:
    assert await parts_of([body_of(b"one", head=head)]) == [(media_type, b"one")]


async def test_blanks_may_follow_a_delimiter_and_nothing_else() -> None:
    body = body_of(b"one")
    assert await parts_of([body.replace(b"boundary\r\n", b"boundary \t\r\n")]) == [("application/dicom", b"one")]
    with pytest.raises(Malformed):
        await parts_of([body.replace(b"boundary\r\n", b"boundary-of-another\r\n")])


async def test_a_head_without_an_end_is_malformed() -> None:
    with pytest.raises(Malformed):
        await parts_of([b"--" + BOUNDARY.encode() + b"\r\n" + b"x" * 20_000, b"y" * 20_000])


async def test_what_is_left_of_a_part_is_passed_over() -> None:
    left = [body_of(b"one" * 100, b"other")]

    async def read() -> bytes:
        return left.pop(0) if left else b""

    parts = Parts(read, BOUNDARY)
    assert await parts.next() is not None
    assert await parts.next() is not None
    assert await parts.piece() == b"other"


@pytest.mark.parametrize("boundary", ["", "x" * 71, "边界"])
async def test_what_is_no_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        await parts_of([], boundary)
