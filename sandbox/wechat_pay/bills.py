"""The bills of a day, as text.

Source: pay.weixin.qq.com, 下载账单 / 交易账单详细说明, 资金账单详细说明.
"""

from datetime import date, datetime, timedelta

from sandbox.wechat_pay.book import CHINA, Book, Order, Refund

_TRADE = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,"
    "商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
_TRADE_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_FUNDS = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
_FUND_SUMS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
_RATE = "0.60%"
_END = "\r\n"


def trade_bill(book: Book, day: date, mchid: str, appid: str) -> str:
    """Everything that was paid and refunded on a day; empty where nothing was."""
    lines, paid, back = [], 0, 0
    for at, order, refund in book.happened(*_day(day)):
        paid += 0 if refund else order.amount
        back += refund.amount if refund else 0
        lines.append(_line(_trade_values(at, order, refund, mchid, appid)))
    if not lines:
        return ""
    sums = _line([str(len(lines)), _yuan(paid), _yuan(back), "0.00", "0.00000", _yuan(paid), _yuan(back)])
    return _END.join(["\ufeff" + _TRADE, *lines, _TRADE_SUMS, sums, ""])


def fund_bill(book: Book, day: date) -> str:
    """How the merchant's balance moved on a day; empty where it did not."""
    lines, balance = [], 0
    counts, amounts = [0, 0], [0, 0]
    for at, order, refund in book.happened(*_day(day)):
        way, amount = (1, refund.amount) if refund else (0, order.amount)
        counts[way] += 1
        amounts[way] += amount
        balance += -amount if refund else amount
        name, number = ("退款", refund.number) if refund else ("交易", order.number)
        own = refund.id if refund else order.transaction
        values = [_at(at), order.transaction, own, name, name, ("收入", "支出")[way], _yuan(amount), _yuan(balance)]
        lines.append(_line([*values, "system", "", number]))
    if not lines:
        return ""
    sums = [str(len(lines)), str(counts[0]), _yuan(amounts[0]), str(counts[1]), _yuan(amounts[1])]
    return _END.join(["\ufeff" + _FUNDS, *lines, _FUND_SUMS, _line(sums), ""])


def _day(day: date) -> tuple[float, float]:
    begin = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return begin.timestamp(), (begin + timedelta(days=1)).timestamp()


def _trade_values(at: float, order: Order, refund: Refund | None, mchid: str, appid: str) -> list[str]:
    head = [_at(at), appid, mchid, "0", "", order.transaction, order.number, order.openid, "JSAPI"]
    if refund is None:
        middle = ["SUCCESS", "OTHERS", "CNY", _yuan(order.amount), "0.00", "0", "0", "0.00", "0.00", "", ""]
        return [*head, *middle, order.description, "", "0.00000", _RATE, _yuan(order.amount), "0.00", ""]
    middle = ["REFUND", "OTHERS", "CNY", "0.00", "0.00", refund.id, refund.number, _yuan(refund.amount), "0.00"]
    end = ["ORIGINAL", "SUCCESS", order.description, "", "0.00000", _RATE, "0.00", _yuan(refund.amount), ""]
    return [*head, *middle, *end]


def _line(values: list[str]) -> str:
    return ",".join(f"`{value}" for value in values)


def _at(moment: float) -> str:
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
