"""What the payer's WeChat does: shows what is to be paid, asks for the password, pays (docs/sandbox.md)."""

from aiohttp import web

from sandbox.errors import ApiError, conflict, not_found
from sandbox.requests import json_response, read_body, text_field
from sandbox.wechat.platform.calls import ACCOUNT
from sandbox.wechat_pay.book import Order, Refusal
from sandbox.wechat_pay.merchant_side import WeChatPay
from sandbox.wechat_pay.signing import is_bridged

PASSWORD = "123456"  # noqa: S105 -- of every local phone, said on the sheet
MERCHANT_NAME = "桥医远程会诊"
PAY = web.AppKey("pay", WeChatPay)
_PREFIX = "prepay_id="
_WHY = {
    "ORDERPAID": ("payment_paid", "这笔钱已经付过了，不用再付。"),
    "ORDER_CLOSED": ("payment_closed", "订单已关闭，不能再付。"),
    "ORDER_NOT_EXIST": ("payment_unknown", "没有这个订单，或已经失效。"),
}

routes = web.RouteTableDef()


@routes.post("/api/phones/{openid}/payments")
async def show(request: web.Request) -> web.Response:
    """What a page asks the payment sheet to show, checked: ``{prepay_id, merchant, description, amount}``."""
    pay, fields = request.app[PAY], await read_body(request)
    if not is_bridged(pay.merchant, fields, pay.clock.now()) or not str(fields["package"]).startswith(_PREFIX):
        raise conflict("payment_signature", "支付验证签名失败")
    order = _order(request, str(fields["package"]).removeprefix(_PREFIX))
    shown = {"merchant": MERCHANT_NAME, "description": order.description, "amount": order.amount}
    return json_response({"prepay_id": order.prepay_id, **shown})


@routes.post("/api/phones/{openid}/payments/{prepay_id}")
async def confirm(request: web.Request) -> web.Response:
    """The six digits: right ones pay."""
    order = _order(request, request.match_info["prepay_id"])
    if text_field(await read_body(request), "password", 16) != PASSWORD:
        raise conflict("password_wrong", "支付密码不对，请再输一次。")
    request.app[PAY].take_payment(order)
    return json_response({"transaction_id": order.transaction})


def _order(request: web.Request, prepay_id: str) -> Order:
    phone = request.app[ACCOUNT].phones.get(request.match_info["openid"])
    try:
        order = request.app[PAY].book.to_pay(prepay_id)
    except Refusal as refusal:
        code, message = _WHY[refusal.code]
        raise _error(code, message) from None
    if order.openid != phone.openid:
        raise conflict("payment_of_other", "下单的微信和付款的微信不是同一个。")
    return order


def _error(code: str, message: str) -> ApiError:
    return not_found(code, message) if code == "payment_unknown" else conflict(code, message)
