"""The bills of a day: all of it, in order of number, and nothing that its digest does not prove."""

import io
from datetime import date, timedelta

import pytest

from backend.clock import local
from backend.payment.bills import BillError, funds_in, payments_in
from backend.payment.payments import BillLine, PaymentRefused, PaymentUnclear
from backend.payment.wechat_pay import WeChatPay
from tests.support.shop import Shop

NAMES = "交易时间,商户订单号,交易状态,商户退款单号,退款状态,商品名称,订单金额,申请退款金额"
SUMS = "总交易单数,订单总金额"


def lines_of(*lines: str) -> list[BillLine]:
    """Read a bill of these lines."""
    text = "\r\n".join(["\ufeff" + NAMES, *lines, SUMS, "`9,`9.00", ""])
    return [line for part in payments_in(io.BytesIO(text.encode())) for line in part]


async def bill_of(pay: WeChatPay, day: date) -> list[BillLine]:
    """Give a whole bill."""
    return [line async for part in pay.bill(day) for line in part]


async def traded(shop: Shop) -> date:
    """Let three orders be paid and one be given back in part; give the day, which is over."""
    for number in ("QY0000003", "QY0000001", "QY0000002"):
        await shop.paid(number, 3600 + int(number[-1]))
    await shop.pay.refund("QY0000001", "QYR000001", 1600, 3601, "取消预约")
    day = local(shop.clock.now()).date()
    await shop.advance(timedelta(days=1, hours=12).total_seconds())
    return day


async def test_a_day_s_bill_has_what_was_paid_and_given_back(shop: Shop) -> None:
    day = await traded(shop)
    lines = await bill_of(shop.pay, day)
    assert [(line.kind, line.number, line.order, line.amount) for line in lines] == [
        ("payment", "QY0000001", "QY0000001", 3601),
        ("payment", "QY0000002", "QY0000002", 3602),
        ("payment", "QY0000003", "QY0000003", 3603),
        ("refund", "QYR000001", "QY0000001", 1600),
    ]
    assert {local(line.at).date() for line in lines} == {day}


async def test_the_fund_bill_adds_up_to_the_same(shop: Shop) -> None:
    day = await traded(shop)
    lines = [line async for part in shop.pay.funds(day) for line in part]
    assert sum(line.amount if line.direction == "in" else -line.amount for line in lines) == 3601 + 3602 + 3603 - 1600
    assert {line.number for line in lines} == {"QY0000001", "QY0000002", "QY0000003", "QYR000001"}


async def test_a_day_on_which_nothing_happened_has_no_lines(shop: Shop) -> None:
    assert await bill_of(shop.pay, date(2026, 1, 1)) == []


async def test_a_day_that_is_not_over_has_no_bill_yet(shop: Shop) -> None:
    await shop.paid()
    with pytest.raises(PaymentRefused, match="STATEMENT_CREATING"):
        await bill_of(shop.pay, local(shop.clock.now()).date())


@pytest.mark.parametrize("fault", [{"kind": "tampered_amount"}, {"status": 500}, {"drop": "after", "times": 2}])
async def test_a_bill_that_is_changed_or_cut_off_gives_no_line(shop: Shop, fault: dict[str, object]) -> None:
    day = await traded(shop)
    await shop.fault("/v3/billdownload/file", **fault)
    with pytest.raises(PaymentUnclear):
        await bill_of(shop.pay, day)
    assert len(await bill_of(shop.pay, day)) == 4


async def test_a_file_of_another_host_is_not_fetched(shop: Shop) -> None:
    with pytest.raises(PaymentUnclear, match="another host"):
        async with shop.pay._client.download("http://127.0.0.1:9/v3/billdownload/file?token=t"):
            pass


def test_a_comma_in_the_name_of_what_was_bought_is_part_of_it() -> None:
    [line] = lines_of("`2026-11-22 09:00:00,`QY1,`SUCCESS,`,`,`会诊,第一次,`36.00,`0.00")
    assert (line.number, line.amount) == ("QY1", 3600)


def test_a_refund_that_failed_gave_nothing_back() -> None:
    assert lines_of("`2026-11-22 09:00:00,`QY1,`REFUND,`QYR1,`FAIL,`会诊,`0.00,`36.00") == []


def test_a_long_bill_comes_in_parts() -> None:
    many = [f"`2026-11-22 09:00:00,`QY{9999 - at:04},`SUCCESS,`,`,`会诊,`{at}.01,`0.00" for at in range(2500)]
    text = "\r\n".join([NAMES, *many, SUMS, ""])
    parts = list(payments_in(io.BytesIO(text.encode())))
    assert [len(part) for part in parts] == [1000, 1000, 500]
    numbers = [line.number for part in parts for line in part]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    "line",
    [
        "<html>",
        "`2026-11-22,`QY1,`SUCCESS,`,`,`会诊,`36.00,`0.00",
        "`2026-11-22 09:00:00,`QY1,`SUCCESS,`,`,`会诊,`36.001,`0.00",
        "`2026-11-22 09:00:00,`QY1,`SUCCESS,`,`,`会诊,`NaN,`0.00",
        "`2026-11-22 09:00:00,`QY1,`SUCCESS",
    ],
)
def test_a_line_of_another_form_is_no_line(line: str) -> None:
    with pytest.raises(BillError):
        lines_of(line)


@pytest.mark.parametrize("text", ["", NAMES, NAMES + "\r\n", "\xff", f"other\r\n`1\r\n{SUMS}"])
def test_a_bill_without_its_end_or_its_columns_is_none(text: str) -> None:
    with pytest.raises(BillError):
        list(payments_in(io.BytesIO(text.encode("latin-1") if text == "\xff" else text.encode())))
    with pytest.raises(BillError):
        list(funds_in(io.BytesIO(text.encode())))
