"""What a pharmacy sees of a prescription behind its QR code: whether it can be used, and what is handed out."""

import html
from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.clock import local
from backend.dispensing import Handover
from backend.prescription import State, Verification
from miniprogram_api.verification_page import advice, facts, footer, section, verdict

_WHO = "桥医　处方核对"
_AS_PRINTED = "请对一对：下面写的和纸上写的要一样。不一样，就不要发药。"
_VERDICTS = {
    State.VALID: ("good", "处方有效，可以发药", "医师和药师的电子签名都核对过了。"),
    State.PARTLY_DISPENSED: ("old", "已经发过一部分药", "写着“已发”的不能再发，剩下的还可以发。"),
    State.DISPENSED: ("bad", "这张处方已经用过了", "药已经发完，不能再发。"),
    State.EXPIRED: ("bad", "这张处方已经过期", "过了有效期，不能发药。请患者找医生重新开。"),
    State.REVOKED: ("bad", "这张处方已经作废", "医生已经把它收回，不能发药。"),
}


def shown_prescription(said: Verification, handovers: Sequence[Handover]) -> str:
    """Give the body of the page; `handovers` say when and where it was used."""
    if not said.genuine:
        words = "内容和签名的时候不一样，不要相信，也不要发药。请联系开处方的医院。"
        return verdict("bad", "这张处方有问题", words) + footer(f"处方编号：{said.number}")
    kind, headline, words = _VERDICTS[said.state]
    if said.changed_at is not None:
        words = f"{_moment(said.changed_at)}，{words}"
    if said.state is State.DISPENSED and handovers:
        last = handovers[-1]
        words = f"{_moment(last.at)}，药在{last.pharmacy_name}发完了，不能再发。"
    rows = (
        ("姓名", said.patient_name),
        ("性别", said.sex),
        ("年龄", said.age),
        ("医师", said.prescriber_name),
        ("审核药师", said.pharmacist_name),
        ("开具机构", said.institution),
        ("审核时间", _moment(said.approved_at)),
        ("有效期到", f"{local(said.valid_until - timedelta(seconds=1)):%Y年%m月%d日}"),
        ("处方编号", said.number),
    )
    given = {line for one in handovers for line in one.lines}
    medicines = "\n".join(
        f"{number + 1}. {'【已发】' if number in given else ''}{line}" for number, line in enumerate(said.lines)
    )
    used = section("什么时候、在哪里发的药", "\n".join(map(_handed, handovers))) if handovers else ""
    head = verdict(kind, headline, html.escape(words)) + used + advice(_AS_PRINTED)
    return head + section("药品", medicines) + facts(rows) + footer(_WHO)


def _handed(one: Handover) -> str:
    lines = "、".join(f"第{line + 1}种" for line in one.lines)
    return f"{_moment(one.at)}　{one.pharmacy_name}（{one.method.label}）发了{lines}"


def _moment(at: datetime) -> str:
    return f"{local(at):%Y年%m月%d日 %H:%M}"
