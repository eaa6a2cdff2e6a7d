"""When something is written to a hospital again, and what its answer means. Pure functions and value types."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from backend.clock import backoff
from backend.records.hospital.faults import FAULT_SENTENCES, FaultCode
from backend.records.hospital.matching import Match

LEASE = timedelta(minutes=5)
"""So long a try may take; after that, whoever made it is taken for dead."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
_UNTIL_CONSENT = timedelta(days=1)
_MOST_TRIES = 8
_OUTAGES = frozenset({FaultCode.SLOW, FaultCode.DOWN, FaultCode.PAUSED})
_FINAL = frozenset({FaultCode.REFUSED, FaultCode.TOO_LARGE, FaultCode.NOT_FOUND})


class WriteState(StrEnum):
    """Where it stands that a hospital hears of a consultation."""

    WAITING = "waiting"
    WRITTEN = "written"
    UNKNOWN_PATIENT = "unknown_patient"  # the hospital does not have them, so there is no record to write into
    DEAD = "dead"  # not tried again until a person asks for it


NO_CONSENT = "no_consent"
UNMATCHED = "patient_unmatched"
INTERNAL = "internal"

SENTENCES: dict[str, str] = {fault.value: sentence for fault, sentence in FAULT_SENTENCES.items()} | {
    NO_CONSENT: "患者目前没有同意，先不写入医院病历，每天再看一次。",
    UNMATCHED: "医院里的患者和我们这里的对不上，没有写入，请核对后重新发送。",
    INTERNAL: "写入医院病历时我们的系统出了错，会自动再试。",
}
"""What administrators read."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a try: its state, why, and after which pause it is tried again (None: not at all)."""

    state: WriteState
    fault: str = ""
    pause: timedelta | None = None


WRITTEN = Verdict(WriteState.WRITTEN)
WITHOUT_CONSENT = Verdict(WriteState.WAITING, NO_CONSENT, _UNTIL_CONSENT)


def verdict_of_match(result: Match) -> Verdict | None:
    """Judge what the search for the patient came to; None where they were found."""
    if result is Match.ONE:
        return None
    if result is Match.NOBODY:
        return Verdict(WriteState.UNKNOWN_PATIENT)
    return Verdict(WriteState.DEAD, UNMATCHED)


def verdict_of_fault(fault: FaultCode, attempts: int, asked_to_wait: float | None, fraction: float) -> Verdict:
    """Judge a fault of a hospital. An outage is waited out however long it lasts; a refusal is final; what a person or
    chance may mend is tried some times.

    Args:
        attempts: how often it was tried, with this. asked_to_wait: seconds, where the hospital said so.
        fraction: a random number of [0, 1).
    """
    if fault in _FINAL or (fault not in _OUTAGES and attempts >= _MOST_TRIES):
        return Verdict(WriteState.DEAD, fault.value)
    return Verdict(WriteState.WAITING, fault.value, pause(attempts, asked_to_wait, fraction))


def pause(attempts: int, asked_to_wait: float | None, fraction: float) -> timedelta:
    """Give how long to wait after the `attempts`-th failure in a row: exponential, at most an hour, of which the second
    half is chance, so that queues do not come back all at once; and at least as long as the hospital asked for."""
    whole = backoff(attempts, _FIRST_PAUSE, _LONGEST_PAUSE).total_seconds() * (0.5 + fraction / 2)
    return timedelta(seconds=max(whole, min(asked_to_wait or 0, _LONGEST_PAUSE.total_seconds())))
