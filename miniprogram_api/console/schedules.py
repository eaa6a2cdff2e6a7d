"""When experts take consultations: seen as a week, and changed; what is booked is told before it is left out."""

from collections.abc import Awaitable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from backend.clock import local
from backend.consultation import CaseOverview, Status
from backend.errors import Forbidden
from backend.people import PractitionerView, masked_name
from backend.scheduling import (
    BookedTimes,
    BookingState,
    BookingView,
    Knowing,
    ScheduleView,
    WeeklyHours,
    calendar_day,
)
from backend.security.policy import Action, Relation, Role, allowed, granted
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, Id
from miniprogram_api.endpoint import Model, Written

_PATH = "/console/api/schedules"
_EXPERT = {"expert_id": "Whose times these are."}
_ABSENCE = _EXPERT | {"absence_id": "A time in which they are away."}
_CASE = {"consultation_id": "A consultation that is booked."}
_ONE = f"{_PATH}/{{expert_id}}"
_BOOKING = "/console/api/consultations/{consultation_id}"
_WEEK = timedelta(days=7)
_PAGE = 100

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Stretch(Model):
    """Hours of a day, cut into slots."""

    start: ClockTime
    end: ClockTime
    slot_minutes: int = Field(ge=5, le=240)


class WeekStretch(Stretch):
    """Hours of a day of the week, 0 for Monday; on public holidays they rest unless they are given for those too."""

    weekday: int = Field(ge=0, le=6)
    on_holidays: bool = False


class DayPlan(Model):
    """Hours of one day; none: the day is free; null: as in every week."""

    day: date
    hours: list[Stretch] | None = Field(max_length=12)


class Change(Model):
    """What a change is based on: the version that was seen, and the bookings that may stay outside the hours."""

    version: int = Field(ge=0)
    keep: list[Id] = Field(default_factory=list, max_length=200)


class WeekChange(Change):
    """The hours of every week."""

    hours: list[WeekStretch] = Field(max_length=84)


class DaysChange(Change):
    """The hours of single days."""

    days: list[DayPlan] = Field(max_length=31)


class AbsenceChange(Change):
    """A time in which the expert is away."""

    starts_at: datetime
    ends_at: datetime
    reason: Annotated[Written, StringConstraints(max_length=200)] = ""


class WeekQuery(Model):
    """Which week: the one that this day lies in; today's where none is named."""

    day: date | None = None


class VersionQuery(Model):
    """Which version was seen."""

    version: int = Field(ge=0)


class Move(Model):
    """The slot that a booking is moved to."""

    slot_id: Id


class ScheduledExpert(Model):
    """An expert whose times the actor may set."""

    id: str
    name: str
    title: str
    department_name: str
    institution_name: str
    on_call: bool


class ScheduledExperts(Model):
    """Experts in a stable order."""

    items: list[ScheduledExpert]


class ScheduleDay(Model):
    """A day of the week that is shown; `own` where its hours are not the week's, `rests` where hours of the week are
    left out because it is a public holiday."""

    day: date
    working: bool
    holiday: str
    makes_up: bool
    announced: bool
    own: bool
    rests: bool
    hours: list[Stretch]


class AbsenceItem(Model):
    """A time in which the expert is away."""

    id: str
    starts_at: datetime
    ends_at: datetime
    reason: str


class BookingItem(Model):
    """A booked time; the patient's name is masked. The number stands where the actor may see the case."""

    id: str
    starts_at: datetime
    ends_at: datetime
    patient_name: str
    doctor_name: str
    consultation_id: str | None
    number: str
    kept: bool
    may_move: bool


class ScheduleAnswer(Model):
    """The week of an expert."""

    expert: ScheduledExpert
    version: int
    today: date
    days: list[ScheduleDay]
    week: list[WeekStretch]
    absences: list[AbsenceItem]
    bookings: list[BookingItem]


class ChangeAnswer(Model):
    """Whether the change is made; if not, the bookings that it would leave outside the hours."""

    saved: bool
    affected: list[BookingItem]


class FreeTime(Model):
    """A time that can be had."""

    slot_id: str
    starts_at: datetime
    ends_at: datetime


class FreeTimes(Model):
    """Free times of the expert, the earliest first."""

    items: list[FreeTime]


async def _experts(call: ConsoleCall) -> ScheduledExperts:
    relations = granted(call.actor, Action.SCHEDULING_READ_SCHEDULE)
    place = None if Relation.ANY in relations else call.actor.institution_id
    if not relations or (place is None and Relation.ANY not in relations):
        raise Forbidden
    found: list[PractitionerView] = []
    while True:
        page = await call.context.people.practitioners(
            role=Role.EXPERT, institution_id=place, limit=_PAGE, offset=len(found)
        )
        found += page
        if len(page) < _PAGE:
            return ScheduledExperts(items=[_expert(one) for one in found])


def _expert(one: PractitionerView) -> ScheduledExpert:
    return ScheduledExpert(
        id=one.id,
        name=one.name,
        title=one.title,
        department_name=one.department_name,
        institution_name=one.institution_name,
        on_call=one.on_call,
    )


async def _schedule(call: ConsoleCall) -> ScheduleAnswer:
    today = local(call.context.clock.now()).date()
    asked = call.query.day or today
    monday = asked - timedelta(days=asked.weekday())
    expert_id = call.path["expert_id"]
    held = await call.context.scheduling.schedule(call.actor, expert_id, monday, monday + _WEEK)
    return ScheduleAnswer(
        expert=_expert(await call.context.people.practitioner(expert_id)),
        version=held.version,
        today=today,
        days=[_day(held, monday + timedelta(days=number)) for number in range(7)],
        week=[WeekStretch(**vars(one)) for one in held.week],
        absences=[AbsenceItem(**vars(one)) for one in held.absences],
        bookings=await _bookings(call, held.bookings),
    )


def _day(held: ScheduleView, day: date) -> ScheduleDay:
    found = calendar_day(day)
    return ScheduleDay(
        day=day,
        working=found.working,
        holiday=found.name,
        makes_up=found.makes_up,
        announced=found.announced,
        own=day in held.days,
        rests=held.plan.rests(day),
        hours=[Stretch(start=one.start, end=one.end, slot_minutes=one.slot_minutes) for one in held.plan.hours_of(day)],
    )


async def _bookings(call: ConsoleCall, bookings: Sequence[BookingView]) -> list[BookingItem]:
    seen: dict[str, CaseOverview] = {}
    if bookings:
        cases = await call.context.consultations.overviews(call.actor, [one.consultation_id for one in bookings])
        seen = {one.id: one for one in cases}
    names = await call.context.people.names({one.patient_id for one in bookings})
    items = []
    for one in bookings:
        case = seen.get(one.consultation_id)
        is_open = case is not None and case.status is Status.ASSIGNED and one.state is BookingState.ACTIVE
        place = case.institution_id if case is not None else None
        items.append(
            BookingItem(
                id=one.id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                patient_name=masked_name(names.get(one.patient_id, "")),
                doctor_name=case.doctor_name if case else "",
                consultation_id=case.id if case else None,
                number=case.number if case else "",
                kept=one.state is BookingState.KEPT,
                may_move=is_open and allowed(call.actor, Action.CONSULTATION_RESCHEDULE, institution_id=place),
            )
        )
    return items


async def _changed(call: ConsoleCall, change: Awaitable[None]) -> ChangeAnswer:
    try:
        await change
    except BookedTimes as refusal:
        return ChangeAnswer(saved=False, affected=await _bookings(call, refusal.bookings))
    return ChangeAnswer(saved=True, affected=[])


def _knowing(version: int, keep: Collection[str] = ()) -> Knowing:
    return Knowing(version, frozenset(keep))


async def _set_week(call: ConsoleCall) -> ChangeAnswer:
    wanted = call.body
    week = [WeeklyHours(**one.model_dump()) for one in wanted.hours]
    known = _knowing(wanted.version, wanted.keep)
    return await _changed(call, call.context.scheduling.set_week(call.actor, call.path["expert_id"], week, known))


async def _set_days(call: ConsoleCall) -> ChangeAnswer:
    wanted = call.body
    days = {
        plan.day: plan.hours
        if plan.hours is None
        else [WeeklyHours(plan.day.weekday(), one.start, one.end, one.slot_minutes) for one in plan.hours]
        for plan in wanted.days
    }
    known = _knowing(wanted.version, wanted.keep)
    return await _changed(call, call.context.scheduling.set_days(call.actor, call.path["expert_id"], days, known))


async def _add_absence(call: ConsoleCall) -> ChangeAnswer:
    wanted, expert_id = call.body, call.path["expert_id"]
    known = _knowing(wanted.version, wanted.keep)
    change = call.context.scheduling.add_absence(
        call.actor, expert_id, wanted.starts_at, wanted.ends_at, wanted.reason, known
    )
    return await _changed(call, change)


async def _remove_absence(call: ConsoleCall) -> Done:
    known = _knowing(call.query.version)
    await call.context.scheduling.remove_absence(call.actor, call.path["expert_id"], call.path["absence_id"], known)
    return Done()


async def _free_times(call: ConsoleCall) -> FreeTimes:
    found = await call.context.consultations.bookable_slots(call.actor, call.path["consultation_id"], limit=100)
    return FreeTimes(items=[FreeTime(slot_id=one.id, starts_at=one.starts_at, ends_at=one.ends_at) for one in found])


async def _move(call: ConsoleCall) -> Done:
    await call.context.consultations.reschedule(call.actor, call.path["consultation_id"], call.body.slot_id)
    return Done()


ENDPOINTS = (
    ConsoleEndpoint(
        "GET", f"{_PATH}/experts", "scheduledExperts", "Experts whose times may be set", _experts, ScheduledExperts
    ),
    ConsoleEndpoint(
        "GET",
        _ONE,
        "expertSchedule",
        "The week of an expert",
        _schedule,
        ScheduleAnswer,
        query=WeekQuery,
        path_parameters=_EXPERT,
    ),
    ConsoleEndpoint(
        "PUT",
        f"{_ONE}/week",
        "setWeek",
        "The hours of every week",
        _set_week,
        ChangeAnswer,
        body=WeekChange,
        path_parameters=_EXPERT,
    ),
    ConsoleEndpoint(
        "PUT",
        f"{_ONE}/days",
        "setDays",
        "The hours of single days",
        _set_days,
        ChangeAnswer,
        body=DaysChange,
        path_parameters=_EXPERT,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_ONE}/absences",
        "addAbsence",
        "They are away",
        _add_absence,
        ChangeAnswer,
        body=AbsenceChange,
        path_parameters=_EXPERT,
    ),
    ConsoleEndpoint(
        "DELETE",
        f"{_ONE}/absences/{{absence_id}}",
        "removeAbsence",
        "They are there after all",
        _remove_absence,
        Done,
        query=VersionQuery,
        path_parameters=_ABSENCE,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_BOOKING}/times",
        "freeTimes",
        "Times to which a booking can be moved",
        _free_times,
        FreeTimes,
        path_parameters=_CASE,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_BOOKING}/booking",
        "moveBooking",
        "Move a booking",
        _move,
        Done,
        body=Move,
        path_parameters=_CASE,
    ),
)
