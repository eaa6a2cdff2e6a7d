"""Alarms of the surveillance reach administrators, in a few lines without a name."""

from backend.events import Event
from bot.notifications.consumer import handlers
from bot.notifications.notifier import Notifier
from tests.bot.flows.staff.conftest import County


def alarm(area: str, count: str, syndrome: str = "fever_respiratory") -> dict[str, str]:
    return {"day": "2026-11-21", "syndrome": syndrome, "area": area, "count": count}


async def test_administrators_alone_hear_where_more_people_are_ill_than_usual(county: County) -> None:
    alarms = [alarm("", "38~41"), alarm("青岚县石桥镇", "30"), *[alarm(f"第{number}镇", "9") for number in range(6)]]
    event = Event(1, "surveillance.alarmed", {"alarms": alarms}, county.story.house.clock.now())
    await handlers()[event.type](Notifier(county.story.house.services, event))
    heard = await county.administrator.hear()
    assert "11月21日，全部地区，发热呼吸道，38~41例\n11月21日，青岚县石桥镇，发热呼吸道，30例" in heard
    assert "另外还有3条。" in heard
    assert "不等于已经暴发疫情" in heard
    for phone in (county.patient, county.doctor, county.expert):
        assert await phone.hear() == ""
