"""What those who oversee charges read for codes: of states, reasons, steps, accounts, differences. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.charging.reconciliation_rules import DifferenceKind, Outcome
from backend.charging.rules import ChargeState, OrderState, Reason, StepKind, StepState

STATES: Mapping[ChargeState, str] = MappingProxyType(
    {
        ChargeState.QUOTING: "正在问医保",
        ChargeState.QUOTED: "等患者付钱",
        ChargeState.AWAITING_PAYMENT: "等患者付钱（已打开付款）",
        ChargeState.CONFIRMED: "已付清，等会诊",
        ChargeState.SETTLING: "会诊完，正在结算",
        ChargeState.SETTLED: "已结算",
        ChargeState.DISPUTED: "等人核对",
        ChargeState.CLOSING: "正在取消",
        ChargeState.CLOSED: "已取消，没有收钱",
        ChargeState.REVERSING: "正在退钱、撤销",
        ChargeState.REVERSED: "已退清、已撤销",
    }
)

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NONE: "",
        Reason.EXPIRED: "到时间没有付钱",
        Reason.CANCELLED: "患者或医生取消",
        Reason.CARE_CANCELLED: "专家或平台取消",
        Reason.NO_SHOW: "患者没有来",
        Reason.SLOT_GONE: "付了钱，但时间已经没有了",
        Reason.PAID_LATE: "取消以后才付钱",
        Reason.WRONG_AMOUNT: "付的钱数不对",
        Reason.DECIDED: "管理员决定撤销",
        Reason.SETTLED_OTHERWISE: "医保结算让患者付的钱比预结算多",
        Reason.SETTLEMENT_REFUSED: "医保不给结算",
        Reason.REFUND_FAILED: "微信支付退款没有成功",
        Reason.UNDOING_REFUSED: "医保不让撤销",
        Reason.NO_ANSWER: "对方一直没有回话",
    }
)

STEPS: Mapping[StepKind, str] = MappingProxyType(
    {
        StepKind.ELIGIBILITY: "向医保查参保情况",
        StepKind.REGISTER: "向医保登记就诊",
        StepKind.UPLOAD: "向医保传费用",
        StepKind.PRESETTLE: "医保预结算",
        StepKind.SETTLE: "医保结算",
        StepKind.REVOKE_SETTLEMENT: "撤销医保结算",
        StepKind.REVOKE_UPLOAD: "撤销医保费用",
        StepKind.UNREGISTER: "撤销医保登记",
        StepKind.WATCH: "查微信付款有没有到",
        StepKind.CLOSE: "关闭微信付款单",
        StepKind.REFUND: "微信退款",
    }
)

STEP_STATES: Mapping[StepState, str] = MappingProxyType(
    {
        StepState.TODO: "还没做",
        StepState.SENT: "已发出，等回答",
        StepState.UNCLEAR: "没有收到回答，会去查",
        StepState.DONE: "做完了",
        StepState.REFUSED: "被拒绝",
        StepState.DROPPED: "不用做了",
    }
)

ORDER_STATES: Mapping[OrderState, str] = MappingProxyType(
    {OrderState.OPEN: "等付款", OrderState.PAID: "已付款", OrderState.CLOSED: "已关闭"}
)

ACCOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "patient": "患者",
        "wechat_pay": "微信支付",
        "insurer": "医保基金",
        "family_account": "医保个人或家庭账户",
        "treasury": "财政补助",
        "platform": "平台承担",
        "suspense": "待查",
        "institution": "机构",
        "expert": "专家",
    }
)
"""By the part of an account before its colon."""

POSTINGS: Mapping[str, str] = MappingProxyType(
    {
        "payment": "收到付款",
        "refund": "退款",
        "settlement": "结算",
        "settlement_reversed": "撤销结算",
        "no_show_fee": "没有来，按规定留下",
        "remuneration": "劳务费",
        "remuneration_back": "扣回劳务费",
        "subsidy": "机构补助",
        "subsidy_back": "扣回机构补助",
    }
)

DIFFERENCES: Mapping[DifferenceKind, str] = MappingProxyType(
    {
        DifferenceKind.MISSING_HERE: "对方有，我们没有",
        DifferenceKind.MISSING_THERE: "我们有，对方没有",
        DifferenceKind.AMOUNT: "金额不一样",
        DifferenceKind.STATE: "种类不一样",
        DifferenceKind.DUPLICATE: "对方重复",
        DifferenceKind.TOTALS: "总数对不上，明细里找不到原因",
    }
)

OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.REPAIRED: "已按规则补上",
        Outcome.OTHER_DAY: "记在相邻的一天，不用处理",
        Outcome.FOR_A_PERSON: "等人处理",
    }
)

RULES: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        "fetched and posted": "向微信支付查到后补记",
        "posted on another day": "我们记在另一天",
        "in the bill of another day": "在微信支付另一天的账单里",
        "in the list of another day": "在医保另一天的清单里",
    }
)

BOOKS: Mapping[str, str] = MappingProxyType({"payment": "微信支付", "insurer": "医保"})
