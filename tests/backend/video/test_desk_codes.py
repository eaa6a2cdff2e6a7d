"""Eight digits from the phone to the desktop: once, soon, and for one person."""

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.video.desk_codes import VALID_FOR, DeskCodeRefused
from backend.video.tables import DeskCode
from tests.backend.video.conftest import Booked


async def test_a_code_leads_to_the_person_and_their_room_once(booked: Booked) -> None:
    made = await booked.video.desk_code(booked.expert, booked.id)
    assert re.fullmatch(r"\d{8}", made.code)
    assert timedelta() < made.expires_at - booked.clinic.clock.now() <= VALID_FOR
    visitor = await booked.video.redeem_desk_code(made.code)
    assert (visitor.person_id, visitor.consultation_id) == (booked.expert.person_id, booked.id)
    with pytest.raises(DeskCodeRefused):
        await booked.video.redeem_desk_code(made.code)


async def test_a_code_is_over_after_five_minutes(booked: Booked) -> None:
    made = await booked.video.desk_code(booked.expert, booked.id)
    booked.clinic.clock.advance(VALID_FOR + timedelta(seconds=1))
    with pytest.raises(DeskCodeRefused):
        await booked.video.redeem_desk_code(made.code)


async def test_a_new_code_takes_the_place_of_the_one_before(booked: Booked) -> None:
    first = await booked.video.desk_code(booked.expert, booked.id)
    second = await booked.video.desk_code(booked.expert, booked.id)
    others = await booked.video.desk_code(booked.doctor, booked.id)
    with pytest.raises(DeskCodeRefused):
        await booked.video.redeem_desk_code(first.code)
    assert (await booked.video.redeem_desk_code(second.code)).person_id == booked.expert.person_id
    assert (await booked.video.redeem_desk_code(others.code)).person_id == booked.doctor.person_id


async def test_of_two_who_type_it_at_once_one_gets_in(booked: Booked) -> None:
    made = await booked.video.desk_code(booked.expert, booked.id)
    results = await asyncio.gather(
        *(booked.video.redeem_desk_code(made.code) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(result, DeskCodeRefused) for result in results) == 1


async def test_codes_are_not_stored_and_old_ones_go(booked: Booked) -> None:
    made = await booked.video.desk_code(booked.expert, booked.id)
    async with booked.clinic.database.reading() as session:
        [digest] = await session.scalars(select(DeskCode.digest))
    assert made.code not in digest
    booked.clinic.clock.advance(VALID_FOR)
    await booked.video.desk_code(booked.doctor, booked.id)
    async with booked.clinic.database.reading() as session:
        assert list(await session.scalars(select(DeskCode.person_id))) == [booked.doctor.person_id]
