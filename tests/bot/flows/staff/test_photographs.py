"""From the photographs of a case in chat to the page on which they are made images of a study."""

import pytest

from backend.security.policy import SYSTEM
from bot.messages import Choice, Link, Picture
from tests.bot.flows.staff.conftest import County
from tests.support.stories import Phone


async def photographed(county: County) -> str:
    """Let the doctor add a picture to a case that the expert has."""
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    await county.doctor.click(f"doctor.attach:{case.id}")
    await county.doctor.send_image()
    for phone in (county.doctor, county.expert, county.patient):
        await phone.hear()
    return case.id


@pytest.mark.parametrize("role", ["doctor", "expert"])
async def test_where_they_are_looked_at_a_button_leads_to_the_page(county: County, role: str) -> None:
    case = await photographed(county)
    phone: Phone = getattr(county, role)
    await phone.click(f"{role}.pictures:{case}")
    assert sum(isinstance(reply, Picture) for reply in phone.replies) == 1
    assert phone.choices == ["存成影像", "返回病例"]
    await phone.tap("存成影像")
    [card] = phone.replies
    assert isinstance(card, Link)
    assert card.url == f"http://house.test/h5/viewer/{case}"


async def test_what_is_an_image_already_is_not_offered_again(county: County) -> None:
    case, imaging = await photographed(county), county.story.house.services.imaging
    [photograph] = await imaging.photographs(SYSTEM, case)
    expert = await county.story.house.actor(county.expert.person_id)
    await imaging.convert_photograph(expert, case, photograph.file_id, names_visible=False)
    await county.expert.click(f"expert.pictures:{case}")
    assert county.expert.choices == ["返回病例"]


async def test_whose_case_it_is_not_is_led_nowhere(county: County) -> None:
    case = await photographed(county)
    await county.rival.tap_choice(Choice(f"expert.photo:{case}", "存成影像"))
    assert not any(isinstance(reply, Link) for reply in county.rival.replies)
