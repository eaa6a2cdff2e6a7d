"""The sandbox's insurer: what it takes, what it refuses, what it keeps."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.client import SandboxError
from sandbox.insurer.envelope import LOCAL_KEY, digest
from sandbox.insurer.rules import Standing, read_rules, rule_for, shared
from tests.support.sandbox import RunningSandbox, running_sandbox

HOSPITAL = "H99990200001"
WANG = {"certno": "999901195903120026", "psn_name": "王秀英"}


class Counter:
    """Sends messages as an institution does."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self._count = 0

    async def send(self, infno: str, content: Any, msgid: str = "", key: str = LOCAL_KEY, **changes: Any) -> Any:
        """The answer to a message; its signature is checked where the message is ours."""
        self._count += 1
        msgid = msgid or f"{HOSPITAL}20261122080000{self._count:04d}"
        told = {"infno": infno, "msgid": msgid, "fixmedins_code": HOSPITAL, "signtype": "SM3", "input": content}
        told |= changes
        plain = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        answer = await self.sandbox.client.call("POST", "/insurer/api", {**told, "cainfo": digest(key, plain)})
        given = answer.pop("cainfo")
        plain = json.dumps(answer, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert given == digest(LOCAL_KEY, f"{told['msgid']}\n{plain}")
        return answer

    async def visit(self, number: str = "V1", amount: str = "200.00") -> dict[str, str]:
        """A registered visit with one fee; gives what a settlement of it says."""
        person = (await self.send("1101", {"data": WANG}))["output"]["baseinfo"]["psn_no"]
        about = {"psn_no": person, "ipt_otp_no": number, "med_type": "1190"}
        visit = (await self.send("2201", {"data": about}))["output"]["mdtrt_id"]
        told = {"psn_no": person, "mdtrt_id": visit}
        line = {"feedetl_sn": "1", "chrg_bchno": number, "chrgitm_lv": "01", "det_item_fee_sumamt": amount}
        assert (await self.send("2203", {"mdtrtinfo": told}))["infcode"] == "0"
        assert (await self.send("2204", {"feedetail": [{**told, **line}]}))["infcode"] == "0"
        return {**told, "chrg_bchno": number, "medfee_sumamt": amount, "acct_used_flag": "1"}


@pytest_asyncio.fixture
async def counter() -> AsyncIterator[Counter]:
    """A counter before a fresh sandbox."""
    async with running_sandbox() as sandbox:
        yield Counter(sandbox)


async def test_a_message_that_is_not_signed_by_the_key_is_refused(counter: Counter) -> None:
    assert (await counter.send("1101", {"data": WANG}, key="another"))["infcode"] == "9001"
    assert (await counter.send("1101", {"data": WANG}, signtype="SM2"))["infcode"] == "9001"


async def test_what_makes_no_sense_is_refused_and_does_nothing(counter: Counter) -> None:
    for infno, content, code in (
        ("9999", {}, "9004"),
        ("1101", {}, "9003"),
        ("1101", {"data": {"certno": ["x"], "psn_name": 1}}, "1001"),
        ("2201", {"data": {"psn_no": "N0"}}, "1001"),
        ("2204", {"feedetail": []}, "9003"),
        ("2207", {"data": {"mdtrt_id": "M0", "psn_no": "N0"}}, "2002"),
        ("2601", {"data": {}}, "9003"),
    ):
        assert (await counter.send(infno, content))["infcode"] == code, infno
    assert (await counter.send("1101", {"data": WANG}, msgid="short"))["infcode"] == "9003"
    assert (await counter.send("1101", {"data": WANG}, fixmedins_code="H36010200001"))["infcode"] == "2001"
    assert counter.sandbox.world.insurer.books.visits == {}


@pytest.mark.parametrize("amount", ["200", "200.0", "-1.00", "1e2.00", "²00.00", "", "999999999.00"])
async def test_an_amount_is_digits_with_two_places(counter: Counter, amount: str) -> None:
    with pytest.raises(AssertionError):
        await counter.visit(amount=amount)


async def test_a_message_comes_twice_and_its_id_does_not_serve_another(counter: Counter) -> None:
    asked = await counter.visit()
    msgid = f"{HOSPITAL}202611220900000001"
    first = await counter.send("2207", {"data": asked}, msgid=msgid)
    again = await counter.send("2207", {"data": asked}, msgid=msgid)
    assert first["output"] == again["output"]
    other = await counter.send("2207", {"data": {**asked, "acct_used_flag": "0"}}, msgid=msgid)
    assert other["infcode"] == "9002"
    assert (await counter.send("2207", {"data": asked}))["infcode"] == "2004"


async def test_a_reversed_message_is_refused_for_ever(counter: Counter) -> None:
    asked = await counter.visit()
    msgid = f"{HOSPITAL}202611220900000001"
    reversal = {"data": {"psn_no": asked["psn_no"], "omsgid": msgid, "oinfno": "2207"}}
    assert (await counter.send("2601", reversal))["infcode"] == "0"
    assert (await counter.send("2207", {"data": asked}, msgid=msgid))["infcode"] == "2010"
    assert counter.sandbox.world.insurer.books.settlements == {}


async def test_a_revocation_is_not_reversed_once_the_visit_is_settled_anew(counter: Counter) -> None:
    asked = await counter.visit()
    settled = (await counter.send("2207", {"data": asked}))["output"]["setlinfo"]["setl_id"]
    msgid = f"{HOSPITAL}202611220900000001"
    revocation = {"data": {**asked, "setl_id": settled}}
    assert (await counter.send("2208", revocation, msgid=msgid))["infcode"] == "0"
    assert (await counter.send("2207", {"data": asked}))["infcode"] == "0"
    reversal = {"data": {"psn_no": asked["psn_no"], "omsgid": msgid, "oinfno": "2208"}}
    assert (await counter.send("2601", reversal))["infcode"] == "2004"
    assert [one.standing for one in counter.sandbox.world.insurer.books.settlements.values()] == [False, True]


async def test_people_are_added_and_changed_from_outside(counter: Counter) -> None:
    client = counter.sandbox.client
    newcomer = {"certno": "999901198001010011", "name": "新来的", "insutype": "310", "balance": 5_000}
    number = (await client.call("POST", "/insurer/people", newcomer))["psn_no"]
    found = await counter.send("1101", {"data": {"certno": newcomer["certno"], "psn_name": "新来的"}})
    assert found["output"]["baseinfo"]["psn_no"] == number
    await client.call("POST", "/insurer/people", {"certno": newcomer["certno"], "status": "2"})
    people = {one["psn_no"]: one for one in (await client.call("GET", "/insurer/people"))["people"]}
    assert (people[number]["status"], people[number]["balance"]) == ("2", 5_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": ""},
        {"insutype": "1"},
        {"status": 2},
        {"balance": -1},
        {"balance": 1.5},
        {"balance": True},
        {"used": {"x": [0, 0]}},
        {"used": {"medicine": [0]}},
        {"used": 7},
        {"region": 7},
        {"colour": "red"},
    ],
    ids=str,
)
async def test_a_person_who_cannot_be_is_refused(counter: Counter, wrong: dict[str, Any]) -> None:
    body = {"certno": "999901198001010011", "name": "新来的", **wrong} if wrong else {}
    with pytest.raises(SandboxError) as error:
        await counter.sandbox.client.call("POST", "/insurer/people", body)
    assert error.value.code == "insured_invalid"


async def test_the_journal_tells_of_each_message(counter: Counter) -> None:
    await counter.send("1101", {"data": {**WANG, "psn_name": "别人"}})
    entry = (await counter.sandbox.client.journal(path="/insurer/1101"))[-1]
    assert (entry["errcode"], entry["status"], entry["direction"]) == (1002, 200, "in")


async def test_what_was_settled_is_still_so_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    async with running_sandbox(state=state) as sandbox:
        counter = Counter(sandbox)
        asked = await counter.visit()
        settled = (await counter.send("2207", {"data": asked}))["output"]
        kept = sandbox.world.insurer.books.dump()
    async with running_sandbox(state=state) as sandbox:
        assert sandbox.world.insurer.books.dump() == json.loads(json.dumps(kept))
        counter = Counter(sandbox)
        found = (await counter.send("5203", {"data": asked}))["output"]
        assert found == settled
        await sandbox.client.reset()
        assert sandbox.world.insurer.books.settlements == {}


async def test_a_state_file_from_before_there_was_an_insurer_is_read(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    async with running_sandbox(state=state) as sandbox:
        await sandbox.client.phone("王阿姨")
    old = json.loads(state.read_text())
    del old["insurer"]
    state.write_text(json.dumps(old))
    async with running_sandbox(state=state) as sandbox:
        assert len(await sandbox.client.phones()) == 1
        assert sandbox.world.insurer.books.people


def test_a_deductible_is_met_before_anything_is_paid() -> None:
    rule = rule_for(read_rules(), "resident", "medicine", "primary")
    found = shared(rule, ((15_000, "甲"), (1_000, "丙")), Standing(deductible_met=4_000, account=2_000))
    assert (found.own_whole, found.deductible, found.fund, found.account, found.cash) == (
        1_000,
        6_000,
        4_950,
        2_000,
        9_050,
    )
