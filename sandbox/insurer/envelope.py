"""The envelope as the played insurer reads and writes it: signatures with SM3, times, codes of failure."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.errors import JsonObject

LOCAL_KEY = "qiaoyi-local-insurer-key"
"""The public constant of the played insurer."""

CHINA = timezone(timedelta(hours=8))

TEXTS = {
    "1001": "未查询到参保人员信息",
    "1002": "人员姓名与证件号码不符",
    "1003": "人员参保状态不是正常参保",
    "2001": "定点医药机构不存在",
    "2002": "未查询到就诊登记信息",
    "2003": "该就诊已登记",
    "2004": "该就诊已结算",
    "2005": "未查询到有效的结算信息",
    "2006": "未查询到费用明细",
    "2007": "费用总额与明细不一致",
    "2008": "该交易不能冲正",
    "2010": "该报文已被冲正",
    "9001": "签名验证失败",
    "9002": "报文ID重复且内容不一致",
    "9003": "报文格式错误",
    "9004": "交易编号不存在",
    "9999": "系统繁忙",
}


class Refusal(Exception):
    """A message that is answered no."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A message, verified."""

    infno: str
    msgid: str
    institution: str
    input: JsonObject


def china_time(moment: float) -> str:
    """Seconds since the epoch as people in China read them."""
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def read(text: str, key: str) -> Message:
    """Read a message; refused where it makes no sense (9003) or is not signed by ``key`` (9001)."""
    try:
        told = json.loads(text)
        given = str(told.pop("cainfo")).encode()
        message = Message(told["infno"], told["msgid"], told["fixmedins_code"], told["input"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refusal("9003") from None
    signature = digest(key, _plain(told)).encode()
    if told.get("signtype") != "SM3" or not hmac.compare_digest(given, signature):
        raise Refusal("9001")
    texts = all(isinstance(one, str) for one in (message.infno, message.msgid, message.institution))
    if not texts or len(message.msgid) != 30 or not isinstance(message.input, dict):
        raise Refusal("9003")
    return message


def answer(msgid: str, code: str, output: JsonObject | None, now: float, key: str, reference: str) -> JsonObject:
    """An answer to the message ``msgid``, signed."""
    moment = datetime.fromtimestamp(now, CHINA)
    stamp = moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}"
    told: JsonObject = {
        "infcode": code,
        "inf_refmsgid": reference,
        "refmsg_time": stamp,
        "respond_time": stamp,
        "err_msg": "" if code == "0" else TEXTS.get(code, "交易失败"),
        "signtype": "SM3",
        "output": output,
    }
    return {**told, "cainfo": digest(key, f"{msgid}\n{_plain(told)}")}


def digest(key: str, text: str) -> str:
    """The keyed digest of a text."""
    return hmac.new(key.encode(), text.encode(), lambda: hashlib.new("sm3")).hexdigest()


def _plain(told: Any) -> str:
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
