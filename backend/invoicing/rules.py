"""What stands on the receipt of a settled charge. Pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from backend.charging import ChargeState, ChargeView
from backend.clock import local
from backend.consultation import ConsultationView
from backend.invoice_page import InvoicePage
from backend.money import in_capitals
from backend.people import masked_name

TITLE = "电子发票（平台收费凭证）"
ISSUER = "桥医远程会诊平台"
VOID = "已退费　作废"

GIVEN_BACK = frozenset({ChargeState.REVERSING, ChargeState.REVERSED})
"""States in which a receipt counts no more."""

_NOTICES = (
    "这是平台开的收费凭证，带有平台的电子签章，改动任何一处都能查出来。",
    "平台还没有接通税务部门的开票系统，这张凭证不是税务部门监制的发票。单位报销、商业保险要正式发票的，请在微信里找人工。",
    "医保、账户、补助付的部分已经在结算时直接扣过，不用再去窗口报销。",
)


def document_of(charge: ChargeView, case: ConsultationView, issued_at: datetime) -> dict[str, Any]:
    """Give what a receipt states, as it is kept for ever: amounts in yuan as text, no name in full.

    Args:
        charge: settled. case: the consultation that it is of.
    """
    if charge.settled is None or charge.settled_at is None:
        raise ValueError("a receipt of what is not settled")
    split = charge.settled
    return {
        "number": number_of(charge),
        "charge": charge.number,
        "buyer": masked_name(case.patient_name),
        "consultation": case.number,
        "institution": case.institution_name,
        "settled_at": charge.settled_at.isoformat(),
        "issued_at": issued_at.isoformat(),
        "lines": [["远程会诊费", f"{split.total:.2f}"]],
        "total": f"{split.total:.2f}",
        "parts": [
            ["医保统筹基金", f"{split.insurance:.2f}"],
            ["个人（家庭）账户", f"{split.account:.2f}"],
            ["财政补助", f"{split.subsidy:.2f}"],
            ["个人自付（微信支付）", f"{split.cash:.2f}"],
        ],
    }


def number_of(charge: ChargeView) -> str:
    """Give the number of a charge's receipt: the charge's own, so that there is never a second one."""
    return f"FP{charge.number.removeprefix('FY')}"


def page_of(document: Mapping[str, Any], *, void: bool) -> InvoicePage:
    """Give the page of a receipt; `void`: the money was given back, and it counts no more."""
    return InvoicePage(
        title=TITLE,
        issuer=ISSUER,
        number=document["number"],
        facts=(
            (("付款人", document["buyer"]), ("开具日期", _day(document["issued_at"]))),
            (("会诊编号", document["consultation"]), ("账单编号", document["charge"])),
            (("卫生院", document["institution"]), ("结算日期", _day(document["settled_at"]))),
        ),
        lines=tuple((name, amount) for name, amount in document["lines"]),
        total=f"¥{document['total']}",
        capitals=in_capitals(Decimal(document["total"])),
        parts=tuple((name, f"{amount}元") for name, amount in document["parts"]),
        notices=_NOTICES,
        stamp=VOID if void else "",
    )


def _day(moment: str) -> str:
    there = local(datetime.fromisoformat(moment))
    return f"{there.year}年{there.month}月{there.day}日"
