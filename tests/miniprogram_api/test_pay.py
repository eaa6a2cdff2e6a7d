"""The pay page's side of the API: what it shows of a charge, the order for the sheet, and who may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web

from backend.insurance.coverage import Split
from backend.payment.wechat_pay import WeChatPay
from miniprogram_api.application import make_application
from sandbox.wechat_pay.keys import Keys
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support.charge_desk import OneFeeDesk
from tests.support.house import House
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.shop import merchant_settings

CHARGE = "c" * 32
PAY = f"/pay/{CHARGE}"


@dataclass
class Counter:
    """The API with a desk at which the patient may pay, and somebody else."""

    api: Api
    desk: OneFeeDesk
    stranger: Api
    wechat: RunningSandbox

    def becomes(self, **changes: object) -> None:
        """Let the fee be another one."""
        assert self.desk.fee is not None
        self.desk.fee = replace(self.desk.fee, **changes)  # type: ignore[arg-type]

    async def shown(self) -> dict[str, object]:
        """What the page is told."""
        answer = await self.api.get(PAY)
        assert answer.status == 200, answer.body
        body: dict[str, object] = answer.body
        return body


@pytest.fixture
async def wechat(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """A local WeChat whose merchant we are."""
    Keys(tmp_path / "pay")
    async with running_sandbox(pay_keys=tmp_path / "pay") as running:
        yield running


@pytest.fixture
async def counter(
    api: Api, patient: Patient, house: House, wechat: RunningSandbox, tmp_path: Path
) -> AsyncIterator[Counter]:
    """Where the patient pays 36 yuan of 200."""
    payments = WeChatPay(merchant_settings(tmp_path / "pay", wechat.base_url), house.clock, "http://127.0.0.1:1/")
    desk = OneFeeDesk(payments, house.clock, {patient.id: "o-wang"})
    desk.begin(CHARGE)
    await wechat.client.phone("王小明", "o-wang", following=True)
    runner = web.AppRunner(make_application(replace(api.context, charges=desk)), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stranger = await new_patient(house, api, "别人")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield Counter(replace(patient.api, url=url), desk, replace(stranger.api, url=url), wechat)
    finally:
        await runner.cleanup()
        await payments.close_connections()


async def test_it_says_what_is_to_be_paid_and_who_pays_the_rest(counter: Counter) -> None:
    shown = await counter.shown()
    assert (shown["state"], shown["total"], shown["cash"]) == ("payable", "200.00", "36.00")
    assert shown["parts"] == [
        {"label": "医保付", "amount": "160.00"},
        {"label": "医保账户付", "amount": "4.00"},
    ]
    assert isinstance(shown["explained"], list)
    assert shown["explained"][-1] == "您要付36元。"
    assert datetime.fromisoformat(str(shown["expires_at"])) == counter.desk.fee.expires_at  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("quoting", "asking"),
        ("confirmed", "paid"),
        ("settled", "paid"),
        ("disputed", "paid"),
        ("closing", "over"),
        ("closed", "over"),
        ("reversing", "giving_back"),
        ("reversed", "given_back"),
    ],
)
async def test_each_state_is_one_that_the_page_knows(counter: Counter, state: str, shown: str) -> None:
    counter.becomes(state=state, paid=Decimal("36.00"))
    assert (await counter.shown())["state"] == shown


async def test_what_costs_nothing_is_free_and_what_is_late_is_over(counter: Counter, house: House) -> None:
    nothing = Split(Decimal("200.00"), Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), "T1", ())
    counter.becomes(state="confirmed", quote=nothing)
    assert (await counter.shown())["state"] == "free"
    counter.desk.begin(CHARGE)
    house.clock.advance(timedelta(minutes=15))
    assert (await counter.shown())["state"] == "over"


async def test_the_server_s_word_counts(counter: Counter) -> None:
    opened = await counter.api.post(f"{PAY}/prepay", None)
    assert opened.status == 201, opened.body
    assert (await counter.api.get(f"{PAY}/result")).body["state"] == "payable"
    phone = await counter.wechat.client.phone("王小明", "o-wang")
    assert (await phone.payment(opened.body))["amount"] == 3600
    await phone.pay(opened.body)
    assert (await counter.shown())["state"] == "payable"  # nobody was told, nobody asked
    assert (await counter.api.get(f"{PAY}/result")).body["state"] == "paid"
    assert (await counter.shown())["paid"] == "36.00"
    again = await counter.api.post(f"{PAY}/prepay", None)
    assert (again.status, again.body["message"]) == (409, "这笔钱已经付过了，不用再付。")


async def test_others_learn_nothing(counter: Counter, patient: Patient) -> None:
    for method, path in (("GET", PAY), ("POST", f"{PAY}/prepay"), ("GET", f"{PAY}/result")):
        assert (await counter.stranger.send(method, path)).status == 404
        assert (await replace(counter.api, token="").send(method, path)).status == 401
        assert (await counter.api.send(method, path.replace(CHARGE, "d" * 32))).status == 404
        assert (await patient.api.send(method, path)).status == 404  # where nothing is charged there is no charge
