"""Images in chat: the card for those who treat, a sentence for the patient, and whose they are where that is unsure."""

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from backend.events import Event
from backend.imaging import TRANSFER_SENTENCES, Failure, Unacceptable
from backend.imaging.linking import SETTLED_AFTER
from backend.security.policy import SYSTEM, Actor
from bot.messages import Link, Message
from bot.notifications.consumer import handlers
from bot.notifications.notifier import Notifier
from bot.templates import fill
from tests.bot.flows.staff.conftest import County
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.stories import Phone


@dataclass
class Township:
    """The township centre's machine beside the county."""

    county: County
    machine: Actor

    async def sends(self, *numbers: int, study: int = 1, **said: str) -> None:
        """Let slices of a study come, and the time after which it is told of pass."""
        house = self.county.story.house
        for number in numbers:
            file = as_file(ct_slice(number, study=study, **of_patient(**said)))
            await house.services.imaging.receive(self.machine, streamed(file))
        await self.county.story.move_to(house.clock.now() + SETTLED_AFTER)

    @property
    def people(self) -> tuple[Phone, Phone, Phone]:
        """Patient, doctor and expert."""
        return self.county.patient, self.county.doctor, self.county.expert


@pytest_asyncio.fixture
async def township(county: County) -> Township:
    house = county.story.house
    imaging, place = house.services.imaging, house.institutions["黄坡镇卫生院"]
    token = (await imaging.register_stow_sender(SYSTEM, place, "放射科CT")).token
    machine = await imaging.sender_of_token(token)
    assert machine is not None
    return Township(county, machine)


async def case_of(county: County) -> Any:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    for phone in (county.patient, county.doctor, county.expert):
        await phone.hear()
    return case


def cards(messages: list[Message]) -> list[Link]:
    return [message for message in messages if isinstance(message, Link)]


async def test_doctor_and_expert_get_the_card_and_the_patient_a_sentence(township: Township) -> None:
    county = township.county
    case = await case_of(county)
    await township.sends(1, 2, 3, name="张^小明", accession=case.number)
    for phone in (county.doctor, county.expert):
        [card] = cards(await phone.heard())
        assert card.url == f"http://house.test/h5/viewer/{case.id}"
        assert "一共3张" in card.description
    assert await county.patient.hear() == "您的检查图像已经到了，医生会看。"


async def test_when_more_comes_those_who_treat_hear_again_and_the_patient_does_not(township: Township) -> None:
    county = township.county
    case = await case_of(county)
    await township.sends(1, name="张^小明", accession=case.number)
    for phone in township.people:
        await phone.hear()
    await township.sends(2, 3, name="张^小明", accession=case.number)
    [card] = cards(await county.expert.heard())
    assert "一共3张" in card.description
    assert await county.patient.hear() == ""


async def test_an_expert_who_takes_the_case_later_gets_the_card_then(township: Township) -> None:
    county = township.county
    case = await county.story.open_case(county.patient)
    await township.sends(1, 2, name="张^小明", accession=case.number)
    await county.story.submit(case, county.doctor)
    await county.expert.hear()
    await county.story.accept(case, county.expert)
    [card] = cards(await county.expert.heard())
    assert (card.title, card.url) == ("这例会诊有检查图像", f"http://house.test/h5/viewer/{case.id}")


async def test_the_short_form_of_a_card_says_nothing_clinical_and_no_name_in_full(township: Township) -> None:
    county = township.county
    case = await case_of(county)
    await township.sends(1, name="张^小明", accession=case.number)
    [card] = cards(await county.expert.heard())
    assert card.notice is not None
    shown = str(fill(card.notice, county.story.house.clock.now()))
    assert "检查图像到了" in shown
    assert "小明" not in shown
    assert "CT" not in shown


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"name": "李^雷"}, "姓名和会诊里的不一样"),
        ({"name": "张^小明", "accession": ""}, "没有找到对应的会诊"),
    ],
)
async def test_the_doctors_of_the_centre_hear_that_a_study_waits_what_differs_and_what_it_says(
    township: Township, said: dict[str, str], why: str
) -> None:
    county = township.county
    case = await case_of(county)
    await township.sends(1, 2, **({"accession": case.number} | said))
    heard = await county.doctor.heard()
    [card] = cards(heard)
    house = county.story.house
    [study] = await house.services.imaging.quarantined(await house.actor(county.doctor.person_id))
    assert card.url == f"http://house.test/h5/quarantine/{study.id}"
    assert why in card.description
    assert said["name"].replace("^", "") in card.description
    assert "2张" in card.description
    assert "李" not in str([getattr(message, "notice", None) for message in heard])
    for phone in (county.patient, county.expert, county.administrator):
        assert await phone.hear() == ""


async def test_where_no_doctor_of_the_centre_has_joined_the_administrators_hear_it_without_a_name(
    county: County,
) -> None:
    house = county.story.house
    imaging = house.services.imaging
    token = (await imaging.register_stow_sender(SYSTEM, house.institutions["省人民医院"], "放射科")).token
    machine = await imaging.sender_of_token(token)
    assert machine is not None
    await Township(county, machine).sends(1, name="李^雷")
    heard = await county.administrator.hear()
    assert "省人民医院：有一份检查图像（1张）" in heard
    assert "李" not in heard


async def test_the_administrators_hear_once_an_hour_that_a_machine_sends_what_is_not_taken(
    township: Township,
) -> None:
    imaging = township.county.story.house.services.imaging
    for number in range(1, 4):
        with pytest.raises(Unacceptable):
            await imaging.receive(township.machine, streamed(as_file(ct_slice(number))[:-500]))
    heard = await township.county.administrator.hear()
    assert heard.count("没收下") == 1
    assert "黄坡镇卫生院的设备" in heard
    assert "文件不完整" in heard


async def told(county: County, number: int, name: str, case_id: str, **facts: object) -> None:
    """Let people hear of the event with this number."""
    house = county.story.house
    event = Event(number, name, {"consultation_id": case_id, **facts}, house.clock.now())
    await handlers()[name](Notifier(house.services, event))


async def test_doctor_and_expert_hear_how_images_travel_to_the_experts_hospital(county: County) -> None:
    case = await case_of(county)
    await told(county, 1_001, "imaging.transfer_progress", case.id, arrived=180, total=320)
    assert "已传 180/320 张" in await county.doctor.hear()
    assert await county.expert.hear() == ""
    await told(county, 1_002, "imaging.transfer_finished", case.id, arrived=320, total=320)
    for phone in (county.doctor, county.expert):
        assert "一共320张" in await phone.hear()
    assert await county.patient.hear() == ""


@pytest.mark.parametrize("failure", list(Failure))
async def test_the_doctor_hears_why_images_do_not_go_on(county: County, failure: Failure) -> None:
    case = await case_of(county)
    await told(county, 1_003, "imaging.transfer_stuck", case.id, reason=failure.value)
    heard = await county.doctor.hear()
    assert TRANSFER_SENTENCES[failure] in heard
    assert "专家现在就可以在这里看图" in heard
