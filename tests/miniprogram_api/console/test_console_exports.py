"""Exports for research as the console asks for them."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.people import ConsentKind
from backend.security.policy import Role
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.support import cases


@pytest.fixture
async def administrator(console: Console) -> Clerk:
    """Who may export."""
    return await console.as_("陈管", Role.ADMINISTRATOR)


def wanted(console: Console, **changes: Any) -> dict[str, Any]:
    today = str(console.house.clock.today().date())
    return {"purpose": "支气管炎用药研究", "since": today, "until": today, "k": 5} | changes


async def finished(console: Console, people: int) -> None:
    """A finished case of each of so many people who agreed to research."""
    house = console.house
    for number in range(people):
        person_id = await house.new_person()
        actor, register = await house.actor(person_id), house.services.people
        await register.update_person(actor, person_id, name=f"司马{'甲乙丙丁戊己'[number]}", sex="male")
        for kind in (ConsentKind.CARE, ConsentKind.RESEARCH):
            await register.give_consent(actor, register.consent_document(kind).version, kind)
        for code in ("J20.9", "I10"):
            case_id = await cases.open_case(house, person_id)
            await cases.assign(house, case_id)
            await cases.begin(house, case_id)
            expert = await cases.staff(house, "钟专家")
            consultations = house.services.consultations
            await consultations.record_opinion(expert, case_id, icd10=code, diagnosis="司马先生病了", plan="休息")
            await consultations.complete(expert, case_id)


async def test_an_administrator_asks_waits_and_takes_the_table(console: Console, administrator: Clerk) -> None:
    auditor = await console.as_("审计甲", Role.AUDITOR)
    await finished(console, 5)
    asked = await administrator.post("/exports", wanted(console, with_text=True))
    assert (asked.status, asked.body["state"], asked.body["asked_by"]) == (201, "waiting", "陈管")
    path = f"/exports/{asked.body['id']}/file"
    assert (await administrator.get(path)).code == "conflict"
    await console.context.exports.queue.make_next()
    listed = (await auditor.get("/exports")).body
    [made] = listed["items"]
    assert (made["state_name"], made["purpose"], listed["least_k"]) == ("可以下载", "支气管炎用药研究", 5)
    assert (made["manifest"]["people"], made["manifest"]["rows"], made["manifest"]["smallest_class"]) == (5, 10, 5)
    assert {one["column"] for one in made["manifest"]["levels"]} == {"age", "sex", "region", "diagnosis"}
    content, headers = await administrator.take(path)
    assert headers["Content-Type"] == "application/vnd.apache.parquet"
    assert headers["Content-Disposition"].endswith(".parquet")
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    assert {row["diagnosis"] for row in rows} == {"J20", "I10"}
    assert "司马" not in str(rows)
    assert (await auditor.get(path)).status == 404
    assert (await auditor.post("/exports", wanted(console))).status == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"k": 4}, "k"),
        ({"k": "五"}, "k"),
        ({"purpose": " "}, "purpose"),
        ({"since": "2030-01-01"}, "until"),
        ({"until": "明天"}, "until"),
        ({"state": "made"}, "state"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    console: Console, administrator: Clerk, changes: dict[str, Any], field: str
) -> None:
    answer = await administrator.post("/exports", wanted(console, **changes))
    assert (answer.status, answer.code, answer.body["field"]) == (400, "invalid_input", field)
    assert (await administrator.get("/exports")).body["items"] == []
