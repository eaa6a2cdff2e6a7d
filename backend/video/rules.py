"""When a room is open, who somebody is in it, and how long people were there. Pure: no I/O, no present time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backend.clock import local
from backend.consultation.rules import Status
from backend.scheduling import BookingState, BookingView
from backend.security.policy import Role

OPENS_BEFORE = timedelta(minutes=15)
"""How long before the booked start people may come."""
CLOSES_AFTER = timedelta(hours=2)
"""How long after the booked end a room that nobody has closed stays open."""
LONGEST_WITHOUT_BOOKING = timedelta(hours=24)
"""How long a case that began without a booking may meet."""


class RoomState(StrEnum):
    """Whether people may come in."""

    EARLY = "early"
    OPEN = "open"
    CLOSED = "closed"


class RoomRole(StrEnum):
    """What somebody may do in a room."""

    HOST = "host"  # enters at once and admits others
    GUEST = "guest"  # waits until a host admits them


@dataclass(frozen=True)
class Opening:
    """When a room is open.

    Args:
        opens_at: from when on people may come; None where no time is set yet, or it is over.
        starts_at: the booked start, where there is one.
        until: when everybody is sent home at the latest; None where it is not open.
    """

    state: RoomState
    opens_at: datetime | None = None
    starts_at: datetime | None = None
    until: datetime | None = None


def opening(status: Status, booking: BookingView | None, started_at: datetime | None, now: datetime) -> Opening:
    """Tell whether a room is open at `now`: from 15 minutes before the booked start, or as soon as the expert has
    begun; until the consultation ends, at the latest two hours after the booked end (or after the beginning, where it
    was late; a day after it where nothing was booked)."""
    if status in (Status.COMPLETED, Status.CANCELLED):
        return Opening(RoomState.CLOSED)
    if status is Status.IN_PROGRESS and started_at is not None:
        kept = booking is not None and booking.state is BookingState.KEPT
        until = started_at + LONGEST_WITHOUT_BOOKING
        if booking is not None and kept:
            until = max(booking.ends_at, started_at) + CLOSES_AFTER
        return _until(Opening(RoomState.OPEN, started_at, booking.starts_at if booking and kept else None, until), now)
    if status is Status.ASSIGNED and booking is not None and booking.state is BookingState.ACTIVE:
        opens_at = booking.starts_at - OPENS_BEFORE
        if now < opens_at:
            return Opening(RoomState.EARLY, opens_at, booking.starts_at)
        return _until(Opening(RoomState.OPEN, opens_at, booking.starts_at, booking.ends_at + CLOSES_AFTER), now)
    return Opening(RoomState.EARLY)


def _until(found: Opening, now: datetime) -> Opening:
    return found if found.until is not None and now < found.until else Opening(RoomState.CLOSED)


ROOM_ROLES: Mapping[Role, RoomRole] = {
    Role.PATIENT: RoomRole.GUEST,
    Role.GRASSROOTS_DOCTOR: RoomRole.HOST,
    Role.EXPERT: RoomRole.HOST,
}
"""What each who may enter may do there."""

LABELS: Mapping[Role, str] = {Role.PATIENT: "患者", Role.GRASSROOTS_DOCTOR: "医生", Role.EXPERT: "专家"}
"""How each is called there, in the order in which they are named."""


@dataclass(frozen=True)
class Stay:
    """Somebody was inside from `begins` to `ends`."""

    role: Role
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Attendance:
    """How a meeting went: from when to when somebody was inside, and for how long each role was."""

    begins: datetime
    ends: datetime
    by_role: Mapping[Role, timedelta]

    @property
    def met(self) -> bool:
        """Whether there were two who could talk."""
        return len(self.by_role) > 1

    @property
    def minutes(self) -> int:
        """How long it took, in minutes."""
        return minutes(self.ends - self.begins)

    def sentence(self) -> str:
        """Give the line of the timeline."""
        span = f"{local(self.begins):%H:%M}–{local(self.ends):%H:%M}"
        each = "、".join(
            f"{label}{minutes(self.by_role[role])}分钟" for role, label in LABELS.items() if role in self.by_role
        )
        if not self.met:
            return f"视频会诊室里只来了一方（{span}）：{each}"
        return f"视频会诊 {self.minutes}分钟（{span}）：{each}"


def attendance(stays: Iterable[Stay]) -> Attendance | None:
    """Add up the stays of a meeting; those of one role that overlap count once. None where nobody was inside."""
    held = sorted(stays, key=lambda stay: (stay.begins, stay.ends))
    if not held:
        return None
    by_role = {role: _covered([stay for stay in held if stay.role is role]) for role in LABELS}
    return Attendance(
        begins=held[0].begins,
        ends=max(stay.ends for stay in held),
        by_role={role: length for role, length in by_role.items() if length is not None},
    )


def minutes(length: timedelta) -> int:
    """Give a length in whole minutes, rounded half up; whoever was there was there for one minute at least."""
    return max(1, int(length.total_seconds() / 60 + 0.5))


def _covered(stays: Sequence[Stay]) -> timedelta | None:
    """The time that `stays`, in order of their beginning, cover together."""
    if not stays:
        return None
    total, reached = timedelta(), stays[0].begins
    for stay in stays:
        total += max(timedelta(), stay.ends - max(stay.begins, reached))
        reached = max(reached, stay.ends)
    return total
