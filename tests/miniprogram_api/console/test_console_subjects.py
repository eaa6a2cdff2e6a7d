"""Charges, books, pay, images on their way, prescriptions and the knowledge base, as the console shows them."""

import csv
import io
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from backend.charging.reconciliation_rules import DifferenceKind, Outcome
from backend.charging.rules import ChargeState, OrderState, Reason, StepKind, StepState
from backend.charging.words import (
    ACCOUNTS,
    DIFFERENCES,
    ORDER_STATES,
    OUTCOMES,
    REASONS,
    RULES,
    STATES,
    STEP_STATES,
    STEPS,
)
from backend.ids import new_id
from backend.prescription import State
from backend.security.policy import SYSTEM, Actor, Role
from data.reconciliation import load_rules
from miniprogram_api.console import prescriptions as prescriptions_api
from miniprogram_api.console import reconciliation as reconciliation_api
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.support import cases
from tests.support.house import House
from tests.support.office import Office

CENTRE, HOSPITAL, PHARMACY = "青山镇卫生院", "省人民医院", "青山药房"
CLINICAL = ("咳嗽", "支气管", "J20", "阿莫西林", "布洛芬", "已当面问过", "多喝水")


@dataclass
class Scene:
    """A console, the office behind it, and people of each role; the hospital's manager and the township's."""

    console: Console
    house: House
    office: Office
    administrator: Clerk
    hospital: Clerk
    township: Clerk
    auditor: Clerk
    patient: Actor

    async def everybody_again(self) -> None:
        """Sign everybody in once more after a long pause."""
        self.console.forget_limits()
        people = {"陈管": self.administrator, "省院管": self.hospital, "镇院管": self.township, "审计甲": self.auditor}
        for name, clerk in people.items():
            assert (await clerk.sign_in(name)).status == 201


async def new_patient(house: House, name: str) -> Actor:
    people = house.services.people
    person_id = await people.register()
    actor = await house.actor(person_id)
    await people.update_person(actor, person_id, name=name)
    await people.give_consent(actor, people.consent_document().version)
    return actor


@pytest.fixture
async def scene(console: Console) -> Scene:
    house, services, cashier = console.house, console.house.services, console.cashier

    async def pass_time(by: timedelta) -> None:
        house.clock.advance(by)

    house.institutions[PHARMACY] = new_id()
    await services.people.put_institution(
        SYSTEM, house.institutions[PHARMACY], code="P1", name=PHARMACY, kind="pharmacy", region="青山县",
        address="青山镇中心街9号", latitude=30.1, longitude=114.1,
    )  # fmt: skip
    pharmacist = await house.hire("叶药师", Role.PHARMACIST, CENTRE, "general_practice", "主管药师")
    office = Office(
        clock=house.clock,
        people=services.people,
        care=services.consultations,
        scheduling=services.scheduling,
        records=services.records,
        signing=house.signing,
        prescriptions=services.prescriptions,
        dispensing=services.dispensing,
        imaging=services.imaging,
        charging=cashier.charging,
        insurer=cashier.insurer,
        payments=cashier.payments,
        doctor=await cases.staff(house, "村医甲"),
        expert=await cases.staff(house, "钟专家"),
        pharmacist=pharmacist,
        chemist=await house.hire("许药师", Role.PHARMACIST, PHARMACY, "general_practice", "药师"),
        settle=house.settle,
        pass_time=pass_time,
    )
    return Scene(
        console=console,
        house=house,
        office=office,
        administrator=await console.as_("陈管", Role.ADMINISTRATOR),
        hospital=await console.as_("省院管", Role.INSTITUTION_ADMINISTRATOR, HOSPITAL),
        township=await console.as_("镇院管", Role.INSTITUTION_ADMINISTRATOR, CENTRE),
        auditor=await console.as_("审计甲", Role.AUDITOR),
        patient=await new_patient(house, "王小明"),
    )


def amounts(rows: list[dict[str, Any]], key: str = "account") -> dict[str, str]:
    return {row[key]: row["amount"] for row in rows}


async def read_by(scene: Scene, action: str) -> list[tuple[str, str]]:
    """Who has read something of the patient's by this action, and what."""
    found = await scene.house.audit.entries(SYSTEM, patient_id=scene.patient.person_id, limit=50)
    return [(one.actor_roles, one.subject) for one in found if one.action == action]


# money


async def test_charges_are_listed_masked_added_up_and_one_is_told_step_by_step(scene: Scene) -> None:
    charge_id = await scene.office.settled(scene.patient)
    other = await scene.office.quoted(await new_patient(scene.house, "李四"))
    listed = (await scene.administrator.get("/charges")).body
    assert [(one["id"], one["patient_name"], one["state_name"]) for one in listed["items"]] == [
        (other, "李*", "等患者付钱"),
        (charge_id, "王**", "已结算"),
    ]
    assert not any(word in str(listed) for word in ("王小明", *CLINICAL))
    totals = (await scene.administrator.get("/charges/totals")).body
    assert {one["name"]: one["count"] for one in totals["by_state"]} == {"等患者付钱": 1, "已结算": 1}
    assert totals["total"]["count"] == sum(one["count"] for one in totals["by_day"]) == 2
    assert [one["name"] for one in totals["by_institution"]] == [HOSPITAL]
    fee = float(listed["items"][0]["fee"])
    assert float(totals["total"]["fee"]) == 2 * fee
    books = amounts(totals["balances"])
    assert sum(map(float, books.values())) == pytest.approx(0)
    assert float(books["institution"]) == -fee
    one = (await scene.administrator.get(f"/charges/{charge_id}")).body
    assert one["patient_name"] == "王小明"
    assert [step["name"] for step in one["steps"]][:4] == [
        "向医保查参保情况",
        "向医保登记就诊",
        "向医保传费用",
        "医保预结算",
    ]
    assert {step["state_name"] for step in one["steps"]} <= {"做完了", "不用做了"}
    assert [posting["name"] for posting in one["postings"]] == ["收到付款", "结算"]
    for posting in one["postings"]:
        assert sum(float(line["amount"]) for line in posting["lines"]) == pytest.approx(0)
    assert one["quote"]["lines"]
    assert one["quote"]["total"] == one["settled"]["total"] == one["fee"]
    assert one["quote"]["cash"] == one["paid"] == one["orders"][0]["received"]
    assert one["decisions"] == ["reverse"]
    assert not any(word in str(one) for word in CLINICAL)
    assert await read_by(scene, "charge.oversee") == [("administrator", f"charge:{charge_id}")]


async def test_a_search_of_charges_is_by_number_state_day_and_place_and_paged(scene: Scene) -> None:
    ids = [await scene.office.quoted(await new_patient(scene.house, f"病人{number}")) for number in range(3)]
    number = (await scene.administrator.get(f"/charges/{ids[0]}")).body["number"]
    assert [one["id"] for one in (await scene.administrator.get("/charges", number=number)).body["items"]] == ids[:1]
    seen, cursor = [], ""
    while True:
        page = (await scene.administrator.get("/charges", limit=2, cursor=cursor)).body
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == ids[::-1]
    for query, count in (
        ({"state": "quoted"}, 3),
        ({"state": "settled"}, 0),
        ({"waiting": "true"}, 0),
        ({"until": "2020-01-01", "since": "2019-12-31"}, 0),
        ({"institution_id": scene.house.institutions[CENTRE]}, 0),
        ({"institution_id": scene.house.institutions[HOSPITAL]}, 3),
    ):
        assert len((await scene.administrator.get("/charges", **query)).body["items"]) == count, query
        assert (await scene.administrator.get("/charges/totals", **query)).body["total"]["count"] == count, query
    for path, wrong in (
        ("/charges", {"number": "%"}),
        ("/charges", {"cursor": "1' OR 1=1"}),
        ("/charges/totals", {"since": "2020-01-01"}),
        ("/charges/totals", {"since": "2026-01-02", "until": "2026-01-01"}),
    ):
        assert (await scene.administrator.get(path, **wrong)).code == "invalid_input", wrong


async def test_an_administrator_decides_about_a_charge_that_waits_with_a_reason(scene: Scene) -> None:
    charge_id = await scene.office.settled(scene.patient, dearer=10)
    path = f"/charges/{charge_id}"
    [waiting] = (await scene.administrator.get("/charges", waiting="true")).body["items"]
    assert (waiting["id"], waiting["attention_name"]) == (charge_id, "医保结算让患者付的钱比预结算多")
    assert (await scene.administrator.get("/charges/totals")).body["waiting"] == 1
    before = (await scene.administrator.get(path)).body
    assert before["decisions"] == ["bear", "reverse"]
    assert float(before["settled"]["cash"]) == float(before["quote"]["cash"]) + 10
    assert (await scene.hospital.get(path)).body["decisions"] == []
    wanted = {"decision": "bear", "reason": "和医保核对过，差额平台出"}
    assert (await scene.hospital.post(f"{path}/decision", wanted)).code == "not_found"
    assert (await scene.auditor.post(f"{path}/decision", wanted)).code == "not_found"
    assert (await scene.administrator.post(f"{path}/decision", wanted | {"reason": " "})).code == "invalid_input"
    assert (await scene.administrator.post(f"{path}/decision", wanted | {"decision": "steal"})).code == "invalid_input"
    assert (await scene.administrator.post(f"{path}/decision", wanted | {"decision": "again"})).code == "illegal_move"
    done = (await scene.administrator.post(f"{path}/decision", wanted)).body
    assert (done["state_name"], done["attention_name"]) == ("已结算", "")
    assert done["settled"]["cash"] == before["quote"]["cash"]
    borne = [line for posting in done["postings"] for line in posting["lines"] if line["account"] == "platform"]
    assert amounts(borne) == {"platform": "10.00"}
    assert (await scene.administrator.get("/charges/totals")).body["waiting"] == 0
    entries = await scene.house.audit.entries(SYSTEM, patient_id=scene.patient.person_id, limit=20)
    assert [one.reason for one in entries if one.action == "charge.decide_bear"] == [wanted["reason"]]
    await scene.administrator.post(f"{path}/decision", {"decision": "reverse", "reason": "患者投诉成立"})
    await scene.house.settle()
    undone = (await scene.administrator.get(path)).body
    assert (undone["state_name"], undone["refunded"]) == ("已退清、已撤销", before["paid"])


async def test_a_refund_that_was_refused_is_tried_again(scene: Scene) -> None:
    charge_id = await scene.office.settled(scene.patient)
    scene.office.payments.refuse_refunds = "NOT_ENOUGH"
    path = f"/charges/{charge_id}"
    await scene.administrator.post(f"{path}/decision", {"decision": "reverse", "reason": "患者投诉成立"})
    await scene.house.settle()
    stuck = (await scene.administrator.get(path)).body
    assert (stuck["attention_name"], stuck["decisions"]) == ("微信支付退款没有成功", ["again"])
    assert ("微信退款", "被拒绝", "NOT_ENOUGH") in {
        (one["name"], one["state_name"], one["code"]) for one in stuck["steps"]
    }
    scene.office.payments.refuse_refunds = ""
    await scene.administrator.post(f"{path}/decision", {"decision": "again", "reason": "商户账户已充值"})
    await scene.house.settle()
    done = (await scene.administrator.get(path)).body
    assert (done["state_name"], done["attention_name"], done["decisions"]) == ("已退清、已撤销", "", [])


async def test_a_refund_that_is_not_answered_is_shown_with_when_it_is_asked_next_and_asked_at_once(
    scene: Scene,
) -> None:
    charge_id = await scene.office.settled(scene.patient)
    path = f"/charges/{charge_id}"
    scene.office.payments.wire.down = True
    await scene.administrator.post(f"{path}/decision", {"decision": "reverse", "reason": "患者投诉成立"})
    for _ in range(6):
        scene.house.clock.advance(timedelta(minutes=15))
        await scene.house.settle()
    await scene.administrator.sign_in("陈管")
    [waiting] = (await scene.administrator.get("/charges", waiting="true")).body["items"]
    assert (waiting["id"], waiting["attention_name"]) == (charge_id, "对方一直没有回话")
    silent = (await scene.administrator.get(path)).body
    [step] = [one for one in silent["steps"] if one["stalled"]]
    assert step["name"] == "微信退款"
    assert step["silent_since"] < step["due_at"]
    assert step["attempts"] > 3
    assert silent["decisions"] == ["again"]
    scene.office.payments.wire.down = False
    await scene.administrator.post(f"{path}/decision", {"decision": "again", "reason": "微信支付恢复了"})
    await scene.house.settle()
    done = (await scene.administrator.get(path)).body
    assert (done["state_name"], done["attention_name"], done["decisions"]) == ("已退清、已撤销", "", [])
    assert not any(one["stalled"] for one in done["steps"])


async def test_books_are_compared_on_demand_and_a_difference_is_settled_once_with_a_reason(scene: Scene) -> None:
    await scene.office.settled(scene.patient)
    [account] = scene.office.payments.accounts.values()
    account.payment = replace(account.payment, amount=account.payment.amount + 1)
    scene.house.clock.advance(timedelta(days=1))
    await scene.everybody_again()
    yesterday = {"day": str(scene.house.clock.today().date() - timedelta(days=1))}
    today = {"day": str(scene.house.clock.today().date())}
    assert (await scene.administrator.post("/reconciliation/runs", today)).code == "invalid_input"
    assert (await scene.auditor.post("/reconciliation/runs", yesterday)).code == "forbidden"
    ran = await scene.administrator.post("/reconciliation/runs", yesterday)
    assert ran.status == 201, ran.body
    assert {one["book_name"]: (one["differences"], one["for_a_person"]) for one in ran.body["reports"]} == {
        "微信支付": (1, 1),
        "医保": (0, 0),
    }
    runs = (await scene.auditor.get("/reconciliation/runs")).body["items"]
    assert {(one["book_name"], one["open"], one["complete"]) for one in runs} == {
        ("微信支付", 1, True),
        ("医保", 0, True),
    }
    [found] = (await scene.auditor.get("/reconciliation/differences")).body["items"]
    assert (found["kind_name"], found["outcome_name"], found["waits"]) == ("金额不一样", "等人处理", True)
    assert found["here"] != found["there"]
    # The same difference of the same day, found again, is one difference: the earlier run is history.
    await scene.administrator.post("/reconciliation/runs", yesterday)
    [again] = (await scene.auditor.get("/reconciliation/differences")).body["items"]
    assert again["id"] > found["id"]
    balances = await scene.console.cashier.ledger.balances()
    wanted = {"difference_id": again["id"], "reason": "微信账单多记一分，已和微信支付核实"}
    assert (await scene.auditor.post("/reconciliation/settlements", wanted)).code == "forbidden"
    assert (
        await scene.administrator.post("/reconciliation/settlements", wanted | {"reason": ""})
    ).code == "invalid_input"
    assert (await scene.administrator.post("/reconciliation/settlements", wanted)).status == 201
    assert (await scene.administrator.post("/reconciliation/settlements", wanted)).code == "conflict"
    unknown = wanted | {"difference_id": 10**6}
    assert (await scene.administrator.post("/reconciliation/settlements", unknown)).code == "not_found"
    assert (await scene.auditor.get("/reconciliation/differences")).body["items"] == []
    await scene.administrator.post("/reconciliation/runs", yesterday)
    assert (await scene.auditor.get("/reconciliation/differences")).body["items"] == []
    runs = (await scene.auditor.get("/reconciliation/runs")).body["items"]
    assert {one["open"] for one in runs} == {0}
    [latest] = [one for one in runs if one["outcomes"]][:1]
    [noted] = (await scene.auditor.get("/reconciliation/differences", run_id=latest["id"])).body["items"]
    assert (noted["note"], noted["noted_by"], noted["waits"]) == (wanted["reason"], "陈管", False)
    assert await scene.console.cashier.ledger.balances() == balances


async def test_pay_of_a_month_is_a_table_explained_line_by_line(scene: Scene) -> None:
    await scene.office.settled(scene.patient)
    month = f"{scene.house.clock.today():%Y-%m}"
    found = (await scene.administrator.get("/remuneration")).body
    assert (found["month"], found["closed_at"], found["months"]) == (month, None, [month])
    by_name = {one["payee_name"]: one for one in found["items"]}
    assert set(by_name) == {"钟专家", CENTRE}
    assert float(found["payable"]) == sum(float(one["payable"]) for one in found["items"]) > 0
    expert = by_name["钟专家"]
    detail = (await scene.administrator.get(f"/remuneration/{expert['payee_id']}", month=month)).body
    [entry] = detail["entries"]
    assert (entry["kind_name"], entry["amount"]) == ("劳务费", expert["payable"])
    assert any("基本劳务" in line for line in entry["lines"])
    exported = await scene.administrator.get("/remuneration/export", month=month)
    rows = list(csv.DictReader(io.StringIO(exported.body.removeprefix("\ufeff"))))
    paid = {row["姓名"]: row["金额（元）"] for row in rows if row["项目"] == "应发"}
    assert paid == {name: one["payable"] for name, one in by_name.items()}
    assert [one["payee_name"] for one in (await scene.hospital.get("/remuneration")).body["items"]] == ["钟专家"]
    assert [one["payee_name"] for one in (await scene.township.get("/remuneration")).body["items"]] == [CENTRE]
    assert (await scene.township.get(f"/remuneration/{expert['payee_id']}", month=month)).code == "not_found"
    assert "钟专家" not in (await scene.township.get("/remuneration/export")).body
    assert (await scene.administrator.get("/remuneration", month="2026-13")).code == "invalid_input"


async def test_where_nothing_is_charged_it_says_so(console: Console) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    object.__setattr__(console.context, "held_money", None)
    for path in ("/charges", "/charges/totals", "/reconciliation/runs", "/remuneration"):
        assert (await clerk.get(path)).code == "nothing_charged", path


# images


async def test_images_on_their_way_are_counted_by_code_and_a_dead_end_is_tried_once_more(scene: Scene) -> None:
    async with AsyncExitStack() as stack:
        case_id = await scene.office.images(scene.patient, stack)
        studies = (await scene.administrator.get("/imaging/studies")).body["items"]
        linked, foreign = sorted(studies, key=lambda one: one["consultation_id"] or "", reverse=True)
        assert (linked["consultation_id"], linked["patient_name"]) == (case_id, "王**")
        assert (linked["images"], linked["modalities"], linked["institution_name"]) == (2, ["CT"], CENTRE)
        [sent] = linked["sent"]
        assert (sent["destination"], sent["arrived"], sent["dead"], sent["failure"]) == ("省医PACS", 1, 1, "refused")
        assert (foreign["state_name"], foreign["patient_name"], foreign["sent"]) == ("等医生认领", "", [])
        assert not any(word in str(studies) for word in ("王小明", "李四", *CLINICAL))
        assert [one["id"] for one in (await scene.auditor.get("/imaging/studies", failed="true")).body["items"]] == [
            linked["id"]
        ]
        [route] = (await scene.administrator.get("/imaging/routes")).body["routes"]
        assert (route["waiting"], route["arrived"], route["dead"]) == (0, 1, 1)
        assert [(one["key"], one["count"]) for one in route["errors"]] == [("refused", 1)]
        for clerk in (scene.auditor, scene.hospital, scene.township):
            assert (await clerk.post(f"/imaging/routes/{route['id']}/resend", None)).code == "not_found"
        again = await scene.administrator.post(f"/imaging/routes/{route['id']}/resend", None)
        assert again.body == {"count": 1}
        [route] = (await scene.hospital.get("/imaging/routes")).body["routes"]
        assert (route["waiting"], route["dead"], route["errors"]) == (1, 0, [])
    assert (await scene.hospital.get("/imaging/studies")).body["items"] == []
    assert (await scene.township.get("/imaging/routes")).body["routes"] == []
    assert len((await scene.township.get("/imaging/studies", limit=1)).body["items"]) == 1


# prescriptions


async def test_prescriptions_are_counted_and_told_without_what_they_say(scene: Scene) -> None:
    warned = await scene.office.prescribed(scene.patient, warned=True)
    pharmacist = scene.office.pharmacist
    await scene.office.prescriptions.give_back(pharmacist, warned, "剂量请再核对")
    plain = await scene.office.prescribed(await new_patient(scene.house, "李四"))
    listed = (await scene.administrator.get("/prescriptions")).body["items"]
    assert [(one["id"], one["patient_name"], one["state_name"], one["returns"]) for one in listed] == [
        (plain, "李*", "等药师审核", 0),
        (warned, "王**", "药师退回，等医生改", 1),
    ]
    overridden = listed[1]["overridden"]
    assert overridden > 0
    totals = (await scene.administrator.get("/prescriptions/totals")).body
    assert (totals["total"], totals["overridden"], totals["warnings"], totals["returned"]) == (
        2,
        sum(1 for one in listed if one["overridden"]),
        sum(one["overridden"] for one in listed),
        1,
    )
    assert {one["name"]: one["count"] for one in totals["by_institution"]} == {CENTRE: 2}
    for query, ids in (
        ({"overridden": "true"}, [one["id"] for one in listed if one["overridden"]]),
        ({"returned": "true"}, [warned]),
        ({"state": "signed"}, [plain]),
        ({"number": listed[0]["number"]}, [plain]),
    ):
        assert [one["id"] for one in (await scene.auditor.get("/prescriptions", **query)).body["items"]] == ids, query
        assert (await scene.auditor.get("/prescriptions/totals", **query)).body["total"] == len(ids), query
    one = (await scene.auditor.get(f"/prescriptions/{warned}")).body
    assert (one["patient_name"], one["prescriber_name"]) == ("王小明", "村医甲")
    assert [said["text"] for said in one["moments"]] == [
        "开始开处方",
        f"医生签名（写了理由，越过{overridden}条用药提醒）",
        "药师退回",
    ]
    shown = str([listed, totals, one])
    assert not any(word in shown for word in ("剂量请再核对", *CLINICAL))
    assert await read_by(scene, "prescription.oversee") == [("auditor", f"prescription:{warned}")]
    assert (await scene.hospital.get("/prescriptions")).body["items"] == []


async def test_an_order_that_stands_still_is_seen(scene: Scene) -> None:
    prescription_id = await scene.office.prescribed(scene.patient)
    order_id = await scene.office.ordered(scene.patient, prescription_id)
    assert (await scene.administrator.get("/medicine-orders")).body["items"] == []
    scene.house.clock.advance(timedelta(minutes=31))
    await scene.everybody_again()
    pharmacy = await scene.console.as_("药房管", Role.INSTITUTION_ADMINISTRATOR, PHARMACY)
    for clerk in (scene.administrator, scene.auditor, pharmacy):
        [order] = (await clerk.get("/medicine-orders")).body["items"]
        assert (order["id"], order["patient_name"], order["state_name"]) == (order_id, "王**", "等药店接单")
    assert (await scene.township.get("/medicine-orders")).body["items"] == []
    one = (await scene.administrator.get(f"/prescriptions/{prescription_id}")).body
    assert [(held["id"], held["stuck"]) for held in one["orders"]] == [(order_id, True)]
    assert one["moments"][-1]["text"] == "药师审核通过"
    await scene.office.dispensing.accept(scene.office.chemist, order_id)
    assert (await scene.administrator.get("/medicine-orders")).body["items"] == []


# whoever it is none of the business of


async def test_nobody_reaches_another_institutions_charge_or_prescription_by_its_identifier(scene: Scene) -> None:
    charge_id = await scene.office.quoted(scene.patient)
    prescription_id = await scene.office.prescribed(await new_patient(scene.house, "李四"))
    targets = [
        (scene.township, "GET", f"/charges/{charge_id}", None),
        (scene.township, "POST", f"/charges/{charge_id}/decision", {"decision": "reverse", "reason": "试试"}),
        (scene.hospital, "GET", f"/prescriptions/{prescription_id}", None),
        (scene.auditor, "POST", f"/imaging/routes/{new_id()}/resend", None),
    ]
    for clerk, method, path, sent in targets:
        forbidden = await clerk.send(method, path, json=sent)
        unknown = await clerk.send(
            method, path.replace(charge_id, new_id()).replace(prescription_id, new_id()), json=sent
        )
        assert (forbidden.status, forbidden.code) == (unknown.status, unknown.code) == (404, "not_found"), path
    assert (await scene.township.get("/charges")).body["items"] == []
    other = scene.house.institutions[HOSPITAL]
    assert (await scene.township.get("/charges", institution_id=other)).body["items"] == []
    assert (await scene.township.get("/charges/totals", institution_id=other)).body["total"]["count"] == 0
    for path in ("/reconciliation/runs", "/reconciliation/differences"):
        assert (await scene.hospital.get(path)).code == "forbidden"
    draft = await scene.office.prescriptions.draft(
        scene.office.doctor, (await scene.office.taken_case(scene.patient)).id
    )
    assert (await scene.administrator.get(f"/prescriptions/{draft.id}")).code == "not_found"


# knowledge


async def test_diseases_and_medicines_are_found_by_name_and_initials_with_a_source_for_every_fact(
    console: Console,
) -> None:
    clerk = await console.as_("镇院管", Role.INSTITUTION_ADMINISTRATOR, CENTRE)
    for path, text, name in (
        ("diseases", "心梗", "心肌梗死"),
        ("diseases", "xjgs", "心肌梗死"),
        ("medicines", "阿莫西林", "阿莫西林"),
        ("medicines", "amxl", "阿莫西林"),
    ):
        first = (await clerk.get(f"/knowledge/{path}", text=text, limit=1)).body["items"][0]
        assert first["name"] == name
        assert first["statements"]
        for said in first["statements"]:
            assert said["text"]
            assert len(said["source"]) > 3
            assert said["reviewed"] == ""
    seen, at = [], 0
    while at is not None:
        page = (await clerk.get("/knowledge/medicines", at=at, limit=50)).body
        seen += [one["key"] for one in page["items"]]
        at = page["next_at"]
    assert len(seen) == len(set(seen)) == page["total"]
    pediatrics = (await clerk.get("/knowledge/diseases", department_code="pediatrics", limit=50)).body
    assert 0 < pediatrics["total"] < (await clerk.get("/knowledge/diseases", limit=1)).body["total"]
    assert (await clerk.get("/knowledge/diseases", at=-1)).code == "invalid_input"


def test_totals_are_said_with_their_count_and_not_as_an_amount() -> None:
    said = reconciliation_api._entry(["totals", 3, 60000, 42000, 0])
    assert said == "总数 3笔，总额600.00元，医保420.00元，账户0.00元"
    assert reconciliation_api._entry(["payment", 6000]) == "付款 60.00元"


def test_every_rule_about_a_difference_has_words() -> None:
    assert {rule.says for rule in load_rules()} <= set(RULES)


def test_every_code_has_words() -> None:
    for codes, words in (
        (ChargeState, STATES),
        (Reason, REASONS),
        (StepKind, STEPS),
        (StepState, STEP_STATES),
        (OrderState, ORDER_STATES),
        (DifferenceKind, DIFFERENCES),
        (Outcome, OUTCOMES),
        (State, prescriptions_api._STATES),
    ):
        assert set(codes) == set(words), codes
    assert {"patient", "wechat_pay", "insurer", "treasury", "institution", "expert", "platform"} <= set(ACCOUNTS)
