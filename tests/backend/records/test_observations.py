"""Observations: what can be is kept, what was wrong is replaced, and nobody reads a stranger's."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.records import Mark, NewObservation, Source, mark
from backend.records.rules import check_observations, check_value, graded
from backend.records.tables import Observation
from backend.security.policy import SYSTEM
from backend.security.tables import AuditEntry
from data.observations import observation_kinds
from tests.backend.records.conftest import Ward

KINDS = observation_kinds()


def pressure(upper: float, lower: float, **more: Any) -> list[NewObservation]:
    return [NewObservation("systolic", upper, **more), NewObservation("diastolic", lower, **more)]


async def test_what_was_measured_is_kept_in_the_kinds_own_unit(ward: Ward) -> None:
    noted = await ward.records.record(
        ward.patient, ward.patient.person_id, [NewObservation("glucose_fasting", "117", "mg/dL")]
    )
    assert [(one.shown, one.source) for one in noted] == [("6.5mmol/L", Source.PATIENT)]
    [seen] = await ward.records.history(ward.doctor, ward.patient.person_id)
    assert seen == noted[0]
    [told] = await ward.clinic.published("observations.recorded")
    assert told["kinds"] == ["glucose_fasting"]
    assert "6.5" not in str(told)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (pressure(15, 95), "收缩压（高压）15mmHg不太可能"),
        (pressure(95, 150), "高压要比低压高"),
        ([NewObservation("glucose", 6.5, "g/L")], "没法换算"),
        ([NewObservation("temperature", "很高")], "要填数字"),
        ([NewObservation("temperature", "nan")], "要填数字"),
        ([NewObservation("mood", 3)], "不认识"),
        ([NewObservation("urine_protein", "很多")], "只能是"),
        ([], "至少一项"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(
    ward: Ward, given_: list[NewObservation], words: str
) -> None:
    patient = ward.patient
    with pytest.raises(InvalidInput) as refused:
        await ward.records.record(patient, patient.person_id, [*given_, NewObservation("spo2", 97)] if given_ else [])
    assert words in refused.value.sentence
    assert await ward.records.history(patient, patient.person_id) == []


async def test_what_will_be_measured_tomorrow_is_refused_and_what_was_last_year_is_kept(ward: Ward) -> None:
    now, person = ward.clinic.clock.now(), ward.patient.person_id
    with pytest.raises(InvalidInput):
        await ward.records.record(ward.patient, person, [NewObservation("spo2", 97, taken_at=now + timedelta(days=1))])
    old = now - timedelta(days=400)
    [kept] = await ward.records.record(ward.patient, person, [NewObservation("spo2", 97, taken_at=old)])
    assert kept.taken_at == old


async def test_the_same_origin_is_one_observation(ward: Ward) -> None:
    person = ward.patient.person_id
    reading = [NewObservation("heart_rate", 72, origin="device:cuff:17"), NewObservation("spo2", 97)]
    for _ in range(3):
        await ward.records.record(SYSTEM, person, reading, source=Source.DEVICE, recorded_by="cuff")
    rates = await ward.records.history(ward.patient, person, kinds=["heart_rate"])
    assert [(one.value, one.source, one.recorded_by) for one in rates] == [("72", Source.DEVICE, "cuff")]
    assert len(await ward.records.history(ward.patient, person, kinds=["spo2"])) == 3


async def test_a_chain_of_corrections_shows_its_last_link_alone(ward: Ward) -> None:
    person = ward.patient.person_id
    [first] = await ward.records.record(ward.patient, person, [NewObservation("weight", 26)])
    second = await ward.records.correct(ward.patient, first.id, 62)
    third = await ward.records.correct(ward.doctor, second.id, "62.5")
    assert await ward.records.history(ward.patient, person) == [third]
    assert (third.value, third.taken_at, third.source) == ("62.5", first.taken_at, Source.PATIENT)
    assert (await ward.records.latest(ward.patient, person, ["weight", "height"])) == {"weight": third}
    for old in (first, second):
        assert await ward.records.observation(ward.patient, old.id) == old  # nothing was rewritten
        with pytest.raises(Conflict):
            await ward.records.correct(ward.patient, old.id, 63)
    await ward.records.withdraw(ward.patient, third.id)
    assert await ward.records.history(ward.patient, person) == []
    with pytest.raises(Conflict):
        await ward.records.withdraw(ward.patient, third.id)


async def test_two_corrections_at_once_are_one(ward: Ward) -> None:
    person = ward.patient.person_id
    [first] = await ward.records.record(ward.patient, person, [NewObservation("weight", 26)])
    done = await asyncio.gather(
        *(ward.records.correct(ward.patient, first.id, value) for value in (60, 61, 62, 63)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in done) == 3, done
    assert len(await ward.records.history(ward.patient, person)) == 1


async def test_a_corrected_pressure_still_has_to_fit_the_other_one(ward: Ward) -> None:
    upper, lower = await ward.records.record(ward.patient, ward.patient.person_id, pressure(150, 95))
    with pytest.raises(InvalidInput, match="invalid_input"):
        await ward.records.correct(ward.patient, lower.id, 160)
    fixed = await ward.records.correct(ward.patient, upper.id, 170)
    await ward.records.correct(ward.patient, lower.id, 160)
    assert fixed.batch_id == lower.batch_id


async def test_a_stranger_reads_and_writes_nothing(ward: Ward) -> None:
    person, records = ward.patient.person_id, ward.records
    [noted] = await records.record(ward.patient, person, [NewObservation("spo2", 97)])
    stranger, expert = await ward.clinic.patient("路人"), await ward.clinic.expert()
    administrator = await ward.clinic.administrator()
    for actor in (stranger, expert, administrator):
        for attempt in (
            records.history(actor, person),
            records.latest(actor, person, ["spo2"]),
            records.background(actor, person),
            records.record(actor, person, [NewObservation("spo2", 90)]),
            records.add_allergy(actor, person, "青霉素"),
        ):
            with pytest.raises(Forbidden):
                await attempt
        for hidden in (
            records.observation(actor, noted.id),
            records.correct(actor, noted.id, 98),
            records.withdraw(actor, noted.id),
        ):
            with pytest.raises(NotFound):
                await hidden
    assert await records.history(ward.patient, person) == [noted]


async def test_the_expert_of_a_case_reads_its_patient(ward: Ward) -> None:
    expert = await ward.clinic.expert()
    await ward.clinic.care.submit(ward.doctor, ward.case_id)
    with pytest.raises(Forbidden):
        await ward.records.history(expert, ward.patient.person_id)
    await ward.clinic.accept(expert, ward.case_id)
    assert await ward.records.history(expert, ward.patient.person_id) == []


async def test_an_observation_names_no_consultation_of_somebody_else(ward: Ward) -> None:
    other = await ward.clinic.draft(await ward.clinic.patient("李四"))
    with pytest.raises(NotFound):
        await ward.records.record(
            ward.doctor, ward.patient.person_id, [NewObservation("spo2", 97)], consultation_id=other.id
        )


async def test_every_read_is_audited_and_no_value_lies_readable(ward: Ward) -> None:
    person = ward.patient.person_id
    await ward.records.record(ward.patient, person, [NewObservation("weight", "62.5", reference="50-70")])
    await ward.records.history(ward.doctor, person)
    async with ward.clinic.database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.patient_id == person))).all()
        raw = (await session.execute(text("SELECT value, reference FROM observations"))).all()
    assert {"records.read", "records.write"} <= {entry.action for entry in entries}
    assert "62.5" not in str(entries)
    assert b"62.5" not in raw[0][0]
    assert b"50-70" not in raw[0][1]


async def test_the_newest_by_measurement_comes_first(ward: Ward) -> None:
    now, person = ward.clinic.clock.now(), ward.patient.person_id
    for hours in (5, 1, 9):
        taken = now - timedelta(hours=hours)
        await ward.records.record(ward.patient, person, [NewObservation("spo2", 90 + hours, taken_at=taken)])
    seen = await ward.records.history(ward.patient, person, since=now - timedelta(hours=6))
    assert [one.value for one in seen] == ["91", "95"]
    assert (await ward.records.latest(ward.patient, person, ["spo2"]))["spo2"].value == "91"


async def test_rows_are_added_and_never_changed(ward: Ward) -> None:
    [first] = await ward.records.record(ward.patient, ward.patient.person_id, [NewObservation("weight", 26)])
    await ward.records.correct(ward.patient, first.id, 62)
    async with ward.clinic.database.reading() as session:
        rows = (await session.scalars(select(Observation).order_by(Observation.id))).all()
    assert [(row.value, row.replaces_id) for row in rows] == [("26", None), ("62", first.id)]


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("阴性", "阴性"),
        ("阴性(-)", "阴性"),
        ("-", "阴性"),
        ("－", "阴性"),
        ("Neg", "阴性"),
        ("+-", "±"),
        ("±", "±"),
        ("弱阳性", "±"),
        ("+", "1+"),
        ("(+)", "1+"),
        ("1+", "1+"),
        ("+1", "1+"),
        ("++", "2+"),
        ("2＋", "2+"),
        ("阳性(++)", "2+"),
        ("阳性", "1+"),
        ("++++", "4+"),
        ("", None),
        ("2", None),
        ("5.6", None),
    ],
)
def test_a_strip_is_read_however_it_is_written(written: str, answer: str | None) -> None:
    assert graded(KINDS["urine_protein"], written) == answer


def test_a_value_is_marked_against_its_range() -> None:
    sodium, protein = KINDS["sodium"], KINDS["urine_protein"]
    healthy = sodium.reference("female", 600)
    assert [mark(sodium, value, healthy) for value in ("130", "137", "147", "150")] == [Mark.LOW, None, None, Mark.HIGH]
    assert mark(sodium, "130", None) is None
    assert [mark(protein, answer, None) for answer in ("阴性", "2+")] == [None, Mark.ABNORMAL]


@given(st.sampled_from([kind for kind in KINDS.values() if kind.unit]), st.data())
def test_a_kept_value_checks_out_as_itself(kind: Any, data: st.DataObject) -> None:
    value = data.draw(st.decimals(kind.lowest, kind.highest, places=kind.decimals))
    kept = check_value(kind, value)
    assert Decimal(kept) == value
    assert check_value(kind, kept) == kept


@given(st.text(max_size=12))
def test_no_words_whatever_break_the_check(words: str) -> None:
    now = datetime.now(UTC)
    for key in ("spo2", "urine_protein"):
        try:
            [checked] = check_observations([NewObservation(key, words)], now)
        except InvalidInput:
            continue
        assert checked.value
