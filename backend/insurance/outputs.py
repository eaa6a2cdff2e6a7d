"""What the insurer says to each transaction, checked field by field.

Names are those of the national specification; what is not named here is not read.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backend.clock import LOCAL_ZONE
from backend.db import key_ring
from backend.insurance.coverage import Split
from backend.insurance.insurer import Person, Settlement, Used
from backend.insurance.messages import Json, Unverifiable
from backend.money import LARGEST, said
from data.insurance import Insurance, Service


class Output(BaseModel):
    """What a transaction answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @property
    def subject(self) -> str | None:
        """Of whom it is, where only the answer tells: what the message log finds it by."""
        return None

    def check(self, asked: Json) -> None:
        """See that it answers what was asked, beyond what each field says. Raises Unverifiable."""


class Nothing(Output):
    """The answer of a transaction that says no more than that it was done."""


def _plain_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("an amount that is no text")
    return value


Yuan = Annotated[Decimal, BeforeValidator(_plain_text), Field(ge=0, le=LARGEST, decimal_places=2, allow_inf_nan=False)]
Number = Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[0-9A-Za-z_-]+$")]
Code = Annotated[str, Field(max_length=20)]
Count = Annotated[int, Field(ge=0, le=10**12, strict=True)]

_STANDING = "1"  # psn_insu_stas: 参保状态, 正常参保
_PAUSED = "您的医保现在是停保状态，可能是欠费了，请到医保窗口问一问。"
_NONE = "没有查到可以用的医保，请到医保窗口问一问。"


class BaseInfo(Output):
    """Who somebody is at the insurer."""

    number: Annotated[Number, Field(alias="psn_no")]
    certificate: Annotated[str, Field(alias="certno", max_length=30, repr=False)]
    name: Annotated[str, Field(alias="psn_name", max_length=50, repr=False)]


class InsuranceInfo(Output):
    """One insurance that somebody has."""

    kind: Annotated[Code, Field(alias="insutype")]
    state: Annotated[Code, Field(alias="psn_insu_stas")]
    region: Annotated[str, Field(alias="insuplc_admdvs", pattern=r"^[0-9]{6}$")]
    balance: Annotated[Yuan, Field(alias="balc")] = Decimal(0)
    family_balance: Annotated[Yuan, Field(alias="acct_mulaid_balc")] = Decimal(0)


class Identity(Output):
    """A standing that somebody has, such as 低保对象."""

    kind: Annotated[Code, Field(alias="psn_idet_type")]


class UsedUp(Output):
    """What somebody has used up this year of one medical type."""

    medical_type: Annotated[Code, Field(alias="med_type")]
    deductible: Annotated[Yuan, Field(alias="dedc_cum")] = Decimal(0)
    paid: Annotated[Yuan, Field(alias="fund_pay_cum")] = Decimal(0)


class PersonOutput(Output):
    """The answer of 1101."""

    base: Annotated[BaseInfo, Field(alias="baseinfo")]
    insurances: Annotated[tuple[InsuranceInfo, ...], Field(alias="insuinfo", max_length=20)] = ()
    identities: Annotated[tuple[Identity, ...], Field(alias="idetinfo", max_length=50)] = ()
    used: Annotated[tuple[UsedUp, ...], Field(alias="cuminfo", max_length=200)] = ()

    @property
    def subject(self) -> str:
        """The blind index of the person's number."""
        return person_index(self.base.number)

    def check(self, asked: Json) -> None:
        """See that it is the person who was asked for."""
        if self.base.certificate != asked["data"]["certno"]:
            raise Unverifiable("another_person")

    def standing(self, kinds: Mapping[str, Insurance]) -> InsuranceInfo | None:
        """Give the insurance that somebody claims on: the first of `kinds` that is in force, else the first at all."""
        known = sorted((one for one in self.insurances if one.kind in kinds), key=lambda one: one.state != _STANDING)
        return known[0] if known else None

    def person(self, kinds: Mapping[str, Insurance], helped: frozenset[str], types: Mapping[Service, str]) -> Person:
        """Give the person by a dialect's codes of insurances, identities and medical types."""
        own = self.standing(kinds)
        if own is None or own.state != _STANDING:
            return Person(self.base.number, own.region if own else "", None, _PAUSED if own else _NONE)
        special = any(one.kind in helped for one in self.identities)
        used = {one.medical_type: Used(one.deductible, one.paid) for one in self.used}
        return Person(
            self.base.number,
            own.region,
            "special" if special else kinds[own.kind],
            account=own.balance + own.family_balance,
            used={service: used[code] for service, code in types.items() if code in used},
        )


class RegisterOutput(Output):
    """The answer of 2201: the insurer's number of the visit."""

    number: Annotated[Number, Field(alias="mdtrt_id")]


class Amounts(Output):
    """Who pays what of a visit, in yuan (setlinfo of 2206, 2207, 5203)."""

    total: Annotated[Yuan, Field(alias="medfee_sumamt")]
    own_whole: Annotated[Yuan, Field(alias="fulamt_ownpay_amt")] = Decimal(0)
    own_first: Annotated[Yuan, Field(alias="preselfpay_amt")] = Decimal(0)
    deductible: Annotated[Yuan, Field(alias="act_pay_dedc")] = Decimal(0)
    fund: Annotated[Yuan, Field(alias="hifp_pay")]
    aid: Annotated[Yuan, Field(alias="maf_pay")] = Decimal(0)
    funds: Annotated[Yuan, Field(alias="fund_pay_sumamt")]
    account: Annotated[Yuan, Field(alias="acct_pay")] = Decimal(0)
    family_account: Annotated[Yuan, Field(alias="acct_mulaid_pay")] = Decimal(0)
    cash: Annotated[Yuan, Field(alias="psn_cash_pay")]

    def require_sound(self) -> None:
        """See that the parts sum to the fee. Raises Unverifiable."""
        parts = self.funds + self.account + self.family_account + self.cash
        if self.fund + self.aid != self.funds or parts != self.total:
            raise Unverifiable("wrong_sum")

    def split(self, table: str) -> Split:
        """Give the four parts."""
        account = self.account + self.family_account
        return Split(self.fund, account, self.aid, self.cash, table, self._lines(account))

    def _lines(self, account: Decimal) -> tuple[str, ...]:
        own = self.own_whole + self.own_first
        lines = [f"费用一共{said(self.total)}。"]
        if own:
            lines.append(f"其中{said(own)}按规定先由个人付，剩下{said(self.total - own)}可以报销。")
        if self.deductible:
            lines.append(f"起付线：这次有{said(self.deductible)}还没到起付线，这部分个人付。")
        lines.append(f"医保付{said(self.fund)}。")
        if self.aid:
            lines.append(f"医疗救助付{said(self.aid)}。")
        if account:
            lines.append(f"个人（家庭）账户付{said(account)}。")
        return (*lines, f"您要付{said(self.cash)}。")


class SettledAmounts(Amounts):
    """The same of a settlement: its number, and by which message of ours it came to be."""

    number: Annotated[Number, Field(alias="setl_id")]
    visit: Annotated[Number, Field(alias="mdtrt_id")]
    msgid: Annotated[str, Field(alias="medins_setl_id", max_length=30)]
    time: Annotated[str, Field(alias="setl_time", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}$")]

    def require_sound(self) -> None:
        """See besides that it was settled at some time. Raises Unverifiable."""
        super().require_sound()
        try:
            self._at()
        except ValueError:
            raise Unverifiable("no_time") from None

    def settlement(self, visit: str, message: str, table: str) -> Settlement:
        """Give the settlement of our visit, by our message."""
        return Settlement(self.number, visit, message, self.split(table), self._at())

    def _at(self) -> datetime:
        return datetime.strptime(self.time, "%Y-%m-%d %H:%M:%S").replace(tzinfo=LOCAL_ZONE)


class PresettleOutput(Output):
    """The answer of 2206."""

    amounts: Annotated[Amounts, Field(alias="setlinfo")]

    def check(self, asked: Json) -> None:
        """See that it is about the fee that was asked about."""
        _check(self.amounts, asked)


class SettleOutput(Output):
    """The answer of 2207."""

    amounts: Annotated[SettledAmounts, Field(alias="setlinfo")]

    def check(self, asked: Json) -> None:
        """See that it is about the fee and the visit that were asked about."""
        _check(self.amounts, asked)


class SettledOutput(Output):
    """The answer of 5203: nothing where nothing is settled."""

    amounts: Annotated[SettledAmounts | None, Field(alias="setlinfo")] = None

    def check(self, asked: Json) -> None:
        """See that it is about the visit that was asked about."""
        if self.amounts is not None:
            _check(self.amounts, asked)


class Totals(Output):
    """What the insurer has settled with an institution, in yuan (stmtinfo of 3201)."""

    count: Annotated[Count, Field(alias="fixmedins_setl_cnt")]
    total: Annotated[Yuan, Field(alias="medfee_sumamt")]
    funds: Annotated[Yuan, Field(alias="fund_pay_sumamt")]
    account: Annotated[Yuan, Field(alias="acct_pay")]


class TotalsOutput(Output):
    """The answer of 3201."""

    totals: Annotated[Totals, Field(alias="stmtinfo")]


class ListedSettlement(SettledAmounts):
    """One line of 3202, with our number of the visit."""

    ours: Annotated[Number, Field(alias="ipt_otp_no")]


class ListOutput(Output):
    """One page of 3202."""

    lines: Annotated[tuple[ListedSettlement, ...], Field(alias="stmtdetail", max_length=500)] = ()

    def check(self, asked: Json) -> None:
        """See that each line adds up, and that they are in order and no more than were asked for."""
        places = [line.ours for line in self.lines]
        if places != sorted(places) or len(places) > asked["data"]["page_size"]:
            raise Unverifiable("wrong_order")
        for line in self.lines:
            line.require_sound()


def _check(amounts: Amounts, asked: Json) -> None:
    amounts.require_sound()
    told = asked["data"]
    if "medfee_sumamt" in told and amounts.total != Decimal(told["medfee_sumamt"]):
        raise Unverifiable("wrong_total")
    if isinstance(amounts, SettledAmounts) and amounts.visit != told["mdtrt_id"]:
        raise Unverifiable("another_visit")


def person_index(number: str) -> str:
    """Give what the message log finds a person's 1101 by, who has this number at the insurer."""
    return key_ring().blind_index(number, "insurer_messages.subject")


T = TypeVar("T", bound=Output)


def read(kind: type[T], content: Json | None) -> T:
    """Check what a transaction answered.

    Raises:
        Unverifiable: a field is missing or makes no sense.
    """
    try:
        return kind.model_validate(content or {})
    except ValidationError:
        raise Unverifiable("wrong_output") from None
