"""A patient who has their data deleted is not in the library any more; what its readers have earned stays."""

from datetime import timedelta

from sqlalchemy import func, select

from backend.rights.rules import COOLING_OFF
from backend.teaching_cases.tables import TeachingCase, TeachingQuestion, TeachingTerm
from tests.support.teaching import QUESTION, Library


async def test_the_case_of_who_had_everything_deleted_is_empty_and_not_found(library: Library) -> None:
    patient = await library.patient()
    held = await library.published(patient, QUESTION)
    await library.house.services.erasures.ask(patient, patient.person_id)
    library.house.clock.advance(COOLING_OFF + timedelta(hours=1))
    await library.house.settle()
    async with library.house.database.reading() as session:
        row = await session.get_one(TeachingCase, held.id)
        question = (await session.scalars(select(TeachingQuestion))).one()
        assert await session.scalar(select(func.count()).select_from(TeachingTerm)) == 0
    assert (row.content, row.removed, row.proposed_reason, row.published_at) == ({}, [], "", None)
    assert (question.stem, question.options, question.active) == ("", [], False)
    assert await library.service.find_published(held.id) is None
