"""Sound and picture of one person come onto one clock, and stay there."""

import pytest

from media.timeline import PICTURE_RATE, VOICE_RATE, Timeline

NTP = 1 << 32


def test_a_stream_runs_by_its_own_clock_from_its_first_frame() -> None:
    line = Timeline(PICTURE_RATE)
    assert line.at(900_000, 3.0) == pytest.approx(3.0)
    assert line.at(945_000, 3.73) == pytest.approx(3.5), "that it came late changes nothing"


def test_a_picture_that_came_late_is_laid_beside_its_sound() -> None:
    """Both were made at the same moment, which the sender calls 5000; the picture took 200 ms longer."""
    voice, picture = Timeline(VOICE_RATE), Timeline(PICTURE_RATE)
    picture.sound = voice
    assert voice.at(48_000, 1.0) == pytest.approx(1.0)
    assert picture.at(90_000, 1.2) == pytest.approx(1.2), "nothing is known before the reports"
    voice.report(5000 * NTP, 48_000)
    picture.report(5000 * NTP, 90_000)
    assert picture.at(180_000, 2.2) == pytest.approx(2.0)


def test_reports_count_around_the_wrap_of_the_timestamps() -> None:
    voice, picture = Timeline(VOICE_RATE), Timeline(PICTURE_RATE)
    picture.sound = voice
    wrap = 1 << 32
    voice.at(wrap + 4_800, 1.1)
    picture.at(wrap + 9_000, 1.4)
    voice.report(5000 * NTP, wrap - 4_800 & 0xFFFFFFFF)
    picture.report(5000 * NTP, wrap - 9_000 & 0xFFFFFFFF)
    assert picture.at(wrap + 9_000, 1.4) == pytest.approx(1.1)


def test_reports_that_cannot_be_true_are_passed_over() -> None:
    voice, picture = Timeline(VOICE_RATE), Timeline(PICTURE_RATE)
    picture.sound = voice
    voice.at(0, 1.0)
    picture.at(0, 1.0)
    voice.report(5000 * NTP, 0)
    picture.report(9000 * NTP, 0)
    assert picture.at(90_000, 2.0) == pytest.approx(2.0)


def test_no_frame_is_made_after_it_has_arrived() -> None:
    """The first one came 3 seconds late, the next in time."""
    line = Timeline(VOICE_RATE)
    line.at(0, 3.0)
    assert line.at(48_000, 1.0) == pytest.approx(1.0)
    assert line.at(96_000, 2.0) == pytest.approx(2.0)


def test_a_clock_that_stood_still_is_set_anew() -> None:
    """A phone slept for a minute; its timestamps go on where they were."""
    line = Timeline(VOICE_RATE)
    line.at(0, 0.0)
    for number in range(1, 301):
        last = line.at(number * 960, 60.0 + number * 0.02)
    assert last == pytest.approx(66.0)


def test_a_burst_after_a_stall_keeps_its_times() -> None:
    """Three seconds were held up on the way and come at once: that is no clock that stood still."""
    line = Timeline(VOICE_RATE)
    line.at(0, 0.0)
    made = [line.at(number * 960, max(3.0, number * 0.02)) for number in range(1, 400)]
    assert made == pytest.approx([number * 0.02 for number in range(1, 400)])
