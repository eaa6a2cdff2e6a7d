"""What insurance pays of a claim, what the account, the treasury and the patient do, and why, line by line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from backend.money import rounded, said
from data.insurance import Catalogue, CoverageRule, CoverageTable, Insurance, Level, Service

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Fee:
    """One line of a claim: what it is called, what it costs in yuan, and its catalogue class (of services: 甲)."""

    name: str
    amount: Decimal
    catalogue: Catalogue = "甲"


@dataclass(frozen=True)
class Claim:
    """Fees of one kind at one institution on one day."""

    service: Service
    level: Level
    fees: tuple[Fee, ...]

    @property
    def total(self) -> Decimal:
        """What it costs altogether."""
        return sum((fee.amount for fee in self.fees), ZERO)


@dataclass(frozen=True)
class Insured:
    """Who claims, as the insurer knows them before this claim, in yuan.

    Args:
        insurance: None for somebody who is not insured, or whose insurance is suspended.
        deductible_met: of this year's deductible for the kind of service.
        paid_year: what insurance has paid of the kind of service this year, without today's claims that accumulate.
        today: fees of claims of the same kind settled earlier today, where the rule accumulates by day.
        account: what the personal or family account holds. use_account: whether the patient wants it used.
    """

    insurance: Insurance | None
    deductible_met: Decimal = ZERO
    paid_year: Decimal = ZERO
    today: tuple[Fee, ...] = field(default=())
    account: Decimal = ZERO
    use_account: bool = True


@dataclass(frozen=True)
class Split:
    """Who pays what, in yuan; the four parts sum to the fee. `lines` explain it in plain Chinese."""

    insurance: Decimal
    account: Decimal
    subsidy: Decimal
    cash: Decimal
    table: str
    lines: tuple[str, ...] = field(repr=False)

    @property
    def parts(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """What insurance, account, treasury and patient pay."""
        return self.insurance, self.account, self.subsidy, self.cash

    @property
    def total(self) -> Decimal:
        """The fee."""
        return sum(self.parts, ZERO)


_NOT_INSURED = "没有查到可用的医保，费用由个人支付。"
_NOT_COVERED = "这项服务不在医保报销范围内，费用由个人支付。"


def split(claim: Claim, insured: Insured, table: CoverageTable) -> Split:
    """Share a claim among insurance, account, treasury and patient by the rules of `table`.

    Raises:
        ValueError: a fee below zero, or with parts of a fen.
    """
    for fee in claim.fees:
        if fee.amount < 0 or fee.amount != rounded(fee.amount):
            raise ValueError("a fee below zero, or with parts of a fen")
    if insured.insurance is None:
        return _own(claim, table, _NOT_INSURED)
    rule = table.rule(insured.insurance, claim.service, claim.level)
    if rule is None:
        return _own(claim, table, _NOT_COVERED)
    earlier = insured.today if rule.accumulates == "day" else ()
    before = _paid(rule, insured, earlier)
    after = _paid(rule, insured, (*earlier, *claim.fees))
    counted = _counted(rule, (*earlier, *claim.fees)) - _counted(rule, earlier)
    paid = after - before
    subsidy = min(rounded((counted - paid) * rule.subsidy_rate), counted - paid)
    rest = claim.total - paid - subsidy
    account = min(rest, insured.account) if rule.account and insured.use_account else ZERO
    lines = _explained(rule, claim, insured, counted, paid, subsidy, account, rest - account, bool(earlier))
    return Split(paid, account, subsidy, rest - account, table.code, lines)


def _own(claim: Claim, table: CoverageTable, why: str) -> Split:
    lines = (f"费用一共{said(claim.total)}。", why, f"您要付{said(claim.total)}。")
    return Split(ZERO, ZERO, ZERO, claim.total, table.code, lines)


def _counted(rule: CoverageRule, fees: Sequence[Fee]) -> Decimal:
    """What of these fees counts for insurance. Rounded for the whole, so that more fees never count for less."""
    return rounded(sum((fee.amount * (1 - rule.self_share(fee.catalogue)) for fee in fees), ZERO))


def _paid(rule: CoverageRule, insured: Insured, fees: Sequence[Fee]) -> Decimal:
    """What insurance pays of these fees as one claim. It never falls when fees are added, so differences of it are
    never below zero and do not depend on the order in which the fees came."""
    deductible_left = max(ZERO, rule.deductible_year - insured.deductible_met)
    above = max(ZERO, _counted(rule, fees) - deductible_left)
    year_left = max(ZERO, rule.cap_year - insured.paid_year)
    return min(rounded(above * rule.rate), rule.cap_each, year_left)


def _explained(
    rule: CoverageRule,
    claim: Claim,
    insured: Insured,
    counted: Decimal,
    paid: Decimal,
    subsidy: Decimal,
    account: Decimal,
    cash: Decimal,
    has_earlier: bool,
) -> tuple[str, ...]:
    lines = [f"费用一共{said(claim.total)}。"]
    if counted < claim.total:
        lines.append(f"其中{said(claim.total - counted)}按规定先由个人付，剩下{said(counted)}可以报销。")
    left = max(ZERO, rule.deductible_year - insured.deductible_met)
    if left:
        lines.append(f"起付线：今年还有{said(left)}没到，这部分个人付。")
    lines.append(f"报销比例：{rule.rate * 100:.0f}%，每次最多{said(rule.cap_each)}，一年最多{said(rule.cap_year)}。")
    if insured.paid_year:
        lines.append(f"今年已经报销了{said(insured.paid_year)}。")
    if has_earlier:
        lines.append("今天前面已经结算过，几次合在一起算。")
    lines.append(f"医保付{said(paid)}。")
    if subsidy:
        lines.append(f"医疗救助付{said(subsidy)}。")
    if account:
        lines.append(f"个人（家庭）账户付{said(account)}。")
    return (*lines, f"您要付{said(cash)}。")
