"""From the card in chat to the WebSocket of the room: the whole way, in one process with a local WeChat."""

from pathlib import Path

from backend.video.visits import EMPTY_FOR, EMPTY_TIMER
from tests.support.product import booked_case, heard, running_product
from tests.support.waiting import eventually


async def test_a_card_leads_from_the_chat_into_the_room(tmp_path: Path) -> None:
    async with running_product(tmp_path) as product:
        case = await booked_case(product)
        await case.move_to_reminder(10)
        for member in (case.patient, case.expert):
            assert await member.open_card("") == case.id
        status, room = await case.patient.ask("GET", f"/consultations/{case.id}/room")
        assert (status, room["state"], room["you"]["label"]) == (200, "open", "患者")
        patient = await case.patient.enter(case.id)
        await heard(patient, "waiting")
        await case.doctor.open_card("患者")
        expert = await case.expert.enter(case.id)
        assert (await heard(expert, "joined"))["you"] == case.expert.person_id
        await expert.send_json({"kind": "admit", "person": case.patient.person_id, "admitted": True})
        await heard(patient, "joined")
        await patient.close()
        await expert.close()

        async def is_told() -> bool:
            lines = await product.house.consultations.timeline(await case.doctor.actor(), case.id)
            return any(line.kind == "meeting" for line in lines)

        await eventually(lambda: product.has_timer(EMPTY_TIMER))
        await product.wechat.client.advance(EMPTY_FOR.total_seconds() + 1)
        await eventually(is_told)
