"""Keeping measured values: recorded, told to the doctors where they cannot wait, read back, corrected."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from backend.errors import IllegalMove
from backend.records import Assessment, NewObservation, ObservationView, of_vitals
from backend.security.policy import Role
from bot.cards.case import case_line
from bot.cards.observations import advice, alarm_flags, said_back, values_in_words, warning
from bot.dialogue import Turn, is_practitioner
from bot.flows import my
from bot.flows.relatives import whose
from bot.messages import Choice, Menu
from bot.wording import lines, moment
from data.observations import dangers_in

_NOTED = "noted"
_CORRECTED_WITHIN = timedelta(minutes=30)
_CRITICAL = 1


async def keep(
    turn: Turn, patient_id: str, vitals: dict[str, Any], days_ago: int, consultation_id: str | None = None
) -> None:
    """Keep checked values of a patient, and read them back to who sent them.

    Args:
        vitals: by the codes of `backend.consultation.vitals`. days_ago: when they were measured.
        consultation_id: the case in which they were said, if any; with it a doctor's go into its record too.
    """
    taken_at = turn.services.clock.now() - timedelta(days=days_ago)
    given = [NewObservation(one.kind, one.value, taken_at=taken_at) for one in of_vitals(vitals)]
    noted = await turn.services.records.record(turn.actor, patient_id, given, consultation_id=consultation_id)
    await _put_into_case(turn, consultation_id, vitals)
    await _read_back(turn, noted, "记下了")


def advice_of(vitals: dict[str, Any]) -> str:
    """Say what to do at once about values of which nobody knows yet whose they are; "" where they can wait."""
    return advice(_assessed(vitals))


def warning_of(vitals: dict[str, Any]) -> str:
    """Say the same to a doctor."""
    return warning(_assessed(vitals))


def _assessed(vitals: dict[str, Any]) -> Assessment:
    values = {one.kind: Decimal(str(one.value)) for one in of_vitals(vitals)}
    return Assessment({}, dangers_in(values, age_months=None))


async def correct_last(turn: Turn, vitals: dict[str, Any]) -> bool:
    """Correct what was kept last by values that take it back; tell whether there was something to correct."""
    noted = turn.state.data.get(_NOTED)
    if noted is None:
        return False
    if turn.services.clock.now() - datetime.fromisoformat(noted["at"]) > _CORRECTED_WITHIN:
        return False
    return await correct(turn, noted["batch"], vitals)


async def correct(turn: Turn, batch_id: str, vitals: dict[str, Any]) -> bool:
    """Put values in the place of those of a batch; False where the batch has no such values."""
    standing = {one.kind_key: one for one in await turn.services.records.batch(turn.actor, batch_id)}
    new = {one.kind: one.value for one in of_vitals(vitals)}
    if not set(new) <= set(standing):
        return False
    values = {standing[kind].id: value for kind, value in new.items()}
    corrected = await turn.services.records.correct_together(turn.actor, values)
    await _put_into_case(turn, corrected[0].consultation_id, vitals)
    await _read_back(turn, corrected, "改过来了")
    return True


async def _put_into_case(turn: Turn, consultation_id: str | None, vitals: dict[str, Any]) -> None:
    """Put a doctor's values into the case's record; experts only read it."""
    if consultation_id is None or Role.GRASSROOTS_DOCTOR not in turn.actor.roles:
        return
    try:
        await turn.services.consultations.add_findings(turn.actor, consultation_id, vitals=vitals)
    except IllegalMove:  # it has ended meanwhile; the patient's record has the values all the same
        return


async def _read_back(turn: Turn, noted: list[ObservationView], done: str) -> None:
    at = turn.services.clock.now()
    turn.state.data = {**turn.state.data, _NOTED: {"batch": noted[0].batch_id, "at": at.isoformat()}}
    assessment = await turn.services.records.assess(turn.actor, noted[0].patient_id, noted)
    wrong = Choice(f"measure.wrong:{noted[0].batch_id}", "记错了")
    trend = Choice(f"trend.of:{noted[0].batch_id}", "看变化")
    if is_practitioner(turn.actor):
        turn.say(Menu(await _to_doctor(turn, noted, assessment, done), (wrong, trend)))
        return
    words = await _to_patient(turn, noted, assessment, done)
    critical = any(danger.level == _CRITICAL for danger in assessment.dangers)
    called_120 = (Choice("patient.called", "已打120"),) if critical else ()
    turn.say(Menu(words, (*called_120, wrong, trend, Choice("patient.start", "我不舒服"))))


async def _to_patient(turn: Turn, noted: list[ObservationView], assessment: Assessment, done: str) -> str:
    patient_id = noted[0].patient_id
    case = next((one for one in await my.running(turn) if one.patient_id == patient_id), None)
    if assessment.dangers and case is not None:
        await turn.services.consultations.raise_alarm(turn.actor, case.id, alarm_flags(assessment))
    name = await whose(turn, patient_id)
    when = moment(noted[0].taken_at, turn.services.clock.now())
    head = f"{done}（{name}，{when}）：" if name else f"{done}（{when}）："
    return said_back(head, noted, assessment, doctors_know=case is not None)


async def _to_doctor(turn: Turn, noted: list[ObservationView], assessment: Assessment, done: str) -> str:
    case_id = noted[0].consultation_id
    who = case_line(await turn.services.consultations.get(turn.actor, case_id)) if case_id else ""
    when = moment(noted[0].taken_at, turn.services.clock.now())
    return lines(warning(assessment), who, f"{done}（{when}）：{values_in_words(noted, assessment)}。")
