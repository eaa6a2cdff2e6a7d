"""Photographs of slips: read once in the background, also after a crash, and kept only after a yes."""

import asyncio
import socket
from collections.abc import Sequence
from datetime import timedelta

import pytest

from backend.errors import Forbidden, IllegalMove, InvalidInput, NotFound
from backend.photographs import CleanPicture
from backend.records import Mark, Source
from backend.records.slips.lines import Word
from backend.records.slips.reading import read_slip
from backend.records.slips.rules import SlipState, SlipView
from backend.records.slips.service import MOST_ATTEMPTS, SlipService
from backend.records.slips.words import read_words
from tests.backend.records.conftest import Ward
from tests.backend.records.test_slip_reading import words_of
from tests.support.slips import BLOOD_SLIP, CHEMISTRY_SLIP, LETTER, Paper, photograph


class Eye:
    """Reads what it is told that the picture shows; how often it looked, and what happens before it can."""

    def __init__(self) -> None:
        self.paper: Paper = BLOOD_SLIP
        self.looked = 0
        self.fails: list[Exception] = []
        self.held: asyncio.Event | None = None
        self.looking = asyncio.Event()

    async def __call__(self, data: bytes) -> Sequence[Word]:
        self.looked += 1
        self.looking.set()
        if self.held is not None:
            await self.held.wait()
        if self.fails:
            raise self.fails.pop(0)
        return words_of(self.paper)


@pytest.fixture
def eye() -> Eye:
    return Eye()


@pytest.fixture
def slips(ward: Ward, eye: Eye) -> SlipService:
    """The slips of the ward, read without a process."""
    made = make_slips(ward)
    made.read_with(eye)
    return made


def make_slips(ward: Ward) -> SlipService:
    clinic = ward.clinic
    return SlipService(
        clinic.database, clinic.clock, clinic.events, clinic.audit, clinic.people, clinic.files, ward.records
    )


async def taken(ward: Ward, slips: SlipService) -> SlipView:
    """Let the patient send a photograph and say that it is a slip, and have it read."""
    file_id = await ward.clinic.picture(ward.patient)
    slip = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
    assert await slips.read_next()
    return await slips.slip(ward.patient, slip.id)


async def test_a_slip_is_kept_after_a_yes_and_not_before(ward: Ward, slips: SlipService) -> None:
    slip = await taken(ward, slips)
    person = ward.patient.person_id
    assert slip.state is SlipState.READ
    assert await ward.records.history(ward.patient, person) == []
    noted = await slips.keep(ward.patient, slip.id)
    assert {one.source for one in noted} == {Source.SLIP}
    assert {one.taken_at.date().isoformat() for one in noted} == {"2026-11-20"}
    assert len({one.batch_id for one in noted}) == 1
    assessment = await ward.records.assess(ward.doctor, person, noted)
    marks = {one.kind_key: assessment.marks.get(one.id) for one in noted}
    assert (marks["wbc"], marks["haemoglobin"], marks["platelets"]) == (Mark.HIGH, Mark.LOW, None)
    with pytest.raises(IllegalMove):
        await slips.keep(ward.patient, slip.id)
    assert len(await ward.records.history(ward.patient, person)) == len(noted)


async def test_a_misread_row_is_corrected_or_left_out(ward: Ward, slips: SlipService) -> None:
    slip = await taken(ward, slips)
    slip = await slips.correct(ward.patient, slip.id, 3, "12.8g/dL")
    slip = await slips.leave_out(ward.patient, slip.id, 1)
    with pytest.raises(InvalidInput):
        await slips.correct(ward.patient, slip.id, 2, "435")
    with pytest.raises(NotFound):
        await slips.correct(ward.patient, slip.id, 99, "1")
    kept = {one.kind_key: one.value for one in await slips.keep(ward.patient, slip.id)}
    assert kept["haemoglobin"] == "128"
    assert kept["rbc"] == "4.35"
    assert "wbc" not in kept


async def test_a_slip_that_is_not_wanted_leaves_nothing(ward: Ward, slips: SlipService) -> None:
    slip = await taken(ward, slips)
    await slips.drop(ward.patient, slip.id)
    assert (await slips.slip(ward.patient, slip.id)).rows == ()
    assert await slips.open_slip(ward.patient) is None
    with pytest.raises(IllegalMove):
        await slips.keep(ward.patient, slip.id)


async def test_nobody_but_its_sender_sees_or_keeps_a_slip(ward: Ward, slips: SlipService) -> None:
    slip = await taken(ward, slips)
    stranger = await ward.clinic.patient("路人")
    for actor in (stranger, ward.doctor):
        for attempt in (
            slips.slip(actor, slip.id),
            slips.correct(actor, slip.id, 1, "5"),
            slips.keep(actor, slip.id),
            slips.drop(actor, slip.id),
        ):
            with pytest.raises(NotFound):
                await attempt
    file_id = await ward.clinic.picture(ward.patient)
    with pytest.raises(NotFound):
        await slips.take(stranger, file_id, patient_id=stranger.person_id)
    with pytest.raises(Forbidden):
        await slips.take(stranger, file_id, patient_id=ward.patient.person_id)
    with pytest.raises(Forbidden):
        await slips.keep(ward.patient, slip.id, stranger.person_id)
    assert (await slips.slip(ward.patient, slip.id)).state is SlipState.READ


async def test_a_childs_slip_is_kept_for_the_child(ward: Ward, slips: SlipService) -> None:
    slip = await taken(ward, slips)
    child = await ward.clinic.people.add_relative(ward.patient, relation="child", name="小宝")
    mother = await ward.clinic.people.actor(ward.patient.person_id)
    await slips.keep(mother, slip.id, child)
    assert await ward.records.history(mother, mother.person_id) == []
    assert len(await ward.records.history(mother, child)) == 6


async def test_a_picture_of_a_case_is_offered_where_it_is_a_slip_and_passed_over_where_it_is_none(
    ward: Ward, slips: SlipService, eye: Eye
) -> None:
    for paper in (BLOOD_SLIP, LETTER):
        eye.paper = paper
        await ward.clinic.care.attach(ward.patient, ward.case_id, await ward.clinic.picture(ward.patient))
        await ward.settle()
        assert await slips.read_next()
    [told] = await ward.clinic.published("slip.read")
    assert told["sender_id"] == ward.patient.person_id
    assert await ward.clinic.published("slip.unreadable") == []
    slip = await slips.open_slip(ward.patient)
    assert slip is not None
    assert {one.consultation_id for one in await slips.keep(ward.patient, slip.id)} == {ward.case_id}


async def test_who_says_that_it_is_a_slip_hears_that_nothing_could_be_read(
    ward: Ward, slips: SlipService, eye: Eye
) -> None:
    eye.paper = LETTER
    slip = await taken(ward, slips)
    assert slip.state is SlipState.NO_SLIP
    [told] = await ward.clinic.published("slip.unreadable")
    assert told["slip_id"] == slip.id


async def test_the_same_picture_is_one_slip_and_read_once(ward: Ward, slips: SlipService, eye: Eye) -> None:
    file_id = await ward.clinic.picture(ward.patient)
    await ward.clinic.care.attach(ward.patient, ward.case_id, file_id)
    await ward.settle()
    first = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
    second = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
    assert first.id == second.id
    while await slips.read_next():
        pass
    assert eye.looked == 1


async def test_a_reader_that_dies_is_tried_again_and_given_up_in_the_end(
    ward: Ward, slips: SlipService, eye: Eye
) -> None:
    eye.fails = [RuntimeError("died")]
    file_id = await ward.clinic.picture(ward.patient)
    slip = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
    assert await slips.read_next()
    assert not await slips.read_next(), "it waits a while"
    ward.clinic.clock.advance(timedelta(minutes=1))
    assert await slips.read_next()
    assert (await slips.slip(ward.patient, slip.id)).state is SlipState.READ
    eye.fails = [RuntimeError("died")] * MOST_ATTEMPTS
    file_id = await ward.clinic.picture(ward.patient)
    slip = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
    for _ in range(MOST_ATTEMPTS):
        assert await slips.read_next()
        ward.clinic.clock.advance(timedelta(hours=1))
    assert not await slips.read_next()
    assert (await slips.slip(ward.patient, slip.id)).state is SlipState.NO_SLIP


async def test_a_restart_in_the_middle_reads_it_after_all(ward: Ward, eye: Eye, slips: SlipService) -> None:
    eye.held = asyncio.Event()
    file_id = await ward.clinic.picture(ward.patient)
    slip = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
    reading = asyncio.create_task(slips.read_next())
    await eye.looking.wait()
    reading.cancel()  # the process is gone
    await asyncio.gather(reading, return_exceptions=True)
    eye.held = None
    assert not await slips.read_next(), "somebody may still be at it"
    ward.clinic.clock.advance(timedelta(minutes=6))
    assert await slips.read_next()
    assert (await slips.slip(ward.patient, slip.id)).state is SlipState.READ


@pytest.mark.parametrize(
    ("picture", "kinds"),
    [
        (photograph(BLOOD_SLIP, tilt=4, blur=1.2), "wbc rbc haemoglobin platelets neutrophils_percent crp"),
        (photograph(CHEMISTRY_SLIP, quarters=1), "alt bilirubin_total creatinine uric_acid glucose potassium"),
        (photograph(LETTER), ""),
    ],
    ids=["tilted and blurred", "on its side, other units", "a letter"],
)
def test_photographs_are_read_with_nothing_fetched(
    picture: CleanPicture, kinds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something is fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    reading = read_slip(read_words(picture.data))
    assert {row.kind for row in reading.rows} == set(kinds.split())
    assert reading.is_slip is bool(kinds)
    if "creatinine" in kinds:
        assert {row.kind: row.value for row in reading.rows}["creatinine"] == "97.24"


async def test_a_process_of_its_own_reads(ward: Ward) -> None:
    slips = make_slips(ward)
    try:
        file_id = await ward.clinic.files.put_picture(photograph(BLOOD_SLIP), ward.patient.person_id)
        slip = await slips.take(ward.patient, file_id, patient_id=ward.patient.person_id)
        assert await slips.read_next()
        read = await slips.slip(ward.patient, slip.id)
    finally:
        slips.close()
    assert {row.kind: row.value for row in read.rows}["wbc"] == "11.2"
    assert read.name == "张秀英"
