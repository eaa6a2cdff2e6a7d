"""What one person sends is cut into segments that make a file: times, silences, key frames, and what is left out."""

import io

import av
from aiortc.rtp import RtcpSenderInfo

from media.description import OPUS
from media.rtp import read_header
from media.segments import LARGEST
from tests.media.segment_store import file_of
from tests.media.streams import packet
from tests.media.studio import VOICE, Studio, real_segments, vp8

SMALL = (320, 240)


def test_segments_are_cut_at_key_frames_and_hold_everything() -> None:
    studio = Studio()
    studio.pass_time(20.0)
    studio.track.finish()
    assert [segment.keyframe for segment in studio.segments] == [True] * len(studio.segments)
    assert [segment.number for segment in studio.segments] == list(range(len(studio.segments)))
    assert all(segment.ends - segment.begins <= 4100 for segment in studio.segments)
    assert studio.times("video") == [n * 40 for n in range(500)]
    assert studio.times("audio") == [n * 20 for n in range(1000)]
    assert studio.segments[0].picture == (640, 480)


def test_without_key_frames_a_segment_is_cut_in_time_all_the_same_and_one_is_asked_for() -> None:
    studio = Studio()
    studio.pass_time(13.0, key=False)
    assert [segment.keyframe for segment in studio.segments] == [True, False, False]
    assert all(4000 <= s.ends - s.begins <= 4300 for s in studio.segments)
    asked = [at for at in studio.asked if at > 0]
    assert len(asked) == 3
    studio.track.finish()
    assert studio.times("video") == [n * 40 for n in range(325)]


def test_a_segment_is_cut_when_it_is_large() -> None:
    studio = Studio()
    for number in range(10):
        studio.now = number / 10
        studio.show(vp8(number, key=True, length=600_000))
    assert len(studio.segments) >= 2
    assert all(len(segment.data) < LARGEST + 1_300_000 for segment in studio.segments)


def test_a_voice_alone_is_recorded() -> None:
    studio = Studio()
    studio.pass_time(9.0, picture=False)
    studio.track.finish()
    assert [(s.picture, s.voice, s.keyframe) for s in studio.segments] == [(None, True, False)] * 3
    assert studio.times("audio") == [n * 20 for n in range(450)]
    assert studio.asked == []


def test_a_camera_that_is_switched_on_later_begins_at_its_time() -> None:
    studio = Studio()
    studio.pass_time(6.0, picture=False)
    studio.pass_time(10.0)
    studio.track.finish()
    assert studio.times("video")[0] == 6000
    assert studio.times("audio") == [n * 20 for n in range(500)]
    assert studio.segments[0].picture is None


def test_a_muted_voice_is_silence_and_what_follows_is_at_its_time() -> None:
    studio = Studio()
    studio.pass_time(2.0)
    studio.pass_time(14.0, voice=False)
    studio.pass_time(16.0)
    studio.track.finish()
    assert studio.times("audio") == [n * 20 for n in range(800)]
    with studio.opened() as file:
        spoken = [p.pts for p in file.demux(audio=0) if bytes(p) == b"\xfcvoice"]
    assert spoken == [n * 20 for n in range(800) if not 100 <= n < 700]


def test_a_lost_voice_packet_leaves_its_place() -> None:
    studio = Studio()
    studio.pass_time(1.0)
    studio.voices += 1
    studio.now = 1.02
    studio.pass_time(2.0)
    studio.track.tick()
    studio.track.finish()
    assert studio.times("audio") == [n * 20 for n in range(100)]


def test_a_track_begins_with_its_first_frame() -> None:
    studio = Studio(now=70.0)
    studio.pass_time(71.0, key=True)
    studio.track.finish()
    assert studio.segments[0].track_begins == 70_000
    assert studio.times("audio")[0] == 0


def test_who_connects_anew_goes_on_in_the_same_track_at_the_right_time() -> None:
    studio = Studio()
    studio.pass_time(3.0)
    studio.now = 9.0
    studio.track.tick()
    for number in range(50):  # other numbers, other clocks
        studio.now = 9.0 + number / 25
        studio.show(vp8(number, key=number == 0, size=SMALL), ssrc=77, timestamp=5_000_000 + number * 3600)
        studio.say(ssrc=88)
        studio.track.tick()
    studio.track.finish()
    assert studio.times("video") == [n * 40 for n in range(75)] + [9000 + n * 40 for n in range(50)]
    assert studio.segments[-1].picture == SMALL


def test_pictures_follow_the_reports_of_the_publisher() -> None:
    """The picture comes 300 ms later than the sound of the same moment."""
    studio = Studio()
    for number in range(100):
        studio.now = number / 50
        studio.say()
        if number >= 15:
            studio.show(vp8(number, key=number == 15), timestamp=(number - 15) * 1800)
        if number == 50:
            studio.track.voice_report(_reported(1000.0, 48_000))
            studio.track.picture_report(_reported(1000.0, 90_000))
    studio.track.finish()
    assert studio.times("video")[-1] == (99 - 15) * 20


def _reported(moment: float, timestamp: int) -> RtcpSenderInfo:
    return RtcpSenderInfo(ntp_timestamp=int(moment * (1 << 32)), rtp_timestamp=timestamp, packet_count=0, octet_count=0)


def test_after_a_loss_a_key_frame_is_asked_for_and_nothing_broken_is_kept() -> None:
    studio = Studio()
    studio.pass_time(1.0)
    studio.pictures += 1  # one never comes
    studio.pass_time(2.0, key=False)
    before = len(studio.asked)
    studio.now = 2.2
    studio.show(vp8(99, key=False))
    studio.track.tick()
    assert len(studio.asked) > before
    studio.show(vp8(100, key=True))
    studio.track.finish()
    assert studio.times("video")[-2:] == [960, 2200]


def test_times_that_jump_make_no_segment_that_cannot_be_written() -> None:
    studio = Studio()
    studio.pass_time(2.0)
    for jump in (10**9, 17, 2**31, 3 * 10**9):
        studio.now += 1.0
        studio.show(vp8(1, key=True), timestamp=jump)
        made = packet(studio.voices, b"\xfcx", timestamp=jump, ssrc=VOICE, payload_type=OPUS)
        studio.voices += 1
        studio.track.voice(made, read_header(made))
        studio.track.tick()
    studio.now += 100.0
    studio.say()
    studio.show(vp8(2, key=True))
    studio.track.tick()
    studio.track.finish()
    times = studio.times("video")
    assert times == sorted(times)
    assert all(s.begins <= s.ends for s in studio.segments)


def test_real_frames_are_decoded_without_a_fault() -> None:
    with av.open(io.BytesIO(file_of(real_segments(4))), "r") as file:
        assert len(list(file.decode(video=0))) == 60
