"""Savings, the rows behind every number, the month on paper, and lists of institutions; on both databases."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pypdfium2 import PdfDocument

from backend.analytics import Behind
from backend.charging import ChargeView
from backend.consultation.rules import Urgency
from backend.people.importing_institutions import INSTITUTION_COLUMNS
from backend.security.policy import SYSTEM, Actor, Role
from data.savings import parameters
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.miniprogram_api.console.test_console_work import answered, new_patient, submitted
from tests.support import cases
from tests.support.charges import SPLIT, KnownCharges
from tests.support.house import House

GOOD = ["NEW-1", "新建镇卫生院", "乡镇卫生院", "一级", "青山县新建镇", "新建街1号", "30.1", "114.2", "H00000000099"]
WRONG = ["", "", "茶馆", "四级", "", "", "130", "北", "1"]


class ChargesByCase(KnownCharges):
    """Finds a charge by its consultation."""

    async def of_consultation(self, _actor: Actor, consultation_id: str) -> ChargeView | None:
        """Give it; None where there is none."""
        return next((one for one in self.views.values() if one.consultation_id == consultation_id), None)


def span_of(console: Console) -> dict[str, str]:
    today = console.house.clock.today().date()
    return {"since": str(today - timedelta(days=40)), "until": str(today)}


async def test_a_patient_spared_the_way_to_the_experts_hospital(console: Console) -> None:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    patient_id = await new_patient(house, "王小明")
    case_id = await submitted(house, patient_id)
    await answered(house, case_id, timedelta(minutes=4), 5, patient_id)
    await submitted(house, patient_id)
    await administrator.sign_in("陈管")
    total = (await administrator.get("/figures", **span_of(console))).body["total"]
    # 48.4 km as the crow flies, 64.4 km by road: there and back, with 10 km from home.
    assert (total["reckoned"], total["unreckoned"]) == (1, 0)
    assert total["km_instead"] == pytest.approx(2 * 48.4 * 1.33 + 10, abs=1)
    assert total["km_gone"] == 10
    assert float(total["yuan_instead"]) == pytest.approx(total["km_instead"] * 0.25 + 83.34, abs=0.02)
    assert total["yuan_spent"] == "34.17"
    assert total["cost_saved"] == pytest.approx(1 - 34.17 / float(total["yuan_instead"]), abs=0.001)
    [row] = (await administrator.get("/figures/rows", which="reckoned", **span_of(console))).body["items"]
    assert (row["id"], row["yuan_spent"], row["stars"]) == (case_id, "34.17", 5)
    assert row["answer_minutes"] == pytest.approx(4, abs=0.2)


async def test_what_the_patient_paid_counts_and_a_place_that_nobody_knows_is_left_out(console: Console) -> None:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    patient_id = await new_patient(house, "王小明")
    console.context.analytics._charges = charges = ChargesByCase(house)
    paid = await submitted(house, patient_id)
    await answered(house, paid, timedelta(minutes=4), 5, patient_id)
    await charges.settled(paid)  # after the end, as insurers do
    await house.settle()
    centre = await house.services.people.institution(house.institutions["青山镇卫生院"])
    await house.services.people.put_institution(
        SYSTEM, centre.id, code=centre.code, name=centre.name, kind=centre.kind, region=centre.region,
        address=centre.address, latitude=None, longitude=None,
    )  # fmt: skip
    unknown = await submitted(house, patient_id)
    await answered(house, unknown, timedelta(minutes=4), 5, patient_id)
    await administrator.sign_in("陈管")
    span = span_of(console)
    total = (await administrator.get("/figures", **span)).body["total"]
    assert (total["completed"], total["reckoned"], total["unreckoned"]) == (2, 1, 1)
    assert Decimal(total["yuan_spent"]) == Decimal("34.17") + SPLIT.cash + SPLIT.account
    [row] = (await administrator.get("/figures/rows", which="unreckoned", **span)).body["items"]
    assert (row["id"], row["km_instead"], row["yuan_instead"]) == (unknown, None, None)
    near = await house.services.people.institutions(kind="township", near=(30.1, 114.1), limit=9)
    assert near[-1].id == centre.id  # it is still found, behind those of which the way is known


async def test_every_number_leads_to_as_many_rows_over_pages_and_as_a_table(console: Console) -> None:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    patient_id = await new_patient(house, "王小明")
    for suspected, minutes, stars in (("J20.0", 4, 5), ("J18.9", 40, 2), ("J20.0", 150, 4)):
        case_id = await submitted(house, patient_id, suspected)
        await answered(house, case_id, timedelta(minutes=minutes), stars, patient_id)
        house.clock.advance(timedelta(days=1))
    await submitted(house, patient_id)
    await administrator.sign_in("陈管")
    span = span_of(console)
    total = (await administrator.get("/figures", **span)).body["total"]
    expected = {
        "asked": total["asked"], "completed": total["completed"], "answered": total["answered"],
        "unanswered": total["asked"] - total["answered"], "late": 2, "compared": total["compared"], "disagreed": 1,
        "rated": total["rated"], "dissatisfied": 1, "reckoned": total["reckoned"], "unreckoned": total["unreckoned"],
    }  # fmt: skip
    assert set(expected) == {one.value for one in Behind}
    for which, count in expected.items():
        seen: list[dict[str, Any]] = []
        for offset in range(count + 1):  # a page of one row after the other, and the one behind the last
            page = await administrator.get("/figures/rows", which=which, limit=1, offset=offset, **span)
            seen += page.body["items"]
        assert len({one["id"] for one in seen}) == len(seen) == count, which
        whole = await administrator.get("/figures/rows", which=which, **span)
        assert [one["id"] for one in whole.body["items"]] == [one["id"] for one in seen], which
        table = await administrator.get("/figures/rows/export", which=which, **span)
        assert len(list(csv.DictReader(io.StringIO(table.body.removeprefix("\ufeff"))))) == count, which
    slow = (await administrator.get("/figures/rows", which="answered", **span)).body["items"]
    assert [round(one["answer_minutes"]) for one in slow] == [150, 40, 4]
    place = {"institution_id": house.institutions["白水乡卫生院"]}
    assert (await administrator.get("/figures/rows", which="asked", **span, **place)).body["items"] == []


async def test_the_queue_counts_who_waits_too_long_and_is_a_table_too(console: Console) -> None:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    patient_id = await new_patient(house, "王小明")
    await submitted(house, patient_id)
    house.clock.advance(timedelta(minutes=16))
    await submitted(house, patient_id)
    queue = (await administrator.get("/queue")).body
    assert (queue["late"], len(queue["waiting"])) == (1, 2)
    other = {"department_code": "dermatology"}
    assert (await administrator.get("/queue", **other)).body["waiting"] == []
    table = await administrator.get("/queue/export")
    rows = list(csv.DictReader(io.StringIO(table.body.removeprefix("\ufeff"))))
    assert [row["已等（分钟）"] for row in rows] == ["16", "0"]


async def test_a_number_is_found_by_any_of_its_digits(console: Console) -> None:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    patient_id = await new_patient(house, "王小明")
    ids = [await cases.open_case(house, patient_id, Urgency.ROUTINE) for _ in range(3)]
    number = (await house.services.consultations.get(SYSTEM, ids[1])).number
    day, order = number.removeprefix("HZ").split("-")
    for said, found in (
        (order, ids[1:2]), (order[-1], ids[1:2]), (f"{day[-2:]}{order}", ids[1:2]), (f"{day[-2:]}-{order}", ids[1:2]),
        (number, ids[1:2]), (number.replace("-", ""), ids[1:2]), (number.lower(), ids[1:2]),
        (day, ids[::-1]), (f"HZ{day}", ids[::-1]), ("H", ids[::-1]), ("987654321", []),
    ):  # fmt: skip
        if said == order[-1] and said in day:
            continue
        listed = (await administrator.get("/consultations", number=said)).body["items"]
        assert [one["id"] for one in listed] == found, said
    for wrong in ("%", "HZ%", "-", "甲", "1 2"):
        assert (await administrator.get("/consultations", number=wrong)).code == "invalid_input", wrong


async def test_the_month_is_printed_for_whom_it_concerns(console: Console) -> None:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    manager = await console.as_("青山院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")
    patient_id = await new_patient(house, "王小明")
    await submitted(house, patient_id)
    month = f"{house.clock.today():%Y-%m}"
    words = read((await administrator.get("/figures/report", month=month)).body)
    for said in (
        "远程会诊月报",
        "全部机构",
        "主要指标",
        "少于15分钟",
        "按科室",
        "呼吸内科",
        "省下的钱",
        "车费每公里0.25元",
        "陈管",
    ):
        assert said in words, said
    assert "王小明" not in words
    own = read((await manager.get("/figures/report", month=month)).body)
    assert "青山镇卫生院" in own
    assert "按机构" not in own
    other = {"institution_id": house.institutions["白水乡卫生院"]}
    assert (await manager.get("/figures/report", month=month, **other)).code == "forbidden"
    for wrong in ("2026-13", "2099-01", "november", ""):
        assert (await administrator.get("/figures/report", month=wrong)).code == "invalid_input", wrong


def read(pdf: bytes) -> str:
    with PdfDocument(pdf) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    return "".join(texts).replace("\r", "").replace("\n", "")


async def handed(clerk: Clerk, *rows: list[str], write: bool = False) -> Any:
    table = "\n".join(",".join(row) for row in [list(INSTITUTION_COLUMNS), *rows])
    headers = {"Content-Type": "application/octet-stream"}
    path = f"/institutions/import?write={str(write).lower()}"
    return (await clerk.send("POST", path, data=io.BytesIO(table.encode()), headers=headers)).body


async def test_institutions_are_taken_over_whole_or_not_at_all(console: Console) -> None:
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    manager = await console.as_("青山院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")
    assert (await handed(manager, GOOD))["code"] == "forbidden"
    looked = await handed(administrator, GOOD, WRONG, write=True)
    assert (looked["faulty"], looked["written"]) == (1, False)
    assert {fault["column"] for fault in looked["rows"][1]["faults"]} == set(INSTITUTION_COLUMNS)
    twice = await handed(administrator, GOOD, GOOD)
    assert {fault["column"] for fault in twice["rows"][0]["faults"]} == {"机构编码", "医保机构编码"}
    taken = await handed(administrator, [*GOOD[:8], "H00000000001"])
    assert taken["rows"][0]["faults"] == [{"column": "医保机构编码", "sentence": "这个医保编码已经是别的机构的"}]
    assert await place_of(administrator) is None
    assert (await handed(administrator, GOOD, write=True))["written"] is True
    assert await place_of(administrator) == [30.1, 114.2]
    again = await handed(administrator, [*GOOD[:1], "改名镇卫生院", *GOOD[2:6], "", "", ""], write=True)
    assert (again["written"], again["rows"][0]["is_new"]) == (True, False)
    assert await place_of(administrator) == [30.1, 114.2]  # what is not said stays
    template = (await administrator.get("/institutions/template")).body
    filled = list(csv.reader(io.StringIO(template.removeprefix("\ufeff"))))
    assert (await handed(administrator, filled[1]))["faulty"] == 0


async def place_of(clerk: Clerk) -> Any:
    found = (await clerk.get("/reference")).body["institutions"]
    return next((one["place"] for one in found if one["code"] == GOOD[0]), None)


async def put_place(house: House, name: str, place: tuple[float, float] | None) -> None:
    """Say where an institution is."""
    known = await house.services.people.institution(house.institutions[name])
    latitude, longitude = place or (None, None)
    await house.services.people.put_institution(
        SYSTEM, known.id, code=known.code, name=known.name, kind=known.kind, region=known.region,
        address=known.address, latitude=latitude, longitude=longitude,
    )  # fmt: skip


async def test_past_cases_are_reckoned_anew_when_a_place_or_a_parameter_is_known_and_the_sums_follow(
    console: Console,
) -> None:
    house, analytics = console.house, console.context.analytics
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    office = await console.as_("青山院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")
    patient_id = await new_patient(house, "王小明")
    centre = await house.services.people.institution(house.institutions["青山镇卫生院"])
    await put_place(house, "青山镇卫生院", None)
    for _ in range(3):
        case_id = await submitted(house, patient_id)
        await answered(house, case_id, timedelta(minutes=4), 5, patient_id)
        house.clock.advance(timedelta(days=1))
    span = span_of(console)

    async def figures() -> dict[str, Any]:
        await administrator.sign_in("陈管")
        found: dict[str, Any] = (await administrator.get("/figures", **span_of(console))).body
        assert found["total"]["reckoned"] == sum(one["reckoned"] for one in found["by_institution"])
        total: dict[str, Any] = found["total"]
        return total

    async def renew() -> tuple[int, ...]:
        looked = (await administrator.get("/figures/savings")).body
        assert looked["done"] == 0
        done = (await administrator.post("/figures/savings", None)).body
        assert (done["first_time"], done["otherwise"]) == (looked["first_time"], looked["otherwise"])
        return looked["first_time"], looked["otherwise"], done["done"], done["left"]

    assert (await figures())["unreckoned"] == 3
    assert await renew() == (0, 0, 0, 0)
    await put_place(house, "青山镇卫生院", centre.place)
    assert await renew() == (3, 0, 3, 0)
    known = await figures()
    assert (known["reckoned"], known["yuan_spent"]) == (3, "102.51")
    assert known["km_instead"] == pytest.approx(3 * (2 * 48.4 * 1.33 + 10), abs=3)
    assert await renew() == (0, 0, 0, 0)
    await put_place(house, "青山镇卫生院", None)  # what is not known any more takes nothing away
    assert await renew() == (0, 0, 0, 0)
    await put_place(house, "青山镇卫生院", (30.5, 114.3))  # where the hospital is
    assert await renew() == (0, 3, 3, 0)
    assert (await figures())["distance_saved"] == 0
    await house.services.people.put_practitioner(
        SYSTEM, house.practitioners["钟专家"], role=Role.EXPERT, name="钟专家", licence_number="110360100000078",
        institution_id=house.institutions["白水乡卫生院"], department_code="respiratory", title="主任医师",
        practising_since=2000,
    )  # fmt: skip
    assert await renew() == (0, 0, 0, 0)  # the expert practised at the hospital when it was
    [first] = parameters()
    fare = first.fare_per_km.model_copy(update={"value": 1})
    dearer = first.model_copy(update={"code": "dearer", "fare_per_km": fare})
    analytics._parameters = (dearer,)
    limited = await analytics.reckon_anew(SYSTEM, most=1)
    assert (limited.otherwise, limited.done, limited.left) == (3, 1, 2)
    await analytics.begin()
    house.clock.advance(timedelta(days=1))
    await house.settle()
    assert (await analytics.renewal(SYSTEM)).left == 0
    assert (await figures())["yuan_spent"] == f"{3 * (10 + 31.67):.2f}"
    rows = (await administrator.get("/figures/rows", which="reckoned", **span)).body["items"]
    assert {row["parameters"] for row in rows} == {"dearer"}
    assert (await administrator.get("/figures", **span)).body["parameters"] == ["通用示例，从2026年1月1日起用"]
    await office.sign_in("青山院管")
    assert (await office.post("/figures/savings", None)).code == "forbidden"
    done = [one for one in await house.audit.entries(SYSTEM, limit=80) if one.action == "analytics.reckon"]
    assert {one.subject for one in done} == {"consultations:3", "consultations:1", "consultations:2"}
