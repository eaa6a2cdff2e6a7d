"""What we say in each transaction, under the names of the national specification. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from backend.clock import local
from backend.insurance.coverage import Fee
from backend.insurance.insurer import Visit
from backend.insurance.messages import Json
from backend.money import to_fen

_IDENTITY_CARD = "02"  # mdtrt_cert_type
_CITIZEN = "01"  # psn_cert_type
_BY_ITEM = "01"  # psn_setlway
LEVELS = {"甲": "01", "乙": "02", "丙": "03"}
"""Classes of the catalogue by their code (chrgitm_lv)."""


@dataclass(frozen=True)
class Registered:
    """What later messages about a visit need of its registration."""

    visit: str
    number: str
    person: str
    certificate: str
    insurance: str
    medical_type: str


def person(identity: str, name: str) -> Json:
    """1101."""
    return {
        "data": {
            "mdtrt_cert_type": _IDENTITY_CARD,
            "mdtrt_cert_no": identity,
            "psn_cert_type": _CITIZEN,
            "certno": identity,
            "psn_name": name,
        }
    }


def register(visit: Visit, certificate: str, insurance: str, medical_type: str) -> Json:
    """2201."""
    return {
        "data": {
            "psn_no": visit.person,
            "insutype": insurance,
            "begntime": _time(visit.at),
            "mdtrt_cert_type": _IDENTITY_CARD,
            "mdtrt_cert_no": certificate,
            "ipt_otp_no": visit.number,
            "med_type": medical_type,
        }
    }


def registered(visit: str, asked: Json, number: str) -> Registered:
    """Give what a registration (as `register` made it) was answered by."""
    told = asked["data"]
    return Registered(visit, number, told["psn_no"], told["mdtrt_cert_no"], told["insutype"], told["med_type"])


def unregister(of: Registered) -> Json:
    """2202."""
    return {"data": {"mdtrt_id": of.number, "psn_no": of.person, "ipt_otp_no": of.visit}}


def visit_information(of: Registered, at: datetime) -> Json:
    """2203. Diagnoses are not known before a consultation."""
    told = {"mdtrt_id": of.number, "psn_no": of.person, "med_type": of.medical_type, "begntime": _time(at)}
    return {"mdtrtinfo": told, "diseinfo": []}


def details(of: Registered, visit: Visit) -> Json:
    """2204: each fee a line, all in one batch."""
    return {"feedetail": [_line(of, visit, place, fee) for place, fee in enumerate(visit.fees, 1)]}


def _line(of: Registered, visit: Visit, place: int, fee: Fee) -> Json:
    return {
        "feedetl_sn": str(place),
        "mdtrt_id": of.number,
        "psn_no": of.person,
        "chrg_bchno": of.visit,
        "fee_ocur_time": _time(visit.at),
        "medins_list_name": fee.name,
        "chrgitm_lv": LEVELS[fee.catalogue],
        "cnt": "1",
        "pric": _amount(fee.amount),
        "det_item_fee_sumamt": _amount(fee.amount),
    }


def revoke_details(of: Registered) -> Json:
    """2205."""
    return {"data": {"chrg_bchno": of.visit, "mdtrt_id": of.number, "psn_no": of.person}}


def settlement(of: Registered, visit: Visit) -> Json:
    """2206 and 2207."""
    return {
        "data": {
            "psn_no": of.person,
            "mdtrt_cert_type": _IDENTITY_CARD,
            "mdtrt_cert_no": of.certificate,
            "med_type": of.medical_type,
            "medfee_sumamt": _amount(sum((fee.amount for fee in visit.fees), Decimal(0))),
            "psn_setlway": _BY_ITEM,
            "mdtrt_id": of.number,
            "chrg_bchno": of.visit,
            "acct_used_flag": "1" if visit.use_account else "0",
            "insutype": of.insurance,
        }
    }


def revoke_settlement(of: Registered, settled: str) -> Json:
    """2208."""
    return {"data": {"setl_id": settled, "mdtrt_id": of.number, "psn_no": of.person}}


def settlement_query(of: Registered) -> Json:
    """5203."""
    return {"data": {"psn_no": of.person, "setl_id": "", "mdtrt_id": of.number}}


def reversal(transaction: str, msgid: str, asked: Json) -> Json:
    """2601, of a message that asked this."""
    told = asked["feedetail"][0] if "feedetail" in asked else asked["data"]
    return {"data": {"psn_no": told["psn_no"], "omsgid": msgid, "oinfno": transaction}}


def totals(since: date, until: date) -> Json:
    """3201."""
    return {"data": {"stmt_begndate": since.isoformat(), "stmt_enddate": until.isoformat()}}


def listing(day: date, page: int, size: int) -> Json:
    """3202, a page of it, counted from 1."""
    return {"data": {**totals(day, day)["data"], "page_num": page, "page_size": size}}


def require_fees(fees: Sequence[Fee]) -> None:
    """See that there is something to claim, in whole fen.

    Raises:
        ValueError: there is nothing, a fee is below zero or has parts of a fen.
    """
    if not fees or any(to_fen(fee.amount) < 0 for fee in fees):
        raise ValueError("a claim of nothing, or of less")


def _amount(yuan: Decimal) -> str:
    return f"{yuan:.2f}"


def _time(at: datetime) -> str:
    return local(at).strftime("%Y-%m-%d %H:%M:%S")
