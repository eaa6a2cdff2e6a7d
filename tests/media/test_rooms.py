"""Who is in a room, who waits before its door, what they agree to, and what they are asked to send."""

from typing import Any

import pytest

from media.connections import CAPACITY
from media.description import Source
from media.forwarding import Leg, Offer
from media.messages import Admit, Chat, Mute, Pointer, RecordingConsent, ShareScreen
from media.published import Watcher
from media.rooms import WAITING_MOST, Member, Room, RoomEvent, RoomRefusedError
from media.tokens import Pass, Role

FINE = Leg(0.0, 0.0, 0.005, 0.01, 0.04)
GONE = Leg(0.4, 0.0, 0.3, 1.0, 2.0)


class Page:
    """A page that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.closed = ""

    def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    send_look = send

    def close(self, code: str) -> None:
        self.closed = self.closed or code

    def last(self, kind: str) -> dict[str, Any]:
        return next(message for message in reversed(self.messages) if message["kind"] == kind)

    def count(self, kind: str) -> int:
        return sum(message["kind"] == kind for message in self.messages)


class Media:
    """Stands in for the forwarding: networks are what a test says."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.caps: dict[str, int] = {}
        self.only_audio: dict[str, bool] = {}

    def statistics(self, room: str, person: str) -> Leg | None:
        return self.legs.get(person)

    def cap(self, room: str, person: str, bitrate: int) -> None:
        assert person in self.legs, "the forwarding knows only those who are connected"
        self.caps[person] = bitrate

    def audio_only(self, room: str, person: str, only: bool) -> None:
        assert person in self.legs, "the forwarding knows only those who are connected"
        self.only_audio[person] = only

    async def run(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def publish(self, room: str, person: str) -> Offer:
        raise NotImplementedError

    async def subscribe(self, room: str, person: str) -> Offer:
        raise NotImplementedError

    def answer(self, connection: str, sdp: str, person: str) -> None:
        raise NotImplementedError

    async def add_candidate(self, connection: str, candidate: str, person: str) -> None:
        raise NotImplementedError

    def places(self, room: str, person: str) -> dict[str, str]:
        raise NotImplementedError

    def record(self, room: str, person: str, source: Source, watcher: Watcher | None) -> None:
        raise NotImplementedError

    def request_keyframe(self, room: str, person: str, source: Source) -> None:
        raise NotImplementedError

    async def leave(self, room: str, person: str) -> None:
        raise NotImplementedError

    def broadcast(self, room: str, sender: str, text: str) -> None:
        raise NotImplementedError


class House:
    """A room with what it told."""

    def __init__(self) -> None:
        self.media = Media()
        self.events: list[tuple[str, str]] = []
        self.room = Room("r", self.media, self.heard)
        self.pages: dict[str, Page] = {}

    def heard(self, event: RoomEvent) -> None:
        self.events.append((event.kind, event.person))

    def enter(self, person: str, role: Role = Role.HOST, until: float = 100.0) -> Member:
        page = Page()
        member = self.room.enter(Pass("r", person, role, person, "", until), page)
        self.pages[person] = page
        return member

    def admit(self, host: Member, person: str, admitted: bool = True) -> None:
        self.room.admit(host, Admit(kind="admit", person=person, admitted=admitted))

    def agree(self, member: Member, agree: bool = True) -> None:
        self.room.consent(member, RecordingConsent(kind="recording", agree=agree))

    @property
    def inside(self) -> list[str]:
        return [member.person for member in self.room.inside]


@pytest.fixture
def house() -> House:
    return House()


def stroke() -> Pointer:
    return Pointer(kind="pointer", on="doctor", source="camera", shape="circle", points=[(0.5, 0.5)], stroke="1")


def test_a_host_is_in_at_once_and_a_guest_waits(house: House) -> None:
    house.enter("expert")
    house.enter("patient", Role.GUEST)
    assert house.inside == ["expert"]
    assert house.pages["patient"].messages == [{"kind": "waiting"}]
    waiting = house.pages["expert"].last("people")["waiting"]
    assert [person["person"] for person in waiting] == ["patient"]


def test_who_waits_hears_and_sees_nothing_of_the_room(house: House) -> None:
    expert = house.enter("expert")
    house.enter("patient", Role.GUEST)
    house.room.chat(expert, Chat(kind="chat", text="说说化验单"))
    assert house.pages["patient"].messages == [{"kind": "waiting"}]


def test_a_host_opens_the_door(house: House) -> None:
    expert = house.enter("expert")
    house.enter("patient", Role.GUEST)
    house.admit(expert, "patient")
    assert house.inside == ["expert", "patient"]
    assert house.pages["patient"].last("joined")["you"] == "patient"
    assert house.pages["expert"].last("people")["waiting"] == []
    assert ("admitted", "patient") in house.events


def test_a_host_keeps_the_door_closed(house: House) -> None:
    expert = house.enter("expert")
    house.enter("patient", Role.GUEST)
    house.admit(expert, "patient", admitted=False)
    assert house.pages["patient"].closed == "refused"
    assert house.inside == ["expert"]


def test_a_guest_opens_the_door_to_nobody(house: House) -> None:
    expert = house.enter("expert")
    patient = house.enter("patient", Role.GUEST)
    house.enter("relative", Role.GUEST)
    house.admit(patient, "patient")
    house.admit(expert, "patient")
    house.admit(patient, "relative")
    assert house.inside == ["expert", "patient"]


def test_a_guest_sees_not_who_waits(house: House) -> None:
    expert = house.enter("expert")
    house.enter("patient", Role.GUEST)
    house.admit(expert, "patient")
    house.enter("relative", Role.GUEST)
    assert house.pages["patient"].last("people")["waiting"] == []


def test_a_second_device_takes_over_and_is_let_in_like_the_first(house: House) -> None:
    expert = house.enter("expert")
    house.enter("patient", Role.GUEST)
    house.admit(expert, "patient")
    first = house.room.members["patient"]
    old = house.pages["patient"]
    second = house.enter("patient", Role.GUEST)
    assert old.closed == "other_device"
    assert second.inside
    assert house.room.leave(first) is False
    assert house.inside == ["expert", "patient"]
    assert house.events.count(("joined", "patient")) == 1


def test_a_full_room_takes_nobody_else(house: House) -> None:
    hosts = [house.enter(f"host{n}") for n in range(CAPACITY)]
    with pytest.raises(RoomRefusedError, match="full"):
        house.enter("one more")
    house.enter("patient", Role.GUEST)
    house.admit(hosts[0], "patient")
    assert house.pages["host0"].last("error") == {"kind": "error", "code": "full"}
    house.room.leave(hosts[1])
    house.admit(hosts[0], "patient")
    assert "patient" in house.inside


def test_a_full_room_still_takes_another_device_of_somebody_inside(house: House) -> None:
    for n in range(CAPACITY):
        house.enter(f"host{n}")
    house.enter("host2")
    assert len(house.inside) == CAPACITY


def test_who_waits_cannot_get_into_a_full_room_as_somebody_else(house: House) -> None:
    for n in range(CAPACITY):
        house.enter(f"host{n}")
    house.enter("relative", Role.GUEST)
    with pytest.raises(RoomRefusedError):
        house.enter("relative", Role.HOST)
    assert house.pages["relative"].closed == ""


def test_only_so_many_wait_before_the_door(house: House) -> None:
    for n in range(WAITING_MOST):
        house.enter(f"guest{n}", Role.GUEST)
    with pytest.raises(RoomRefusedError):
        house.enter("one more", Role.GUEST)
    house.enter("expert")


def test_the_others_see_what_somebody_switched_off_or_shares(house: House) -> None:
    house.enter("expert")
    doctor = house.enter("doctor")
    house.room.mute(doctor, Mute(kind="mute", audio=False, camera=True))
    house.room.share(doctor, ShareScreen(kind="share", on=True))
    seen = house.pages["expert"].last("people")["people"][1]
    assert (seen["audio"], seen["camera"], seen["screen"]) == (False, True, True)


def test_only_hosts_draw(house: House) -> None:
    expert = house.enter("expert")
    patient = house.enter("patient", Role.GUEST)
    house.admit(expert, "patient")
    house.room.point(patient, stroke())
    assert house.pages["expert"].count("pointer") == 0
    house.room.point(expert, stroke())
    assert house.pages["patient"].last("pointer")["person"] == "expert"
    assert house.pages["expert"].count("pointer") == 0


def test_a_recording_begins_with_everybodys_yes(house: House) -> None:
    expert, doctor = house.enter("expert"), house.enter("doctor")
    house.agree(expert)
    assert not house.room.recording
    assert house.pages["doctor"].last("recording") == {
        "kind": "recording",
        "on": False,
        "asked": True,
        "by": "expert",
        "agreed": ["expert"],
    }
    house.agree(doctor)
    assert house.room.recording
    assert house.pages["expert"].last("recording")["on"] is True
    assert [kind for kind, _ in house.events if kind.startswith("recording")] == [
        "recording_agreed",
        "recording_agreed",
        "recording_started",
    ]


def test_nobody_is_recorded_alone(house: House) -> None:
    house.agree(house.enter("expert"))
    assert not house.room.recording


def test_a_patient_asks_nobody_to_be_recorded(house: House) -> None:
    expert = house.enter("expert")
    patient = house.enter("patient", Role.GUEST)
    house.admit(expert, "patient")
    house.agree(patient)
    assert house.pages["expert"].last("recording")["asked"] is False


def test_a_later_no_ends_a_recording_and_asks_anew(house: House) -> None:
    expert, doctor = house.enter("expert"), house.enter("doctor")
    house.agree(expert)
    house.agree(doctor)
    house.agree(doctor, False)
    assert not house.room.recording
    house.agree(expert)
    assert not house.room.recording
    assert house.pages["doctor"].last("recording")["asked"] is True


def test_a_newcomer_ends_a_recording_until_they_agree(house: House) -> None:
    expert, doctor = house.enter("expert"), house.enter("doctor")
    house.agree(expert)
    house.agree(doctor)
    patient = house.enter("patient", Role.GUEST)
    assert house.room.recording, "who waits outside is not recorded"
    house.admit(expert, "patient")
    assert not house.room.recording
    assert house.pages["patient"].last("recording")["asked"] is True
    house.agree(patient)
    assert house.room.recording


def test_a_second_device_keeps_what_its_person_agreed_to(house: House) -> None:
    expert, doctor = house.enter("expert"), house.enter("doctor")
    house.agree(expert)
    house.agree(doctor)
    house.enter("doctor")
    assert house.room.recording


def test_a_recording_ends_when_one_is_left_alone(house: House) -> None:
    expert, doctor = house.enter("expert"), house.enter("doctor")
    house.agree(expert)
    house.agree(doctor)
    house.room.leave(doctor)
    assert not house.room.recording
    assert house.pages["expert"].last("recording")["on"] is False


def test_who_leaves_without_an_answer_holds_no_recording_up(house: House) -> None:
    expert, doctor, relative = house.enter("expert"), house.enter("doctor"), house.enter("relative")
    house.agree(expert)
    house.agree(doctor)
    house.room.leave(relative)
    assert house.room.recording


def test_who_is_not_connected_yet_is_asked_for_nothing(house: House) -> None:
    house.enter("expert")
    house.room.observe()
    assert house.pages["expert"].count("quality") == 0


def test_quality_is_told_once_and_again_when_it_changes(house: House) -> None:
    house.enter("expert")
    house.enter("doctor")
    house.media.legs = {"expert": FINE, "doctor": FINE}
    for _ in range(5):
        house.room.observe()
    assert house.pages["expert"].count("quality") == 1
    assert house.media.caps == {"expert": 1_500_000, "doctor": 1_500_000}
    house.media.legs["doctor"] = GONE
    for _ in range(4):
        house.room.observe()
    assert house.pages["doctor"].last("quality") == {
        "kind": "quality",
        "network": 1,
        "audio_only": True,
        "picture": None,
    }
    assert house.media.only_audio == {"expert": False, "doctor": True}
    assert house.pages["expert"].last("people")["people"][1]["network"] == 1


def test_a_room_sends_those_home_whose_time_is_over(house: House) -> None:
    house.enter("expert", until=50.0)
    house.enter("doctor", until=60.0)
    house.room.close_expired(50.0)
    assert (house.pages["expert"].closed, house.pages["doctor"].closed) == ("over", "")
