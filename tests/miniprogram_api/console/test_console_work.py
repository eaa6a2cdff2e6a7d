"""What administrators and auditors do in the console, on real cases; and what is not theirs."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest

from backend.consultation.rules import Urgency
from backend.ids import new_id
from backend.messaging.rules import Draft, OutboxItem
from backend.security.policy import SYSTEM, Role
from data.departments import departments
from miniprogram_api.console.application import ENDPOINTS
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.support import cases
from tests.support.house import House

EVIL = "<img src=x onerror=alert(1)>王"


@dataclass
class Scene:
    """A console with its people and a case that waits for an expert at 青山镇卫生院."""

    console: Console
    house: House
    administrator: Clerk
    manager: Clerk
    stranger: Clerk
    auditor: Clerk
    patient_id: str
    case_id: str

    async def come_back(self) -> None:
        """Let everybody sign in again after a long pause."""
        self.console.forget_limits()
        people = {
            "陈管": self.administrator,
            "青山院管": self.manager,
            "白水院管": self.stranger,
            "审计甲": self.auditor,
        }
        for name, clerk in people.items():
            assert (await clerk.sign_in(name)).status == 201


async def new_patient(house: House, name: str) -> str:
    """A patient who has consented."""
    people = house.services.people
    person_id = await people.register()
    actor = await house.actor(person_id)
    await people.update_person(actor, person_id, name=name)
    await people.give_consent(actor, people.consent_document().version)
    return person_id


async def submitted(house: House, person_id: str, icd10: str | None = None) -> str:
    """A case for which an expert is asked."""
    case_id = await cases.open_case(house, person_id, Urgency.ROUTINE)
    await house.services.consultations.submit(await cases.staff(house, "村医甲"), case_id, icd10=icd10)
    await house.settle()
    return case_id


@pytest.fixture
async def scene(console: Console) -> Scene:
    """Everybody at work."""
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    manager = await console.as_("青山院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")
    stranger = await console.as_("白水院管", Role.INSTITUTION_ADMINISTRATOR, "白水乡卫生院")
    auditor = await console.as_("审计甲", Role.AUDITOR)
    patient_id = await new_patient(house, "王小明")
    case_id = await submitted(house, patient_id)
    return Scene(console, house, administrator, manager, stranger, auditor, patient_id, case_id)


async def answered(house: House, case_id: str, after: timedelta, stars: int, person_id: str) -> None:
    """Let the expert take the case, give an opinion (J20.9) and the patient rate it."""
    consultations = house.services.consultations
    expert = await cases.staff(house, "钟专家")
    house.clock.advance(after)
    [offer] = await consultations.offers_for(expert)
    await consultations.accept_offer(expert, offer.id)
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    await consultations.rate(await house.actor(person_id), case_id, stars)
    await house.settle()


async def test_cases_are_found_with_masked_names_and_opened_with_the_name_and_an_audit_entry(scene: Scene) -> None:
    listed = (await scene.administrator.get("/consultations")).body
    [item] = listed["items"]
    assert (item["patient_name"], item["status_name"], listed["next_cursor"]) == ("王**", "待分配", "")
    one = (await scene.administrator.get(f"/consultations/{scene.case_id}")).body
    assert one["patient_name"] == "王小明"
    assert "record" not in one
    assert "咳嗽" not in str(one)
    assert "提交了会诊申请" in str(one["timeline"])
    read = await scene.house.audit.entries(SYSTEM, patient_id=scene.patient_id, limit=2)
    assert {entry.action for entry in read} == {"consultation.view"}
    assert {entry.actor_roles for entry in read} == {"administrator"}


async def test_a_search_is_by_number_state_place_department_and_day_and_paged(scene: Scene) -> None:
    for _ in range(4):
        await submitted(scene.house, scene.patient_id)
    number = (await scene.administrator.get(f"/consultations/{scene.case_id}")).body["number"]
    by_number = (await scene.administrator.get("/consultations", number=number)).body["items"]
    assert [one["id"] for one in by_number] == [scene.case_id]
    seen, cursor = [], ""
    while True:
        page = (await scene.administrator.get("/consultations", limit=2, cursor=cursor)).body
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 5
    for query, count in (
        ({"status": "pending"}, 5),
        ({"status": "completed"}, 0),
        ({"institution_id": scene.house.institutions["白水乡卫生院"]}, 0),
        ({"department_code": "respiratory", "region": "青山县"}, 5),
        ({"until": "2020-01-01"}, 0),
    ):
        assert len((await scene.administrator.get("/consultations", **query)).body["items"]) == count, query
    for wrong in ({"number": "%"}, {"cursor": "1' OR 1=1"}, {"status": "x"}, {"institution_id": "'"}, {"limit": 1000}):
        assert (await scene.administrator.get("/consultations", **wrong)).code == "invalid_input", wrong


async def test_an_administrator_gives_a_waiting_case_to_an_expert_and_then_to_another(scene: Scene) -> None:
    house, path = scene.house, f"/consultations/{scene.case_id}"
    await house.hire("郑专家", Role.EXPERT, "省人民医院", "respiratory", "主任医师")
    offered = (await scene.administrator.get(f"{path}/experts")).body["items"]
    assert {one["name"] for one in offered if one["fits"]} == {"钟专家", "郑专家"}
    first, second = house.practitioners["钟专家"], house.practitioners["郑专家"]
    given = await scene.administrator.post(f"{path}/expert", {"expert_id": first, "reason": "没有人接"})
    assert (given.status, given.body["expert_name"]) == (200, "钟专家")
    await house.settle()
    again = await scene.administrator.post(f"{path}/expert", {"expert_id": first, "reason": "再来"})
    assert again.code == "conflict"
    moved = await scene.administrator.post(f"{path}/expert", {"expert_id": second, "reason": "钟专家临时出差"})
    assert (moved.body["status_name"], moved.body["expert_name"]) == ("已分配专家", "郑专家")
    assert "管理员请钟专家专家退出这次会诊，原因：钟专家临时出差" in str(moved.body["timeline"])
    assert "管理员" in {line["actor_name"] for line in moved.body["timeline"]}
    await house.settle()
    assert await house.services.consultations.offers_for(await cases.staff(house, "钟专家")) == []


async def test_a_cancellation_has_a_reason_and_cannot_be_done_twice(scene: Scene) -> None:
    path = f"/consultations/{scene.case_id}/cancellation"
    assert (await scene.administrator.post(path, {"reason": "  "})).code == "invalid_input"
    assert (await scene.administrator.post(path, {"reason": "患者已转院", "status": "draft"})).code == "invalid_input"
    assert (await scene.administrator.post(path, {"reason": "患者已转院"})).status == 200
    assert (await scene.administrator.post(path, {"reason": "患者已转院"})).code == "illegal_move"


async def test_nobody_reaches_anothers_case_person_or_message_by_its_identifier(scene: Scene) -> None:
    house = scene.house
    doctor = house.practitioners["村医甲"]
    body = {"expert_id": house.practitioners["钟专家"], "reason": "试试"}
    targets = [
        ("GET", f"/consultations/{scene.case_id}", None),
        ("GET", f"/consultations/{scene.case_id}/experts", None),
        ("POST", f"/consultations/{scene.case_id}/expert", body),
        ("POST", f"/consultations/{scene.case_id}/cancellation", {"reason": "试试"}),
        ("POST", f"/practitioners/{doctor}/invitation", None),
        ("POST", f"/deliveries/{new_id()}/resend", None),
        ("POST", f"/accounts/{new_id()}/link", None),
    ]
    for clerk in (scene.stranger, scene.auditor):
        for method, path, sent in targets:
            forbidden = await clerk.send(method, path, json=sent)
            unknown = await clerk.send(method, path.replace(scene.case_id, new_id()), json=sent)
            assert (forbidden.status, forbidden.code) == (unknown.status, unknown.code) == (404, "not_found"), path
    assert (await scene.stranger.get("/consultations")).body["items"] == []
    other = scene.house.institutions["青山镇卫生院"]
    assert (await scene.stranger.get("/consultations", institution_id=other)).body["items"] == []
    assert (await scene.stranger.get("/figures", institution_id=other)).code == "forbidden"
    assert (await scene.stranger.get("/practitioners", institution_id=other)).code == "forbidden"
    assert [one["name"] for one in (await scene.stranger.get("/practitioners")).body["items"]] == ["村医乙"]


async def test_each_role_reaches_its_pages_and_no_others(scene: Scene) -> None:
    """Every list of the console as every role; a new endpoint has to be said here."""
    everybody = {"/session", "/sessions", "/reference", "/figures", "/figures/export", "/figures/report"}
    everybody |= {"/practitioners/template", "/institutions/template", "/departments/template"}
    everybody |= {"/charges", "/charges/totals", "/remuneration", "/remuneration/export"}
    everybody |= {"/imaging/studies", "/imaging/routes", "/prescriptions", "/prescriptions/totals", "/medicine-orders"}
    everybody |= {"/knowledge/diseases", "/knowledge/medicines"}
    everybody |= {f"/surveillance{part}" for part in ("", "/export", "/definitions", "/alarms")}
    cases_and_people = {"/queue", "/queue/export", "/consultations", "/consultations/export", "/practitioners"}
    cases_and_people |= {"/figures/rows", "/figures/rows/export"}
    cases_and_people |= {"/schedules/experts", "/amendments"}
    steering = {
        "/figures/savings",
        "/weights",
        "/wechat/menus",
        "/wechat/templates",
        "/deliveries",
        "/health",
        "/audit",
        "/accounts",
    }
    books = {"/reconciliation/runs", "/reconciliation/differences", "/exports"}
    teaching = {"/teaching/cases", "/teaching/search", "/teaching/points", "/teaching/points/export"}
    allowed = {
        "administrator": everybody | cases_and_people | books | teaching | steering,
        "manager": everybody | cases_and_people,
        "auditor": everybody | books | {"/health", "/audit"},
        "nobody": set(),
    }
    needed = {one: {"which": "asked"} for one in ("/figures/rows", "/figures/rows/export")}
    needed["/figures/report"] = {"month": f"{scene.house.clock.today():%Y-%m}"}
    prefix = "/console/api"
    lists = {one.path.removeprefix(prefix) for one in ENDPOINTS if one.method == "GET" and not one.path_parameters}
    assert lists == allowed["administrator"]
    people = {"administrator": scene.administrator, "manager": scene.manager, "auditor": scene.auditor}
    for role, clerk in (people | {"nobody": Clerk(scene.console)}).items():
        for path in lists:
            query = needed.get(path, {})
            status = (await clerk.get(path, **query)).status
            wanted = 200 if path in allowed[role] else 401 if role == "nobody" else 403
            assert status == wanted, (role, path, status)


async def test_figures_are_what_happened_and_lead_to_the_cases_behind(scene: Scene) -> None:
    house = scene.house
    await answered(house, scene.case_id, timedelta(minutes=4), 5, scene.patient_id)
    others = {}
    for suspected, minutes, stars in (("J20.0", 10, 4), ("J18.9", 40, 2)):
        case_id = await submitted(house, scene.patient_id, suspected)
        await answered(house, case_id, timedelta(minutes=minutes), stars, scene.patient_id)
        others[suspected] = case_id
    waiting = await submitted(house, scene.patient_id)
    await scene.come_back()
    today = house.clock.today().date()
    span = {"since": str(today - timedelta(days=2)), "until": str(today)}
    found = (await scene.administrator.get("/figures", **span)).body
    total = found["total"]
    assert {name: total[name] for name in ("asked", "completed", "answered", "compared", "rated")} == {
        "asked": 4, "completed": 3, "answered": 3, "compared": 2, "rated": 3,
    }  # fmt: skip
    assert total["mean_minutes"] == pytest.approx(18, abs=0.2)
    assert total["agreement"] == 0.5
    assert total["satisfaction"] == pytest.approx(2 / 3)
    assert found["asked_in_year"] == 4
    for part in ("by_day", "by_region", "by_institution", "by_department"):
        assert sum(one["asked"] for one in found[part]) == 4
    assert (found["by_region"][0]["name"], found["by_department"][0]["name"]) == ("青山县", "呼吸内科")
    for which, ids in (
        ("asked", {scene.case_id, *others.values(), waiting}),
        ("late", {others["J18.9"]}),
        ("disagreed", {others["J18.9"]}),
        ("dissatisfied", {others["J18.9"]}),
        ("unanswered", {waiting}),
    ):
        rows = (await scene.administrator.get("/figures/rows", which=which, **span)).body["items"]
        assert {one["id"] for one in rows} == ids, which
    assert (await scene.stranger.get("/figures", **span)).body["total"]["asked"] == 0
    assert (await scene.manager.get("/figures", **span)).body["total"]["asked"] == 4
    queue = (await scene.manager.get("/queue")).body
    assert [one["id"] for one in queue["waiting"]] == [waiting]
    assert {one["status"]: one["count"] for one in queue["counts"]}["pending"] == 1
    assert (await scene.administrator.get("/figures", since="2026-01-02", until="2026-01-01")).code == "invalid_input"


async def test_nothing_of_what_a_patient_wrote_runs_in_a_spreadsheet(scene: Scene) -> None:
    for name in ("=HYPERLINK(一)", "+王", "-王", "@王", " =王"):
        await submitted(scene.house, await new_patient(scene.house, name))
    exported = await scene.administrator.get("/consultations/export")
    assert exported.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in exported.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(exported.body.removeprefix("\ufeff"))))
    assert len(rows) == 6
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]
    assert {"'=**", "'+*", "'-*", "'@*", "王**"} <= {row["患者"] for row in rows}


async def test_a_patients_markup_comes_as_the_text_that_it_is(scene: Scene) -> None:
    case_id = await submitted(scene.house, await new_patient(scene.house, EVIL))
    answer = await scene.administrator.get(f"/consultations/{case_id}")
    assert answer.body["patient_name"] == EVIL
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


GOOD = ["李新", "基层医生", "T0", "全科医疗科", "主治医师", "110360100000077", "2027-12-31", "2010", "I10-I15、E11"]
HEADINGS = ["姓名", "角色", "机构编码", "科室", "职称", "执业证书编号", "执业证书有效期", "开始执业年份", "擅长疾病"]


def workbook(rows: list[list[str]]) -> bytes:
    """An Excel file of these rows under the headings."""
    book, kept = openpyxl.Workbook(), io.BytesIO()
    for row in [HEADINGS, *rows]:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(kept)
    return kept.getvalue()


async def handed(clerk: Clerk, content: bytes, *, write: bool = False) -> Any:
    """Hand a table in."""
    headers = {"Content-Type": "application/octet-stream"}
    path = f"/practitioners/import?write={str(write).lower()}"
    return (await clerk.send("POST", path, data=io.BytesIO(content), headers=headers)).body


async def test_a_list_from_the_office_is_looked_at_first_and_then_written_whole_or_not_at_all(scene: Scene) -> None:
    good = [departments()["general_practice"].name if cell == "全科医疗科" else cell for cell in GOOD]
    wrong = ["", "院长", "T9", "炼丹科", "大师", "1", "明年", "十年前", "感冒"]
    looked = await handed(scene.administrator, workbook([[*good], [*wrong]]))
    assert (looked["faulty"], looked["written"]) == (1, False)
    assert {fault["column"] for fault in looked["rows"][1]["faults"]} == set(HEADINGS)
    assert (await handed(scene.administrator, workbook([[*good], [*wrong]]), write=True))["written"] is False
    by_number = {"licence_number": good[5]}
    assert (await scene.administrator.get("/practitioners", **by_number)).body["items"] == []
    in_csv = "\r\n".join(",".join(row) for row in [HEADINGS, good]).encode("gb18030")
    assert (await handed(scene.administrator, in_csv, write=True))["written"] is True
    [one] = (await scene.administrator.get("/practitioners", **by_number)).body["items"]
    assert (one["name"], one["licence_expires_on"], one["joined"]) == ("李新", "2027-12-31", False)
    again = await handed(scene.administrator, workbook([[*good[:4], "副主任医师", *good[5:]]]), write=True)
    assert again["rows"][0]["is_new"] is False
    [one] = (await scene.administrator.get("/practitioners", **by_number)).body["items"]
    assert one["title"] == "副主任医师"
    left = (date(2027, 12, 31) - scene.house.clock.today().date()).days
    assert (await scene.administrator.get("/practitioners", expiring_days=left)).body["items"] == [one]
    assert (await scene.administrator.get("/practitioners", expiring_days=left - 1)).body["items"] == []
    twice = await handed(scene.administrator, workbook([[*good], [*good]]))
    assert twice["faulty"] == 2
    for clerk, column in ((scene.stranger, "机构编码"), (scene.manager, None)):
        seen = (await handed(clerk, workbook([[*good]])))["rows"][0]["faults"]
        assert [fault["column"] for fault in seen] == ([column] if column else [])
    taken = await handed(scene.stranger, workbook([[*good[:2], "T1", *good[3:]]]), write=True)
    assert taken["rows"][0]["faults"][0]["column"] == "执业证书编号"
    invited = await scene.manager.post(f"/practitioners/{one['id']}/invitation", None)
    assert (invited.status, invited.body["name"]) == (201, "李新")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 nothing", b"\xd0\xcf\x11\xe0old", b"\xff\xfe\xfd", "姓名,角色\n王,专家".encode(), b"\x00" * 100],
    ids=["empty", "broken", "xls", "binary", "columns", "nul"],
)
async def test_a_file_full_of_rubbish_is_refused_with_a_sentence(console: Console, content: bytes) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    refused = await handed(clerk, content, write=True)
    assert refused["code"] == "invalid_input"
    assert len(refused["message"]) > 8


async def test_a_file_that_is_too_large_or_has_too_many_rows_is_refused(console: Console) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    assert (await handed(clerk, b"a" * (2 * 1024 * 1024 + 1)))["code"] == "too_large"
    many = workbook([[*GOOD] for _ in range(1001)])
    assert "行数太多" in (await handed(clerk, many))["message"]


async def test_a_message_that_was_given_up_is_seen_without_its_words_and_sent_once_more(scene: Scene) -> None:
    outbox = scene.console.context.undelivered._outbox
    database = scene.house.database
    async with database.transaction() as session:
        draft = Draft({"kind": "text", "text": "您的咳嗽怎么样了"})
        [item] = await outbox.put(session, scene.patient_id, [draft])
    await outbox.bury(OutboxItem(item.id, item.person_id, item.content, item.due_at), "wechat:43004")
    seen = (await scene.administrator.get("/deliveries")).body
    assert seen["reasons"] == [{"reason": "wechat:43004", "count": 1}]
    [failure] = seen["items"]
    assert failure["person_name"] == "王**"
    assert "咳嗽" not in str(seen)
    waiting = seen["waiting"]
    assert (await scene.administrator.post(f"/deliveries/{failure['id']}/resend", None)).status == 200
    after = (await scene.administrator.get("/deliveries")).body
    assert (after["items"], after["waiting"]) == ([], waiting + 1)
    assert (await scene.administrator.post(f"/deliveries/{failure['id']}/resend", None)).code == "not_found"


async def test_an_auditor_sees_who_did_what_and_a_stopped_part(scene: Scene) -> None:
    await scene.administrator.get(f"/consultations/{scene.case_id}")
    entries = (await scene.auditor.get("/audit", patient_id=scene.patient_id, limit=1)).body["items"]
    assert [(one["actor_name"], one["action"]) for one in entries] == [("陈管", "consultation.view")]
    older = (await scene.auditor.get("/audit", before=entries[0]["id"], limit=1)).body["items"]
    assert older[0]["id"] == entries[0]["id"] - 1
    health = (await scene.auditor.get("/health")).body
    assert {one["name"]: one["running"] for one in health["parts"]} == {"events": True, "timers": False}
    assert {one["name"] for one in health["backlogs"]} == {"events", "timers"}
