"""The state of a network falls soon, rises late, and does not follow what comes and goes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.quality import PICTURES, Losses, Network, Observer, Sample, grade, picture_to_send

FINE = Sample(lost=0.0, jitter=0.005, delay=0.04)
WEAK = Sample(lost=0.06, jitter=0.05, delay=0.2)
GONE = Sample(lost=0.4, jitter=0.3, delay=2.0)

samples = st.builds(
    Sample,
    lost=st.floats(0, 1),
    jitter=st.floats(0, 5),
    delay=st.floats(0, 60),
)
networks = st.sampled_from(Network)


def states(*seconds: Sample) -> list[Network]:
    observer = Observer()
    return [observer.add(sample) for sample in seconds]


def test_a_network_without_loss_becomes_excellent_after_eight_seconds() -> None:
    assert states(*[FINE] * 8)[-2:] == [Network.GOOD, Network.EXCELLENT]


def test_losses_are_of_the_last_second_and_of_all_streams() -> None:
    losses = Losses()
    shares = []
    for expected, lacked in ((100, 3), (200, 23), (300, 20), (300, 20)):
        losses.add(expected, lacked)
        shares.append(losses.share)
    assert shares == [0.03, 0.2, 0.0, 0.0], "what was late has come, and a second without packets tells nothing"


@given(st.lists(st.tuples(st.integers(), st.integers())))
def test_whatever_a_page_reports_is_a_share(counts: list[tuple[int, int]]) -> None:
    losses = Losses()
    for expected, lacked in counts:
        losses.add(expected, lacked)
        assert 0.0 <= losses.share <= 1.0


def test_one_bad_second_changes_nothing() -> None:
    assert set(states(FINE, GONE, FINE, FINE)) == {Network.GOOD}


def test_two_bad_seconds_fall_at_once_to_what_is_seen() -> None:
    assert states(WEAK, WEAK)[-1] is Network.POOR


def test_pictures_are_given_up_only_where_the_smallest_was_too_much_too() -> None:
    assert states(*[GONE] * 4) == [Network.GOOD, Network.POOR, Network.POOR, Network.CRITICAL]


def test_a_network_that_comes_back_rises_step_by_step() -> None:
    seen = states(*[GONE] * 4, *[FINE] * 24)
    assert sorted(set(seen[4:])) == [Network.CRITICAL, Network.POOR, Network.GOOD, Network.EXCELLENT]
    assert seen[4:] == sorted(seen[4:])


def test_a_network_that_comes_and_goes_changes_the_picture_ever_more_seldom() -> None:
    seen = states(*([*[FINE] * 10, *[WEAK] * 3] * 30))
    changes = [i for i in range(1, len(seen)) if seen[i] is not seen[i - 1]]
    half = len(seen) // 2
    assert len([c for c in changes if c >= half]) <= len([c for c in changes if c < half])
    assert len(changes) <= 12


@given(samples, samples)
def test_a_worse_second_never_gets_a_better_state(one: Sample, other: Sample) -> None:
    worse = Sample(max(one.lost, other.lost), max(one.jitter, other.jitter), max(one.delay, other.delay))
    assert grade(worse) <= grade(one)


@given(st.lists(samples, max_size=200))
def test_a_state_never_rises_more_than_one_step_a_second(seconds: list[Sample]) -> None:
    seen = [Network.GOOD, *states(*seconds)]
    assert all(after - before <= 1 for before, after in pairwise(seen))


@given(networks, st.lists(networks, max_size=3))
def test_nobody_is_asked_for_more_than_their_network_bears(own: Network, watching: list[Network]) -> None:
    picture = picture_to_send(own, watching)
    if picture is None:
        assert own is Network.CRITICAL or all(state is Network.CRITICAL for state in watching)
    else:
        assert picture.bitrate <= PICTURES[own].bitrate
        assert 500_000 <= picture.bitrate <= 4_000_000


def test_one_lost_watcher_does_not_lower_the_picture_for_the_others() -> None:
    assert picture_to_send(Network.EXCELLENT, [Network.CRITICAL, Network.GOOD]) == PICTURES[Network.GOOD]
