"""The video room in chat: the card in time, who waits, who came, the end, and the card for whoever asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest_asyncio

from backend.consultation.rules import Urgency
from backend.ids import new_id
from backend.video.nodes import NodeReport
from backend.video.tables import NodeState
from bot.messages import Choice, Link, Menu, Message
from bot.templates import fill
from tests.bot.flows.staff.conftest import County
from tests.support.stories import Phone


@dataclass
class Meeting:
    """A case with a booked time, and its room."""

    county: County
    id: str
    starts_at: datetime
    node_id: str

    @property
    def people(self) -> tuple[Phone, Phone, Phone]:
        """Patient, doctor and expert."""
        return self.county.patient, self.county.doctor, self.county.expert

    async def move_to(self, minutes: float) -> None:
        """Let the time come that lies so many minutes after the booked start."""
        await self.county.story.move_to(self.starts_at + timedelta(minutes=minutes))

    async def enters(self, phone: Phone, kind: str = "joined") -> None:
        """Let somebody come into the room, or wait before its door."""
        video = self.county.story.house.services.video
        report = NodeReport(self.node_id, "", "ws://media.test/", NodeState.SERVING, 10, 0, 0, 0.0, 0.0)
        await video.report_node(report, [])
        await video.enter(await self.county.story.house.actor(phone.person_id), self.id)
        await self.happens(phone, kind)

    async def happens(self, phone: Phone, kind: str) -> None:
        """Let the media process tell of something."""
        house = self.county.story.house
        await house.services.video.happened(kind, self.id, phone.person_id, house.clock.now(), self.node_id)

    async def quiet(self) -> None:
        """Let everybody read what has come so far."""
        for phone in self.people:
            await phone.hear()


@pytest_asyncio.fixture
async def meeting(county: County) -> Meeting:
    """Everybody has read everything so far."""
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    made = Meeting(county, case.id, await county.story.book(case, county.patient), new_id())
    await made.quiet()
    return made


async def cards(phone: Phone) -> list[Link]:
    """The cards that have come since the last look."""
    return [message for message in await phone.heard() if isinstance(message, Link)]


def url(message: Message, case_id: str) -> bool:
    """Whether a message is the card of the room."""
    return isinstance(message, Link) and message.url == f"http://house.test/h5/rooms/{case_id}"


async def test_ten_minutes_before_and_at_the_time_each_of_the_three_gets_the_card(meeting: Meeting) -> None:
    for minutes, said in ((-10, "视频会诊，还有10分钟"), (0, "会诊时间到了")):
        await meeting.move_to(minutes)
        for phone in meeting.people:
            [card] = await cards(phone)
            assert url(card, meeting.id)
            assert said in card.title


async def test_the_card_tells_the_patient_what_to_do_and_the_others_which_case_it_is(meeting: Meeting) -> None:
    await meeting.move_to(-10)
    [patient], [doctor], [_] = [await cards(phone) for phone in meeting.people]
    assert "跟王建国医生视频会诊" in patient.description
    assert "点这里进去" in patient.description
    assert "张小明·呼吸内科" in doctor.description


async def test_the_short_form_of_a_card_names_nobody_in_full_and_nothing_clinical(meeting: Meeting) -> None:
    await meeting.move_to(-10)
    [card] = await cards(meeting.county.patient)
    assert card.notice is not None
    shown = str(fill(card.notice, meeting.county.story.house.clock.now()))
    assert "张某某" in shown
    assert "小明" not in shown
    assert "咳嗽" not in shown


async def test_an_hour_before_there_is_no_card_yet(meeting: Meeting) -> None:
    await meeting.move_to(-60)
    for phone in meeting.people:
        heard = await phone.heard()
        assert heard
        assert not any(isinstance(message, Link) for message in heard)


async def test_in_an_urgent_case_the_card_comes_when_the_expert_begins(county: County) -> None:
    case = await county.story.open_case(county.patient, urgency=Urgency.URGENT)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    people = (county.patient, county.doctor, county.expert)
    for phone in people:
        await phone.hear()
    await county.story.house.services.consultations.start(
        await county.story.house.actor(county.expert.person_id), case.id
    )
    for phone in people:
        [card] = await cards(phone)
        assert url(card, case.id)


async def test_who_begins_at_the_booked_time_sends_no_second_card(meeting: Meeting) -> None:
    await meeting.move_to(1)
    await meeting.quiet()
    expert = await meeting.county.story.house.actor(meeting.county.expert.person_id)
    await meeting.county.story.house.services.consultations.start(expert, meeting.id)
    for phone in meeting.people:
        assert await cards(phone) == []


async def test_doctor_and_expert_hear_that_the_patient_waits_once(meeting: Meeting) -> None:
    await meeting.move_to(0)
    await meeting.quiet()
    patient, doctor, expert = meeting.people
    await meeting.enters(patient, "waiting")
    for phone in (doctor, expert):
        [card] = await cards(phone)
        assert card.title == "患者已在等候，请进会诊室"
        assert url(card, meeting.id)
    assert await patient.heard() == []
    meeting.county.story.house.clock.advance(timedelta(seconds=30))
    await meeting.happens(patient, "left")
    meeting.county.story.house.clock.advance(timedelta(seconds=30))
    await meeting.enters(patient, "waiting")
    assert await cards(doctor) == []


async def test_whoever_is_inside_sees_for_themselves(meeting: Meeting) -> None:
    await meeting.move_to(0)
    await meeting.quiet()
    patient, doctor, expert = meeting.people
    await meeting.enters(doctor)
    for phone in (patient, expert):
        [card] = await cards(phone)
        assert card.title == "医生已进会诊室，请您进来"
    meeting.county.story.house.clock.advance(timedelta(seconds=5))
    await meeting.enters(patient, "waiting")
    assert await doctor.heard() == []
    assert [card.title for card in await cards(expert)] == ["患者已在等候，请进会诊室"]


async def test_coming_and_going_is_told_once_a_meeting(meeting: Meeting) -> None:
    await meeting.move_to(0)
    await meeting.quiet()
    patient, doctor, _ = meeting.people
    for _ in range(5):
        await meeting.enters(doctor)
        meeting.county.story.house.clock.advance(timedelta(seconds=5))
        await meeting.happens(doctor, "left")
        meeting.county.story.house.clock.advance(timedelta(seconds=5))
    assert len(await cards(patient)) == 1


async def hold(meeting: Meeting, *, recorded: bool = False) -> None:
    """Let all three meet for twenty minutes, and leave."""
    house = meeting.county.story.house
    await meeting.move_to(0)
    for phone in meeting.people:
        await meeting.enters(phone, "admitted")
    if recorded:
        await house.services.video.begin_recording(new_id(), meeting.id, house.clock.now())
    await meeting.quiet()
    meeting.county.story.house.clock.advance(timedelta(minutes=20))
    for phone in meeting.people:
        await meeting.happens(phone, "left")
    await meeting.move_to(23)


async def test_at_the_end_all_three_hear_how_long_it_took(meeting: Meeting) -> None:
    await hold(meeting)
    for phone in meeting.people:
        assert "视频会诊结束了，一共20分钟" in await phone.hear()


async def test_a_meeting_that_was_recorded_can_be_seen_again_by_all_three(meeting: Meeting) -> None:
    await hold(meeting, recorded=True)
    for phone in meeting.people:
        [card] = await cards(phone)
        assert card.url == f"http://house.test/h5/recordings/{meeting.id}"
        assert "录像" in card.title


async def test_a_meeting_that_was_not_recorded_has_no_card(meeting: Meeting) -> None:
    await hold(meeting)
    for phone in meeting.people:
        assert await cards(phone) == []


async def test_whoever_waited_alone_in_vain_hears_of_no_meeting(meeting: Meeting) -> None:
    await meeting.move_to(0)
    expert = meeting.county.expert
    await meeting.enters(expert)
    await meeting.quiet()
    meeting.county.story.house.clock.advance(timedelta(minutes=1))
    await meeting.happens(expert, "left")
    await meeting.move_to(5)
    for phone in meeting.people:
        assert await phone.hear() == ""


async def test_whoever_asks_for_the_room_gets_its_card(meeting: Meeting) -> None:
    for phone in meeting.people:
        assert "现在没有开着的视频会诊室" in await phone.say("进入会诊室")
    await meeting.move_to(-12)
    for phone in meeting.people:
        await phone.say("进入会诊室。")
        [card] = phone.replies
        assert url(card, meeting.id)


async def test_the_words_are_not_relayed_while_the_thread_runs(meeting: Meeting) -> None:
    await meeting.move_to(0)
    expert = await meeting.county.story.house.actor(meeting.county.expert.person_id)
    await meeting.county.story.house.services.consultations.start(expert, meeting.id)
    await meeting.quiet()
    await meeting.county.patient.say("视频会诊")
    [card] = meeting.county.patient.replies
    assert url(card, meeting.id)
    assert await meeting.county.doctor.hear() == ""
    await meeting.county.patient.say("我想问视频会诊要钱吗")
    assert "我想问视频会诊要钱吗" in await meeting.county.doctor.hear()


async def test_a_case_leads_to_its_room_while_that_is_open(meeting: Meeting) -> None:
    patient, doctor, expert = meeting.people
    ways = ((patient, "patient.case"), (doctor, "doctor.case"), (expert, "expert.case"))
    for minutes, offered in ((-20, False), (-12, True)):
        await meeting.move_to(minutes)
        for phone, verb in ways:
            await phone.tap_choice(Choice(f"{verb}:{meeting.id}", "打开"))
            assert ("进视频会诊室" in phone.choices) is offered
    for phone, _ in ways:
        await phone.tap("进视频会诊室")
        assert url(phone.replies[0], meeting.id)


async def test_an_old_button_says_in_plain_words_that_it_is_too_early_or_over(meeting: Meeting) -> None:
    patient = meeting.county.patient
    assert "开门，到时候再点进来就行" in await patient.tap_choice(Choice(f"room.open:{meeting.id}", "进视频会诊室"))
    await meeting.move_to(0)
    await complete(meeting)
    assert "已经结束" in await patient.tap_choice(Choice(f"room.open:{meeting.id}", "进视频会诊室"))


async def complete(meeting: Meeting) -> None:
    """Let the expert begin and close."""
    house = meeting.county.story.house
    expert, care = await house.actor(meeting.county.expert.person_id), house.services.consultations
    await care.start(expert, meeting.id)
    await care.record_opinion(expert, meeting.id, icd10="J20.9", diagnosis="急性支气管炎", plan="多喝水。")
    await care.complete(expert, meeting.id)
    await house.settle()


async def test_of_several_open_rooms_the_expert_chooses(meeting: Meeting) -> None:
    county = meeting.county
    other = await county.story.patient("孙大爷")
    case = await county.story.open_case(other, urgency=Urgency.URGENT)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    await meeting.move_to(0)
    await county.story.start(case, county.expert)
    await county.expert.say("会诊室")
    [menu] = county.expert.replies
    assert isinstance(menu, Menu)
    assert sorted(choice.text for choice in menu.choices) == ["孙大爷患者", "张小明患者"]
    await county.expert.tap("孙大爷患者")
    assert url(county.expert.replies[0], case.id)


async def test_a_stranger_gets_nothing_from_somebody_elses_button(meeting: Meeting) -> None:
    await meeting.move_to(0)
    assert "没有权限" in await meeting.county.rival.tap_choice(Choice(f"room.open:{meeting.id}", "进视频会诊室"))
