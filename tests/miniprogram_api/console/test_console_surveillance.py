"""Surveillance in the console: counts and alarms for those who may see them, and never a small number."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from backend.security.policy import Role
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.support.surveillance import SYNDROME, add_cases, platform_ran

PATH = "/surveillance"


@dataclass
class Scene:
    """A county of two areas, in one of which thirty people fell ill yesterday; and a quiet third."""

    console: Console
    administrator: Clerk
    yesterday: date


@pytest.fixture
async def scene(console: Console) -> Scene:
    house = console.house
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    yesterday = house.clock.today().date() - timedelta(days=1)
    await platform_ran(house.database, yesterday - timedelta(days=20), yesterday)
    for ago in range(21):
        day = yesterday - timedelta(days=ago)
        await add_cases(house.database, day, "青山县", 8 if ago else 30)
        await add_cases(house.database, day, "柳溪镇", 7)
        await add_cases(house.database, day, "白云乡", 2)
    return Scene(console, administrator, yesterday)


async def test_an_administrator_finds_an_outbreak_and_says_what_came_of_it(scene: Scene) -> None:
    administrator = scene.administrator
    assert (await administrator.get(f"{PATH}/alarms")).body["items"] == []
    raised = (await administrator.send("POST", f"{PATH}/assessment")).body["raised"]
    alarms = (await administrator.get(f"{PATH}/alarms", unacknowledged="true")).body["items"]
    assert raised == len(alarms) == 2
    assert {(one["area_name"], one["count"]["text"]) for one in alarms} == {("青山县", "30"), ("全部地区", "38~41")}
    answer = (await administrator.get(PATH, syndrome=SYNDROME, area="青山县")).body
    assert [one["name"] for one in answer["areas"]] == ["全部地区", "柳溪镇", "白云乡", "青山县"]
    [place] = [one for one in answer["areas"] if one["latitude"] is not None]
    assert (place["name"], place["alarms"], place["count"]["text"]) == ("青山县", 1, str(20 * 8 + 30))
    last = answer["days"][-1]
    assert (last["day"], last["count"]["low"], last["alarmed"]) == (scene.yesterday.isoformat(), 30, True)
    assert (last["usual"], last["bound"]) == (8.0, 9.5)
    path = f"{PATH}/alarms/{alarms[0]['id']}/acknowledgement"
    assert (await administrator.post(path, {"note": ""})).code == "invalid_input"
    done = (await administrator.post(path, {"note": "已电话核实"})).body
    assert (done["note"], done["acknowledged_name"]) == ("已电话核实", "陈管")
    assert (await administrator.post(path, {"note": "又一次"})).status == 409
    assert len((await administrator.get(f"{PATH}/alarms", unacknowledged="true")).body["items"]) == 1


async def test_small_numbers_are_neither_on_the_page_nor_in_the_table(scene: Scene) -> None:
    answer = (await scene.administrator.get(PATH, area="白云乡")).body
    assert {one["count"]["text"] for one in answer["days"] if one["count"]} == {"<5"}
    [quiet] = [one for one in answer["areas"] if one["key"] == "白云乡"]
    assert (quiet["count"]["low"], quiet["count"]["high"], quiet["count"]["text"]) == (21, 84, "21~84")
    exported = await scene.administrator.get(f"{PATH}/export", since=(scene.yesterday - timedelta(days=1)).isoformat())
    assert exported.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(exported.body.removeprefix("\ufeff"))))
    assert rows[0][:4] == ["日期", "地区", "症状组", "例数"]
    assert [row[3] for row in rows[1:] if row[1] == "白云乡"] == ["<5", "<5"]
    assert [row[3] for row in rows[1:] if row[1] == "全部地区"] == ["16~19", "38~41"]
    assert len(rows) == 1 + 4 * 2


async def test_an_institution_sees_its_own_area_and_an_auditor_changes_nothing(scene: Scene) -> None:
    await scene.administrator.send("POST", f"{PATH}/assessment")
    manager = await scene.console.as_("青山院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")
    auditor = await scene.console.as_("审计甲", Role.AUDITOR)
    own = (await manager.get(PATH, area="柳溪镇")).body
    assert (own["area"], [one["name"] for one in own["areas"]]) == ("青山县", ["青山县"])
    exported = await manager.get(f"{PATH}/export")
    assert {row[1] for row in csv.reader(io.StringIO(exported.body))} == {"地区", "青山县"}
    [alarm] = (await manager.get(f"{PATH}/alarms")).body["items"]
    assert alarm["area"] == "青山县"
    assert len((await auditor.get(f"{PATH}/alarms")).body["items"]) == 2
    for clerk in (manager, auditor):
        assert (await clerk.send("POST", f"{PATH}/assessment")).status == 403
        refused = await clerk.post(f"{PATH}/alarms/{alarm['id']}/acknowledgement", {"note": "好"})
        assert refused.status == 404


async def test_every_syndrome_is_explained_with_its_source(scene: Scene) -> None:
    answer = (await scene.administrator.get(f"{PATH}/definitions")).body
    assert answer["last_day"] == scene.yesterday.isoformat()
    first = answer["items"][0]
    assert (first["code"], first["name"]) == (SYNDROME, "发热呼吸道")
    assert all(one["definition"] and one["source"] for one in answer["items"])


async def test_wrong_questions_are_answered_with_a_sentence(scene: Scene) -> None:
    for wrong in (
        {"syndrome": "没有"},
        {"since": "2020-01-01"},
        {"since": "x"},
        {"area": "甲" * 65},
        {"who": "王小明"},
    ):
        assert (await scene.administrator.get(PATH, **wrong)).code == "invalid_input", wrong
    refused = await scene.administrator.post(f"{PATH}/alarms/{'0' * 32}/acknowledgement", {"note": "好"})
    assert refused.code == "not_found"
