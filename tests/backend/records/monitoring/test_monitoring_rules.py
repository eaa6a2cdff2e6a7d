"""When values become an alert, at night and by day, and when it is over: tables and properties."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LOCAL_ZONE, local
from backend.errors import InvalidInput
from backend.records.monitoring.limits import Grade, Level, OwnLimit, Side, checked, grade, lines_for
from backend.records.monitoring.readings import FRESH, Kind, Reading, Refusal, Said, judge
from backend.records.monitoring.rules import (
    COOLDOWN,
    Decision,
    Rated,
    Standing,
    decide,
    escalates_at,
    is_quiet,
    silent_at,
    waking,
)
from data.monitoring import limits, measures
from tests.support.monitoring import pressure, single

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=LOCAL_ZONE)
NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=LOCAL_ZONE)
NORMAL = Rated(Level.NORMAL, None, calm=True)
NEAR = Rated(Level.NORMAL, None, calm=False)
WATCH, ALERT, DANGER = (Rated(level, Side.HIGH, calm=False) for level in (Level.WATCH, Level.ALERT, Level.DANGER))
QUIET = Standing(Level.NORMAL, {})


def of(kind: Kind, timing: str = "", age: int | None = 60, own: tuple[OwnLimit, ...] = (), **values: float) -> Grade:
    return grade(kind, values, timing, lines_for(None if age is None else age * 12, own))


@pytest.mark.parametrize(
    ("upper", "lower", "level", "side"),
    [
        (120, 80, Level.NORMAL, None),
        (134, 84, Level.NORMAL, None),
        (135, 80, Level.WATCH, Side.HIGH),
        (120, 85, Level.WATCH, Side.HIGH),
        (160, 80, Level.ALERT, Side.HIGH),
        (150, 100, Level.ALERT, Side.HIGH),
        (180, 90, Level.DANGER, Side.HIGH),
        (150, 110, Level.DANGER, Side.HIGH),
        (90, 60, Level.ALERT, Side.LOW),
        (80, 50, Level.DANGER, Side.LOW),
    ],
)
def test_blood_pressure_is_graded_by_the_worse_of_its_two_values(
    upper: float, lower: float, level: Level, side: Side | None
) -> None:
    found = of(Kind.BLOOD_PRESSURE, systolic=upper, diastolic=lower)
    assert (found.level, found.side) == (level, side)


def test_fasting_glucose_has_a_watch_line_of_its_own() -> None:
    assert of(Kind.GLUCOSE, "fasting", glucose=8.0).level is Level.WATCH
    for timing in ("after_meal", "random", ""):
        assert of(Kind.GLUCOSE, timing, glucose=8.0).level is Level.NORMAL
    for timing in ("fasting", "after_meal", ""):
        assert of(Kind.GLUCOSE, timing, glucose=16.7).level is Level.DANGER
        assert of(Kind.GLUCOSE, timing, glucose=2.9).level is Level.DANGER


def test_the_pulse_of_a_small_child_is_not_measured_by_the_limits_of_adults() -> None:
    assert of(Kind.HEART_RATE, age=3, heart_rate=135).level is Level.NORMAL
    assert of(Kind.HEART_RATE, age=3, heart_rate=180).level is Level.DANGER
    assert of(Kind.HEART_RATE, age=3, heart_rate=59).level is Level.DANGER
    assert of(Kind.HEART_RATE, age=3, heart_rate=60).level is Level.NORMAL
    assert of(Kind.SPO2, age=3, spo2=89).level is Level.DANGER
    assert grade(Kind.TEMPERATURE, {"temperature": 38.0}, "", lines_for(2)).level is Level.DANGER
    assert grade(Kind.TEMPERATURE, {"temperature": 38.0}, "", lines_for(4)).level is Level.WATCH
    assert of(Kind.HEART_RATE, age=None, heart_rate=135).level is Level.DANGER


def test_a_value_is_calm_only_when_it_is_back_by_the_margin() -> None:
    assert not of(Kind.BLOOD_PRESSURE, systolic=132, diastolic=70).calm
    assert of(Kind.BLOOD_PRESSURE, systolic=130, diastolic=70).calm
    assert not of(Kind.BLOOD_PRESSURE, systolic=120, diastolic=83).calm


def test_a_doctors_alert_line_takes_the_place_of_the_one_for_everybody_and_of_the_watch_line() -> None:
    own = (OwnLimit("systolic", Side.HIGH, Level.ALERT, 170), OwnLimit("diastolic", Side.HIGH, Level.ALERT, 105))
    assert of(Kind.BLOOD_PRESSURE, own=own, systolic=165, diastolic=100).level is Level.NORMAL
    assert of(Kind.BLOOD_PRESSURE, own=own, systolic=170, diastolic=100).level is Level.ALERT
    assert of(Kind.BLOOD_PRESSURE, own=own, systolic=180, diastolic=100).level is Level.DANGER


def test_a_danger_line_that_was_moved_takes_the_milder_lines_behind_it_along() -> None:
    own = (OwnLimit("spo2", Side.LOW, Level.DANGER, 84),)
    assert of(Kind.SPO2, own=own, spo2=88).level is Level.ALERT
    assert of(Kind.SPO2, own=own, spo2=84).level is Level.DANGER
    nearer = (OwnLimit("spo2", Side.LOW, Level.DANGER, 92),)
    assert of(Kind.SPO2, own=nearer, spo2=92).level is Level.DANGER


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (OwnLimit("systolic", Side.HIGH, Level.ALERT, 180), "就是危险"),
        (OwnLimit("systolic", Side.HIGH, Level.ALERT, 200), "就是危险"),
        (OwnLimit("systolic", Side.HIGH, Level.DANGER, 230), "只能设在160到200mmHg之间"),
        (OwnLimit("temperature", Side.LOW, Level.DANGER, 34), "没有危险线"),
    ],
)
def test_no_doctor_can_switch_danger_off(own: OwnLimit, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(own, lines_for(720))
    assert words in refused.value.sentence


def test_every_shipped_danger_line_lies_where_doctors_may_put_it() -> None:
    for row in limits():
        if row.level == "danger":
            measure = measures()[row.measure]
            allowed = measure.danger_high if row.side == "high" else measure.danger_low
            assert allowed is not None
            assert allowed[0] <= row.bound <= allowed[1], row


def test_one_mild_reading_is_not_enough_and_two_of_three_are() -> None:
    assert decide(QUIET, [ALERT], ALERT, NOON) == Decision(Level.NORMAL)
    assert decide(QUIET, [ALERT, NORMAL, NORMAL], NORMAL, NOON) == Decision(Level.NORMAL)
    opened = decide(QUIET, [ALERT, NORMAL, ALERT], ALERT, NOON)
    assert opened == Decision(Level.ALERT, Side.HIGH, rises=True, tell_at=NOON)
    assert decide(QUIET, [ALERT, WATCH], WATCH, NOON).level is Level.WATCH


def test_danger_is_told_at_once_by_day_and_by_night() -> None:
    for moment in (NOON, NIGHT):
        decision = decide(QUIET, [NORMAL, NORMAL, DANGER], DANGER, moment)
        assert decision == Decision(Level.DANGER, Side.HIGH, rises=True, tell_at=moment)


def test_what_is_no_danger_waits_for_the_morning() -> None:
    decision = decide(QUIET, [ALERT, ALERT], ALERT, NIGHT)
    assert decision.tell_at == datetime(2026, 11, 24, 7, 0, tzinfo=LOCAL_ZONE)


def test_what_comes_while_an_alert_is_open_is_not_told_again_unless_it_is_graver() -> None:
    standing = Standing(Level.ALERT, {(Level.ALERT, Side.HIGH): NOON})
    later = NOON + timedelta(hours=10)
    assert decide(standing, [ALERT, ALERT, ALERT], ALERT, later) == Decision(Level.ALERT)
    assert decide(standing, [ALERT, ALERT, DANGER], DANGER, later).tell_at == later


def test_danger_is_told_again_when_it_goes_on_for_an_hour() -> None:
    standing = Standing(Level.DANGER, {(Level.DANGER, Side.HIGH): NOON})
    assert decide(standing, [DANGER], DANGER, NOON + timedelta(minutes=59)).tell_at is None
    after = NOON + COOLDOWN[Level.DANGER]
    assert decide(standing, [DANGER], DANGER, after) == Decision(Level.DANGER, Side.HIGH, tell_at=after, again=True)


def test_danger_on_the_other_side_is_something_else() -> None:
    standing = Standing(Level.DANGER, {(Level.DANGER, Side.HIGH): NOON})
    low = Rated(Level.DANGER, Side.LOW, calm=False)
    soon = NOON + timedelta(minutes=5)
    assert decide(standing, [DANGER, low], low, soon).tell_at == soon


def test_an_alert_is_over_when_two_readings_in_a_row_are_back_by_the_margin() -> None:
    standing = Standing(Level.ALERT, {})
    assert not decide(standing, [ALERT, NORMAL], NORMAL, NOON).closes
    assert not decide(standing, [ALERT, NORMAL, NEAR], NEAR, NOON).closes
    assert decide(standing, [ALERT, NORMAL, NORMAL], NORMAL, NOON).closes


def test_an_alert_that_comes_back_at_once_waits_until_the_last_telling_had_its_time() -> None:
    standing = Standing(Level.NORMAL, {(Level.ALERT, Side.HIGH): NOON})
    decision = decide(standing, [ALERT, ALERT], ALERT, NOON + timedelta(hours=1))
    assert decision.tell_at == NOON + COOLDOWN[Level.ALERT]


def test_nobody_answering_is_told_after_a_quarter_of_an_hour_or_the_next_morning() -> None:
    assert escalates_at(Level.DANGER, 0, NIGHT) == NIGHT + timedelta(minutes=15)
    assert escalates_at(Level.DANGER, 3, NIGHT) is None
    assert escalates_at(Level.ALERT, 0, NOON) == datetime(2026, 11, 24, 8, 0, tzinfo=LOCAL_ZONE)
    assert escalates_at(Level.WATCH, 0, NOON) is None


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(LOCAL_ZONE))  # noqa: DTZ001
RATED = st.sampled_from([NORMAL, NEAR, WATCH, ALERT, DANGER])


@given(moment=MOMENTS)
def test_waking_is_never_quiet_and_never_more_than_a_night_away(moment: datetime) -> None:
    woken = waking(moment)
    assert not is_quiet(woken)
    assert timedelta() <= woken - moment <= timedelta(hours=9)
    assert local(silent_at(moment)).hour == 15
    assert timedelta(days=6) < silent_at(moment) - moment < timedelta(days=8)


@given(
    before=st.lists(RATED, max_size=2),
    standing=st.sampled_from([Level.NORMAL, Level.WATCH, Level.ALERT, Level.DANGER]),
    told=st.dictionaries(
        st.tuples(st.sampled_from([Level.WATCH, Level.ALERT, Level.DANGER]), st.sampled_from(Side)), MOMENTS, max_size=6
    ),
    now=MOMENTS,
)
def test_danger_is_always_told_now_unless_it_was_told_within_the_hour(
    before: list[Rated], standing: Level, told: dict[tuple[Level, Side], datetime], now: datetime
) -> None:
    decision = decide(Standing(standing, told), [*before, DANGER], DANGER, now)
    assert decision.level is Level.DANGER
    last = told.get((Level.DANGER, Side.HIGH))
    if last is None or last <= now - COOLDOWN[Level.DANGER]:
        assert decision.tell_at == now
    else:
        assert decision.tell_at in (None, last + COOLDOWN[Level.DANGER])


def test_a_reading_is_judged_by_its_values_and_its_time() -> None:
    assert isinstance(judge(pressure(150, 95, NOON), None, NOON), Reading)
    for upper, lower in ((15, 95), (95, 150), (400, 90), (float("nan"), 90)):
        assert judge(pressure(upper, lower, NOON), None, NOON) is Refusal.IMPLAUSIBLE
    wrong = Said("1", Kind.SPO2, NOON, {"heart_rate": 80})
    assert judge(wrong, None, NOON) is Refusal.IMPLAUSIBLE
    assert judge(single(Kind.GLUCOSE, 6, NOON, timing="饭后"), None, NOON) is Refusal.IMPLAUSIBLE
    assert judge(single(Kind.SPO2, 97, NOON, timing="fasting"), None, NOON) is Refusal.IMPLAUSIBLE
    assert judge(single(Kind.GLUCOSE, 6, NOON, unit="kPa"), None, NOON) is Refusal.IMPLAUSIBLE
    assert judge(pressure(150, 95, NOON + timedelta(minutes=6)), None, NOON) is Refusal.FUTURE
    assert judge(pressure(150, 95, NOON - timedelta(days=3000)), None, NOON) is Refusal.CLOCK_UNSET


def test_values_of_another_unit_are_converted_and_judged_as_people_see_them() -> None:
    sugar = judge(single(Kind.GLUCOSE, 300, NOON, timing="fasting", unit="mg/dL"), None, NOON)
    assert isinstance(sugar, Reading)
    assert sugar.words == "空腹血糖16.7mmol/L"
    assert sugar.shown == {"glucose": 16.7}
    [kept] = sugar.observations("d")
    assert (kept.kind, kept.origin) == ("glucose_fasting", f"device:d:{sugar.id}:glucose")
    warm = judge(single(Kind.TEMPERATURE, 104, NOON, unit="°F"), None, NOON)
    assert isinstance(warm, Reading)
    assert warm.words == "体温40℃"


def test_what_lies_a_moment_ahead_was_measured_now() -> None:
    reading = judge(pressure(150, 95, NOON + timedelta(minutes=3)), None, NOON)
    assert isinstance(reading, Reading)
    assert reading.taken_at == NOON


def test_a_device_whose_clock_is_wrong_is_put_right_by_what_it_shows_now() -> None:
    its_now = NOON - timedelta(days=365 * 20)
    reading = judge(pressure(150, 95, its_now - timedelta(hours=1)), its_now, NOON)
    assert isinstance(reading, Reading)
    assert reading.taken_at == NOON - timedelta(hours=1)
    assert reading.said_at == its_now - timedelta(hours=1)


def test_readings_are_fresh_for_some_hours() -> None:
    for age, fresh in ((FRESH, True), (FRESH + timedelta(seconds=1), False)):
        reading = judge(pressure(150, 95, NOON - age), None, NOON)
        assert isinstance(reading, Reading)
        assert reading.is_fresh(NOON) is fresh


@given(
    values=st.dictionaries(st.sampled_from([*measures(), "weight", "x"]), st.floats() | st.integers()),
    kind=st.sampled_from(Kind),
    taken_at=st.datetimes(timezones=st.just(LOCAL_ZONE)),
    sent_at=st.none() | st.datetimes(timezones=st.just(LOCAL_ZONE)),
)
def test_nothing_that_a_device_says_is_more_than_refused(
    values: dict[str, float], kind: Kind, taken_at: datetime, sent_at: datetime | None
) -> None:
    found = judge(Said("1", kind, taken_at, values), sent_at, NOON)
    if isinstance(found, Reading):
        assert found.taken_at <= NOON
        assert set(found.values) == set(kind.measures)
