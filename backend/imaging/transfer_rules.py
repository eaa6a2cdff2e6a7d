"""When an instance goes to a PACS, what its answer means, and when to try again. Pure functions and value types."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from backend.clock import backoff, local

BATCH_INSTANCES = 10
BATCH_BYTES = 64 * 1024**2
"""Most that goes in one request; a longer instance goes alone."""

ALONE_AFTER = 3
"""Attempts after which an instance goes alone."""

MOST_DAMAGES = 3
"""Times that our own object may fail to be read."""

_MOST_REFUSALS = 8
_AWAY_TOO_OFTEN = 8
_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=10)
_BUCKET = timedelta(seconds=10)
_SHORTEST_LEASE = timedelta(minutes=2)
_SLOWEST_BYTES_PER_SECOND = 50_000
_QUARTERS_FROM = 40
_DAY = 24 * 60

# PS3.4, table B.2-1, PS3.7, annex C, and PS3.18, table I.2-2.
_DUPLICATE = 0x0111
_NOT_TAKEN_AS_ENCODED = {0x0122, 0xC122}  # of C-STORE: no presentation context; of STOW-RS: no such transfer syntax
_PASSING = {0x0110, 0x0213}  # processing failure; resource limitation


class TransferState(StrEnum):
    """Where one instance stands on its way to one destination."""

    WAITING = "waiting"
    ARRIVED = "arrived"
    DEAD = "dead"  # not tried again until a person asks for it


class Failure(StrEnum):
    """Why an instance has not arrived."""

    AWAY = "away"  # nobody answers, or the line is cut
    UNAUTHORIZED = "unauthorized"
    WRONG_ADDRESS = "wrong_address"  # somebody answers who does not take instances, or does not know our AE title
    TOO_LARGE = "too_large"
    REFUSED = "refused"  # the destination says so of this instance
    UNSUPPORTED = "unsupported"  # neither as it is stored nor decoded
    DAMAGED = "damaged"  # our own object is missing or damaged
    # Of copies for teaching alone:
    NO_CONSENT = "no_consent"  # the patient's consent to it is missing, or was taken back meanwhile
    BURNED_IN = "burned_in"  # text is in the picture, or may be
    RECOGNIZABLE = "recognizable"  # the picture may show a face
    NO_IMAGE = "no_image"  # a report or another document
    NOT_CLEANED = "not_cleaned"  # something that identifies would be left, or that could not be found out


SENTENCES: dict[Failure, str] = {
    Failure.AWAY: "专家医院的影像系统暂时连不上，系统会一直自动重试。",
    Failure.UNAUTHORIZED: "专家医院的影像系统不认我们的账号或密码，请核对后重新发送。",
    Failure.WRONG_ADDRESS: "专家医院影像系统的地址或AE标题不对，请核对后重新发送。",
    Failure.TOO_LARGE: "这张影像太大，专家医院的影像系统收不下。",
    Failure.REFUSED: "专家医院的影像系统拒收这张影像。",
    Failure.UNSUPPORTED: "专家医院的影像系统读不了这种影像格式。",
    Failure.DAMAGED: "我们保存的这张影像读不出来，请让检查科室再传一次。",
    Failure.NO_CONSENT: "患者没有同意把检查图像用于教学，或者已经收回同意，所以没有送出。",
    Failure.BURNED_IN: "这张图像上印着字，或者可能印着字，怕认得出是谁，所以没有送出。",
    Failure.RECOGNIZABLE: "这张图像可能看得到患者的样子，所以没有送出。",
    Failure.NO_IMAGE: "这是报告或文件，不是图像，所以没有送出。",
    Failure.NOT_CLEANED: "这张图像里患者的信息没能确定已经全部去掉，所以没有送出。",
}
"""What people are told."""

OF_THE_DESTINATION = frozenset({Failure.UNAUTHORIZED, Failure.WRONG_ADDRESS})
"""What holds for everything that waits for the destination, until a person mends it."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of an instance: its new state, what it is tried again after, and whether decoded from then on."""

    state: TransferState
    failure: Failure | None = None
    pause: timedelta = timedelta()
    decode: bool = False


def arrived(status: int) -> bool:
    """Tell whether a DICOM status says that the instance is there: success, a warning (0xB000 coercion of data elements
    and its like, 0x0001, 0x0107, 0x0116), or a duplicate."""
    return status in (0x0000, 0x0001, 0x0107, 0x0116, _DUPLICATE) or status >> 12 == 0xB


def verdict(status: int, *, refusals: int, decoded: bool, fraction: float) -> Verdict:
    """Judge the answer about one instance.

    Args:
        status: DICOM status of C-STORE, or failure reason of STOW-RS. refusals: how often it was refused, with this.
        decoded: whether it was sent decoded already. fraction: a random number of [0, 1).
    """
    if arrived(status):
        return Verdict(TransferState.ARRIVED)
    if status in _NOT_TAKEN_AS_ENCODED:
        if decoded:
            return Verdict(TransferState.DEAD, Failure.UNSUPPORTED)
        return Verdict(TransferState.WAITING, decode=True)
    passing = status in _PASSING or status >> 8 == 0xA7
    if passing and refusals < _MOST_REFUSALS:
        return Verdict(TransferState.WAITING, Failure.REFUSED, pause(refusals, fraction))
    return Verdict(TransferState.DEAD, Failure.REFUSED)


def pause(failures: int, fraction: float) -> timedelta:
    """Give how long to wait after the `failures`-th failure in a row: exponential, at most ten minutes, of which the
    second half is chance (`fraction` of [0, 1)), so that queues do not come back all at once."""
    whole = backoff(failures, _FIRST_PAUSE, _LONGEST_PAUSE)
    return timedelta(seconds=whole.total_seconds() * (0.5 + fraction / 2))


def is_away_too_long(failures: int) -> bool:
    """Tell whether people should hear that a destination is away: after some ten minutes."""
    return failures >= _AWAY_TOO_OFTEN


def goes_alone(attempts: int) -> bool:
    """Tell whether an instance is suspected of cutting the line: it goes alone, so that it holds up no other."""
    return attempts >= ALONE_AFTER


def lease(size: int) -> timedelta:
    """Give how long sending so many bytes may take; after that, whoever did it is taken for dead."""
    return _SHORTEST_LEASE + timedelta(seconds=size / _SLOWEST_BYTES_PER_SECOND)


def line_free_at(free_at: datetime | None, now: datetime, size: int, bytes_per_second: int) -> datetime:
    """Give when the line is free again after `size` bytes that go now: a token bucket, kept as one moment.

    While the line was idle it saved up at most ten seconds' worth.
    """
    start = max(free_at or now - _BUCKET, now - _BUCKET)
    return start + timedelta(seconds=size / bytes_per_second)


def batch_bytes(bytes_per_second: int | None) -> int:
    """Give how many bytes may go in one request: with a limit, no more than the bucket holds."""
    if bytes_per_second is None:
        return BATCH_BYTES
    return min(BATCH_BYTES, int(bytes_per_second * _BUCKET.total_seconds()))


def is_open(now: datetime, start: int | None, end: int | None) -> bool:
    """Tell whether `now` lies in a daily window of minutes after midnight in China, which may pass midnight. Without a
    window it is always open."""
    if start is None or end is None:
        return True
    here = local(now)
    minute = here.hour * 60 + here.minute
    return (minute - start) % _DAY < (end - start) % _DAY


def worth_telling(told: int, there: int, total: int) -> bool:
    """Tell whether people should hear how many are there: at the end, and of a long study at every quarter.

    Args:
        told: how many they last heard of.
    """
    if there == total:
        return told != total
    return total >= _QUARTERS_FROM and there * 4 // total > told * 4 // total
