"""Messages of the national platform: the envelope, its signature, and the checking of what comes back.

Source: 国家医疗保障信息平台定点医药机构接口规范, the common part of every transaction. How a message is signed
is left to the provinces there; ours is a keyed digest with SM3 (GB/T 32905, HMAC of RFC 2104) over the message as
canonical JSON: names sorted, no blanks, UTF-8, `cainfo` left out. That of an answer is over the sender's message id, a
line feed and the answer, so that an answer to another message is no answer to this one. Amounts travel as text of two
places, because two programs do not write one floating-point number alike.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.clock import local

LARGEST_ANSWER = 1 << 20
"""Bytes of an answer that are read at most."""

SUCCESS = "0"
_SIGNATURE = "SM3"
_DEEPEST = 12

Json = dict[str, Any]


class Unverifiable(Exception):
    """Something came back that is not the insurer's answer to our message; `reason` is a stable word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Address:
    """Who sends a message to whom: the part of the envelope that is the same for one institution and person.

    Args:
        institution: code of the institution, twelve characters. region: where it lies (就医地), as six digits.
        insured: where the person is insured (参保地), as six digits; "" where that is not known yet.
    """

    institution: str
    region: str
    insured: str = ""


def envelope(
    transaction: str,
    msgid: str,
    content: Mapping[str, Any],
    address: Address,
    at: datetime,
    *,
    version: str,
    receiver: str,
    operator: str,
) -> Json:
    """Give a message before it is signed.

    Args:
        transaction: its number, such as "2207". msgid: the sender's id of it, 30 characters.
        content: what the transaction says (`input`). at: now.
        version, receiver, operator: as the province wants them (infver, recer_sys_code, opter).
    """
    return {
        "infno": transaction,
        "msgid": msgid,
        "mdtrtarea_admvs": address.region,
        "insuplc_admdvs": address.insured,
        "recer_sys_code": receiver,
        "dev_no": "",
        "dev_safe_info": "",
        "signtype": _SIGNATURE,
        "infver": version,
        "opter_type": "2",  # a terminal: nobody sits at a counter
        "opter": operator,
        "opter_name": operator,
        "inf_time": local(at).strftime("%Y-%m-%d %H:%M:%S"),
        "fixmedins_code": address.institution,
        "fixmedins_name": "",
        "sign_no": "",
        "input": dict(content),
    }


def message_id(institution: str, at: datetime, number: int) -> str:
    """Give the sender's id of a message: institution (12), time (14), a running number (4)."""
    return f"{institution}{local(at):%Y%m%d%H%M%S}{number % 10_000:04d}"


def canonical(content: Mapping[str, Any]) -> bytes:
    """Give content as the one text that is signed."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed(message: Mapping[str, Any], key: bytes) -> bytes:
    """Give a message as it goes over the wire, with its signature."""
    digest = _digest(key, canonical(message)).finalize().hex()
    return json.dumps({**message, "cainfo": digest}, ensure_ascii=False).encode()


class Answer(BaseModel):
    """What came back, verified: `code` is "0" where the insurer did what was asked, `content` what it says then."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    code: Annotated[str, Field(alias="infcode", min_length=1, max_length=8, pattern=r"^-?[0-9A-Za-z]+$")]
    reference: Annotated[str, Field(alias="inf_refmsgid", max_length=40)]
    responded: Annotated[str, Field(alias="respond_time", pattern=r"^[0-9]{17}$")]
    received: Annotated[str, Field(alias="refmsg_time", pattern=r"^[0-9]{17}$")]
    error: Annotated[str, Field(alias="err_msg", max_length=2000)] = ""
    content: Annotated[Json | None, Field(alias="output")] = None


def read_answer(body: bytes, msgid: str, key: bytes) -> Answer:
    """Verify and read the answer to the message `msgid`.

    Raises:
        Unverifiable: it is no answer of the insurer's to this message.
    """
    if len(body) > LARGEST_ANSWER:
        raise Unverifiable("too_large")
    try:
        told = json.loads(body, parse_float=_no_fraction, parse_constant=_no_fraction)
    except (ValueError, RecursionError):
        raise Unverifiable("no_json") from None
    if not isinstance(told, dict) or _depth(told) > _DEEPEST:
        raise Unverifiable("no_envelope")
    given = told.pop("cainfo", None)
    if told.get("signtype") != _SIGNATURE or not isinstance(given, str):
        raise Unverifiable("not_signed")
    try:
        _digest(key, msgid.encode() + b"\n" + canonical(told)).verify(bytes.fromhex(given))
    except (InvalidSignature, ValueError):
        raise Unverifiable("wrong_signature") from None
    try:
        return Answer.model_validate(told)
    except ValidationError:
        raise Unverifiable("no_envelope") from None


def _digest(key: bytes, text: bytes) -> hmac.HMAC:
    digest = hmac.HMAC(key, hashes.SM3())
    digest.update(text)
    return digest


def _no_fraction(_literal: str) -> NoReturn:
    raise ValueError("an amount that is no text")


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
