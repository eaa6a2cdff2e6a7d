"""Prescriptions in a chat: the draft as its doctor sees it, the task of a pharmacist, and the patient's card."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from backend.clock import local
from backend.consultation.icd10 import disease_name
from backend.consultation.views import ConsultationView
from backend.prescription import Finding, Line, PrescriptionView, Said, Severity, State, pickup_number_said
from backend.security.policy import Actor
from bot.cards.case import case_line
from bot.cards.medicines import HAVE
from bot.messages import Choice, Link, Menu, Notice
from bot.wording import lines

if TYPE_CHECKING:
    from backend.prescription import PrescriptionService

WRITE = "prescription.write"
"""The action that begins a prescription of a case, or goes on with it."""

OPEN = "prescription.open"
"""The action that brings the card of a prescription."""

FACTS = "patient.facts"
"""The action with which a doctor puts right when the patient was born, and their sex."""

CODE = "prescription.code"
"""The action that brings the code for the pharmacy's counter as a picture."""

TAKE, APPROVE, RETURN = "prescription.take", "prescription.approve", "prescription.return"
"""What a pharmacist does with a prescription."""

REVOKE = "prescription.revoke"
"""The action with which a doctor takes a prescription back."""

_SIGNS = {Severity.STOP: "⛔", Severity.WARNING: "⚠", Severity.NOTE: "💡"}


def spoken(said: Said, line: Line) -> str:
    """Give a line of a draft: what it is, then how it is taken."""
    amount = f"{said.dose}（{said.pieces}）" if said.pieces else said.dose
    note = f"，{line.note}" if line.note else ""
    return (
        f"{said.name} {said.spec}\n　{said.route}，一次{amount}，{said.frequency}，"
        f"{line.days}天，共{said.packs}{said.pack_unit}{note}"
    )


def finding_text(finding: Finding) -> str:
    """Give a finding as its doctor reads it: what is wrong, what to do instead, on whose word."""
    advice = f"\n　可以这样：{finding.advice}" if finding.advice else ""
    return f"{_SIGNS[finding.severity]} {finding.sentence}{advice}\n　依据：{finding.source}"


def draft_blocks(view: PrescriptionView, patient: str) -> list[str]:
    """Give a draft as it stands, with everything that the checks find: what belongs together as one text each."""
    answered = {(one.rule, one.subject): one.reason for one in view.overrides}
    pairs = zip(view.said, view.lines, strict=True)
    written = [f"{number}. {spoken(said, line)}" for number, (said, line) in enumerate(pairs, 1)]
    found = [_with_reason(one, answered.get((one.rule, one.subject), "")) for one in view.findings]
    head = f"{'慢病处方' if view.chronic else '处方'}　{patient}\n诊断：{diagnoses_text(view.diagnoses)}"
    return [head, *(written or ["（还没有药）"]), *found]


def diagnoses_text(codes: Iterable[str]) -> str:
    """Give diagnoses by name and code."""
    return (
        "；".join(f"{disease_name(code)}（{code}）" if disease_name(code) else code for code in codes) or "（还没写）"
    )


def document_blocks(document: Mapping[str, Any]) -> list[str]:
    """Give what was signed, for whoever reviews or looks it up: what belongs together as one text each."""
    patient = document["patient"]
    who = "　".join(filter(None, (patient["name"], patient["sex"], patient["age"], patient["weight"])))
    diagnoses = "；".join(f"{one['name']}（{one['icd10']}）" for one in document["diagnoses"])
    overridden = [
        f"⚠ {one['sentence']}\n　医生的理由：{one['reason']}\n　依据：{one['source']}" for one in document["overrides"]
    ]
    return [
        f"{who}\n诊断：{diagnoses}",
        *(f"{number}. {_documented(line)}" for number, line in enumerate(document["lines"], 1)),
        *overridden,
        f"医生：{document['prescriber']['name']} {document['prescriber']['title']}",
    ]


def review_card(view: PrescriptionView, notice: Notice | None = None, head: str = "新处方，等您审核") -> Menu:
    """Give a prescription to pharmacists as a task; the first one who opens it has it."""
    document = view.document
    words = lines(
        head,
        f"{document['patient']['name']}　{document['category']}处方　{len(document['lines'])}种药",
        f"开方医生：{document['prescriber']['name']}　{document['institution']}",
        "点“开始审核”看全部内容。",
    )
    return Menu(words, (Choice(f"{TAKE}:{view.id}", "开始审核"),), notice=notice)


def patient_text(document: Mapping[str, Any], view: PrescriptionView) -> str:
    """Give an approved prescription to the patient: each medicine with how many, when, for how long."""
    medicines = [f"{number}. {_plain(line)}" for number, line in enumerate(document["lines"], 1)]
    return lines(
        f"{document['prescriber']['name']}医生给您开的药，药师已经核对过了：",
        *medicines,
        _until(view),
        code_words(view) if view.state is not State.DISPENSED else "",
        "不舒服、起疹子或者拿不准，先别吃，问问医生。",
    )


def patient_steps(view: PrescriptionView) -> tuple[Choice, ...]:
    """Give what the patient can do with an approved prescription now."""
    if view.state is State.DISPENSED and view.chronic:
        return (Choice(f"refill.ask:{view.id}", "快吃完了，再开"),)
    if view.state is State.DISPENSED:
        return (Choice("order.mine", "我的取药单"),)
    return (
        Choice(f"order.start:{view.id}", "去取药"),
        Choice(f"{CODE}:{view.id}", "取药码，给药店看"),
        Choice("order.mine", "我的取药单"),
        Choice(f"{HAVE}:{view.id}", "药拿到了，提醒我吃"),
    )


def _until(view: PrescriptionView) -> str:
    if view.state is State.DISPENSED:
        return "药已经取过了。"
    rest = "剩下的" if view.state is State.PARTLY_DISPENSED else ""
    return f"{rest}最晚{last_day(view)}去药店或卫生院取药，过了这天要重新开。"


def code_words(view: PrescriptionView) -> str:
    """Say the eight digits of a prescription; "" before its approval."""
    if view.pickup_number is None:
        return ""
    return f"取药号：{pickup_number_said(view.pickup_number)}。扫不了码的话，把这8个数字念给药店的人听。"


def patient_card(view: PrescriptionView, url: str, notice: Notice | None = None) -> Link:
    """Give the card that opens the prescription with its code: not a word of what is in it."""
    return Link("您的处方", "点开有二维码，取药时给药店的人扫一扫。也可以打印出来。", url, notice=notice)


def writing_card(case: ConsultationView, url: str) -> Link:
    """Give the card of the page on which a prescription is written."""
    return Link("写处方", lines(case_line(case), "和聊天里是同一张，两边都能接着写。点这里打开。"), url)


def medicines_text(view: PrescriptionView) -> str:
    """Give the names of the medicines of the newest signed version."""
    return "、".join(one["name"] for one in view.document.get("lines", ()))


def last_day(view: PrescriptionView) -> str:
    """Give the last day on which a prescription can be used: 11月25日."""
    if view.valid_until is None:
        raise ValueError("what is not approved has no last day")
    last = local(view.valid_until - timedelta(seconds=1))
    return f"{last.month}月{last.day}日"


async def prescription_choices(
    prescriptions: "PrescriptionService", actor: Actor, consultation_id: str
) -> tuple[Choice, ...]:
    """Give the answer that leads to the prescriptions of a case, where any was approved."""
    if not await prescriptions.approved(actor, consultation_id):
        return ()
    return (Choice(f"{OPEN}:{consultation_id}", "看处方"),)


def revocable(view: PrescriptionView) -> bool:
    """Tell whether its doctor can still take it back."""
    return view.state in (State.SIGNED, State.VALID)


def _with_reason(finding: Finding, reason: str) -> str:
    return f"{finding_text(finding)}\n　您写的理由：{reason}" if reason else finding_text(finding)


def _documented(line: Mapping[str, Any]) -> str:
    amount = f"{line['dose']}（{line['pieces']}）" if line["pieces"] else line["dose"]
    note = f"，{line['note']}" if line["note"] else ""
    return (
        f"{line['name']} {line['spec']}\n　{line['route']}，一次{amount}，{line['frequency_name']}，"
        f"{line['days']}天，共{line['packs']}{line['pack_unit']}{note}"
    )


def _plain(line: Mapping[str, Any]) -> str:
    """Say a medicine as one would at the counter: 阿莫西林胶囊：口服，每天三次，一次2粒，吃5天，饭后吃。"""
    amount = line["pieces"] or line["dose"]
    note = f"，{line['note']}" if line["note"] else ""
    return (
        f"{line['name']}（{line['packs']}{line['pack_unit']}）\n"
        f"　{line['route']}，{line['frequency_name']}，一次{amount}，用{line['days']}天{note}。"
    )
