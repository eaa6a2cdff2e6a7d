"""EBML and Matroska as written: every size and time comes back, and the file can be read from its header alone."""

import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rooms.pictures import encoded_audio, encoded_video
from media.matroska import (
    CLUSTER,
    LONGEST_CLUSTER_MS,
    PICTURE,
    VOICE,
    Block,
    Chapter,
    cluster,
    data_size,
    element,
    header,
    identifier,
)

EBML, SEGMENT, INFO, TRACKS, CUES = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1C53BB6B
CLUSTER_TIMESTAMP, SIMPLE_BLOCK = 0xE7, 0xA3

blocks = st.lists(
    st.builds(
        Block,
        st.sampled_from([PICTURE, VOICE]),
        st.integers(0, 30_000).map(lambda at: at + 1_000_000),
        st.booleans(),
        st.binary(max_size=300),
    ),
    min_size=1,
    max_size=20,
)


def read_number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-size integer (RFC 8794, 4) and where it ends."""
    length = 9 - data[at].bit_length()
    number = int.from_bytes(data[at : at + length])
    return (number if keep_marker else number & ~(1 << 7 * length)), at + length


def read_elements(data: bytes) -> list[tuple[int, bytes]]:
    """The elements that lie behind each other."""
    found, at = [], 0
    while at < len(data):
        number, at = read_number(data, at, keep_marker=True)
        size, at = read_number(data, at, keep_marker=False)
        found.append((number, data[at : at + size]))
        at += size
    return found


@given(st.integers(0, (1 << 56) - 2))
def test_a_size_is_read_as_it_was_written(size: int) -> None:
    written = data_size(size)
    assert read_number(written, 0, keep_marker=False) == (size, len(written))
    assert written != b"\xff" * len(written), "all ones mean that the size is unknown"
    assert read_number(data_size(size, 8), 0, keep_marker=False) == (size, 8)


@given(st.integers(0, (1 << 28) - 2))
def test_a_size_takes_no_more_octets_than_it_must(size: int) -> None:
    written = data_size(size)
    if len(written) > 1:
        with pytest.raises(ValueError, match="does not fit"):
            data_size(size, len(written) - 1)


@pytest.mark.parametrize("size", [-1, (1 << 56) - 1, 1 << 60])
def test_a_size_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        data_size(size)


@pytest.mark.parametrize("size", [126, 127, 16_382, 16_383, 2_097_150, 2_097_151])
def test_sizes_at_the_borders_come_back(size: int) -> None:
    assert read_number(data_size(size), 0, keep_marker=False)[0] == size


@given(st.binary(max_size=20_000))
def test_an_element_holds_its_data(data: bytes) -> None:
    assert read_elements(element(CLUSTER, data) + element(SIMPLE_BLOCK, b"next")) == [
        (CLUSTER, data),
        (SIMPLE_BLOCK, b"next"),
    ]


@given(blocks)
def test_a_cluster_holds_every_block_with_its_time(written: list[Block]) -> None:
    [(number, data)] = read_elements(cluster(written))
    (stamp, begins), *parts = read_elements(data)
    assert (number, stamp) == (CLUSTER, CLUSTER_TIMESTAMP)
    read = [
        Block(
            part[0] & 0x7F,
            int.from_bytes(begins) + int.from_bytes(part[1:3], signed=True),
            bool(part[3] & 0x80),
            part[4:],
        )
        for kind, part in parts
        if kind == SIMPLE_BLOCK
    ]
    assert read == written


def test_blocks_that_are_too_far_apart_are_refused() -> None:
    first, last = Block(VOICE, 5, True, b"a"), Block(VOICE, 5 + LONGEST_CLUSTER_MS, True, b"b")
    assert cluster([first, last])
    with pytest.raises(ValueError, match="too far apart"):
        cluster([first, last._replace(at=last.at + 1)])


@given(st.lists(st.builds(Chapter, st.integers(0, 10**7), st.integers(10, 10**7), st.booleans()), max_size=30))
def test_cues_point_at_the_clusters(chapters: list[Chapter]) -> None:
    front = header(chapters, 1000, (640, 480), True)
    (kind, _), (segment, rest) = read_elements(front)
    assert (kind, segment) == (EBML, SEGMENT)
    sizes = sum(chapter.size for chapter in chapters)
    at = front.index(identifier(SEGMENT)) + 4
    assert read_number(front, at, keep_marker=False) == (len(rest) + sizes, at + 8)
    parts = dict(read_elements(rest))
    assert set(parts) == {INFO, TRACKS, CUES}
    position, expected = len(rest), []
    for chapter in chapters:
        if chapter.seekable:
            expected.append((chapter.at, position))
        position += chapter.size
    found = []
    for _, point in read_elements(parts[CUES]):
        (_, time), (_, where) = read_elements(point)
        found.append((int.from_bytes(time), int.from_bytes(dict(read_elements(where))[0xF1])))
    assert found == expected


def test_a_file_is_read_back_with_every_frame_at_its_time() -> None:
    pictures = [Block(PICTURE, round(n * 1000 / 15), n % 15 == 0, data) for n, data in enumerate(encoded_video())]
    voices = [Block(VOICE, n * 20, True, data) for n, data in enumerate(encoded_audio() * 4)]
    clusters, chapters = [], []
    for begins in range(0, 4000, 1000):
        held = [block for block in pictures + voices if begins <= block.at < begins + 1000]
        clusters.append(cluster(sorted(held, key=lambda block: block.at)))
        chapters.append(Chapter(begins, len(clusters[-1]), True))
    data = header(chapters, 4000, (640, 480), True) + b"".join(clusters)
    with av.open(io.BytesIO(data), "r") as file:
        assert file.duration == 4_000_000
        picture, voice = file.streams.video[0], file.streams.audio[0]
        assert (picture.codec_context.name, picture.width, picture.height) == ("vp8", 640, 480)
        assert (voice.codec_context.name, voice.sample_rate, voice.channels) == ("opus", 48_000, 2)
        packets = [packet for packet in file.demux() if packet.size]
        for stream, written in ((picture, pictures), (voice, voices)):
            read = [(packet.pts, packet.is_keyframe, bytes(packet)) for packet in packets if packet.stream is stream]
            assert read == [(block.at, block.keyframe, block.data) for block in written]
        file.seek(2_500_000, backward=True)
        assert next(file.decode(video=0)).time == 2.0
    with av.open(io.BytesIO(data), "r") as file:
        assert len(list(file.decode(video=0))) == 60


def test_a_voice_alone_makes_a_file() -> None:
    data = cluster([Block(VOICE, n * 20, True, sound) for n, sound in enumerate(encoded_audio())])
    with av.open(io.BytesIO(header([Chapter(0, len(data), True)], 1000, None, True) + data), "r") as file:
        assert [stream.type for stream in file.streams] == ["audio"]
        assert len(list(file.decode(audio=0))) == 50
