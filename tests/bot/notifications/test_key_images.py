"""Key images in chat: the other side sees what was marked, as pictures, and a card where there is more."""

from typing import Any

import pytest
import pytest_asyncio

from backend.imaging.keyimages import QUIET_FOR
from backend.rendering import Window
from bot.messages import Link, Picture, Text
from bot.templates import fill
from tests.bot.flows.staff.conftest import County
from tests.bot.notifications.test_imaging import Township, case_of, township
from tests.support.imaging import ct_slice
from tests.support.stories import Phone

__all__ = ["township"]


class Film:
    """A case with a CT of some slices, and those who mark in it."""

    def __init__(self, county: County, case: Any, sops: list[str]) -> None:
        self.county = county
        self.case = case
        self.sops = sops

    async def mark(self, phone: Phone, *numbers: int) -> list[str]:
        """Mark slices as somebody on the page; give the marks."""
        house = self.county.story.house
        imaging, actor = house.services.imaging, await house.actor(phone.person_id)
        return [
            (await imaging.mark_key_image(actor, self.case.id, self.sops[number - 1], 1, Window(40, 400))).id
            for number in numbers
        ]

    async def unmark(self, phone: Phone, key_image_id: str) -> None:
        house = self.county.story.house
        actor = await house.actor(phone.person_id)
        await house.services.imaging.unmark_key_image(actor, self.case.id, key_image_id)

    async def wait(self) -> None:
        """Let the quiet minute pass."""
        await self.county.story.move_to(self.county.story.house.clock.now() + QUIET_FOR)


@pytest_asyncio.fixture
async def film(township: Township) -> Film:  # pytest's way to take another file's fixture
    county = township.county
    case = await case_of(county)
    await township.sends(1, 2, 3, 4, 5, name="张^小明", accession=case.number)
    for phone in township.people:
        await phone.hear()
    return Film(county, case, [ct_slice(number).SOPInstanceUID for number in range(1, 6)])


async def test_the_expert_gets_what_the_doctor_has_marked_as_pictures(film: Film) -> None:
    county = film.county
    await film.mark(county.doctor, 1, 3)
    assert await county.expert.heard() == []
    await film.wait()
    words, *pictures = await county.expert.heard()
    assert isinstance(words, Text)
    assert words.text.startswith("李强医生在图像里标了2张关键图，请您看一看。")
    assert [type(one) for one in pictures] == [Picture, Picture]
    for phone in (county.doctor, county.patient):
        assert await phone.heard() == []


async def test_the_doctor_gets_what_the_expert_has_marked(film: Film) -> None:
    await film.mark(film.county.expert, 2)
    await film.wait()
    words, picture = await film.county.doctor.heard()
    assert isinstance(words, Text)
    assert words.text.startswith("王建国专家在图像里标了1张关键图")
    assert isinstance(picture, Picture)
    assert await film.county.expert.heard() == []


async def test_of_many_three_are_sent_and_the_card_opens_the_rest(film: Film) -> None:
    await film.mark(film.county.doctor, 1, 2, 3, 4, 5)
    await film.wait()
    _, *pictures, card = await film.county.expert.heard()
    assert [type(one) for one in pictures] == [Picture] * 3
    assert isinstance(card, Link)
    assert card.url == f"http://house.test/h5/viewer/{film.case.id}"
    assert "一共5张" in card.description


async def test_what_is_taken_back_in_time_is_not_told(film: Film) -> None:
    [first] = await film.mark(film.county.doctor, 1)
    await film.unmark(film.county.doctor, first)
    await film.wait()
    assert await film.county.expert.heard() == []


async def test_more_marks_later_are_told_by_themselves(film: Film) -> None:
    await film.mark(film.county.doctor, 1)
    await film.wait()
    await film.county.expert.heard()
    await film.mark(film.county.doctor, 2)
    await film.wait()
    words, *pictures = await film.county.expert.heard()
    assert isinstance(words, Text)
    assert "标了1张" in words.text
    assert len(pictures) == 1


async def test_the_pictures_carry_no_name_and_the_short_form_says_nothing_clinical(film: Film) -> None:
    await film.mark(film.county.doctor, 1)
    await film.wait()
    words, picture = await film.county.expert.heard()
    assert isinstance(words, Text)
    assert isinstance(picture, Picture)
    data, media_type = await film.county.story.house.services.files.get(picture.file_id)
    assert media_type == "image/jpeg"
    for said in ("小明", film.case.number, film.sops[0]):
        assert said.encode() not in data
    assert words.notice is not None
    shown = str(fill(words.notice, film.county.story.house.clock.now()))
    assert "小明" not in shown
    assert "CT" not in shown


async def test_a_case_without_an_expert_tells_nobody(township: Township) -> None:
    county = township.county
    case = await county.story.open_case(county.patient)
    await township.sends(1, name="张^小明", accession=case.number)
    for phone in township.people:
        await phone.hear()
    film = Film(county, case, [ct_slice(1).SOPInstanceUID])
    await film.mark(county.doctor, 1)
    await film.wait()
    for phone in (county.expert, county.doctor, county.patient):
        assert await phone.heard() == []


@pytest.mark.parametrize("by", ["doctor", "expert"])
async def test_photographs_made_images_are_not_announced_as_a_new_study(film: Film, by: str) -> None:
    county, house = film.county, film.county.story.house
    await county.doctor.click("doctor.mine")
    await county.doctor.tap("张小明")
    await county.doctor.tap("添加资料")
    await county.doctor.send_image()
    actor = await house.actor(getattr(county, by).person_id)
    [photograph] = await house.services.imaging.photographs(actor, film.case.id)
    for phone in (county.expert, county.doctor, county.patient):
        await phone.heard()
    await house.services.imaging.convert_photograph(actor, film.case.id, photograph.file_id, names_visible=False)
    await film.wait()
    for phone in (county.expert, county.doctor, county.patient):
        assert await phone.heard() == []
    assert len(await house.services.imaging.studies_of(actor, film.case.id)) == 2
