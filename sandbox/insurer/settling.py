"""Reckoning and booking a settlement of the played insurer."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

from sandbox.errors import JsonObject
from sandbox.insurer.books import SERVICES, Books, Insured, Settlement, Visit
from sandbox.insurer.envelope import Refusal, china_time
from sandbox.insurer.rules import Fees, Shares, Standing, read_rules, rule_for, shared


class Settling:
    """What a visit costs whom, and what that does to accounts. ``now``: seconds since the epoch."""

    def __init__(self, books: Books, now: Callable[[], float]) -> None:
        self._books = books
        self._now = now
        self._rules = read_rules()

    def reckoned(self, visit: Visit, fees: Fees, use_account: bool) -> Shares:
        """Who would pay what now. Refuses where the insurance is not in force (1003)."""
        person = self._books.people[visit.psn_no]
        if person.status != "1":
            raise Refusal("1003")
        service = SERVICES[visit.med_type]
        rule = rule_for(self._rules, person.kind, service, self._books.institutions[visit.institution])
        by_day = rule is not None and rule.get("accumulates") == "day"
        deductible, paid = self.used(person, service, today=not by_day)
        account = self._books.account(person) if use_account else 0
        return shared(rule, fees, Standing(deductible, paid, self._today(person, service), account))

    def settle(self, visit: Visit, batch: str, shares: Shares, msgid: str) -> Settlement:
        """Book what was reckoned."""
        person = self._books.people[visit.psn_no]
        time = china_time(self._now())
        settlement = Settlement(
            setl_id=self._books.next("S"),
            mdtrt_id=visit.mdtrt_id,
            number=visit.number,
            psn_no=person.psn_no,
            institution=visit.institution,
            service=SERVICES[visit.med_type],
            msgid=msgid,
            day=time[:10],
            time=time,
            parts=asdict(shares),
            family=person.family,
            from_family=self.from_family(person, shares),
            fees=visit.batches[batch],
            standing=False,
        )
        self._books.add_settlement(settlement)
        self.stand(settlement, True)
        return settlement

    def stand(self, settlement: Settlement, standing: bool) -> None:
        """Let a settlement stand, or take it back: accounts with it. Refuses a second one of a visit (2004), and one
        of a visit that is registered no more (2002)."""
        visit = self._books.visits.get(settlement.mdtrt_id)
        if settlement.standing == standing:
            return
        if visit is None:
            raise Refusal("2002")
        if standing and visit.settled_by:
            raise Refusal("2004")
        settlement.standing = standing
        visit.settled_by = settlement.setl_id if standing else ""
        sign = -1 if standing else 1
        person = self._books.people[settlement.psn_no]
        person.balance += sign * (settlement.parts["account"] - settlement.from_family)
        if settlement.from_family:
            self._books.families[settlement.family] += sign * settlement.from_family

    def used(self, person: Insured, service: str, *, today: bool) -> tuple[int, int]:
        """What of this year's deductible is met and what was paid, in fen; with or without today's settlements."""
        deductible, paid = person.used.get(service, [0, 0])
        day = self._day()
        for one in self._standing(person, service):
            if one.day[:4] == day[:4] and (today or one.day != day):
                deductible, paid = deductible + one.parts["deductible"], paid + one.parts["fund"]
        return deductible, paid

    def from_family(self, person: Insured, shares: Shares) -> int:
        """What of the account's part a family's account gives: one's own comes first."""
        return max(0, shares.account - person.balance)

    def _today(self, person: Insured, service: str) -> Fees:
        day = self._day()
        return tuple(
            (amount, grade) for one in self._standing(person, service) if one.day == day for amount, grade in one.fees
        )

    def _standing(self, person: Insured, service: str) -> Iterator[Settlement]:
        mine = self._books.of_person.get(person.psn_no, ())
        return (one for one in mine if one.standing and one.service == service)

    def _day(self) -> str:
        return china_time(self._now())[:10]


def amounts(shares: Shares, from_family: int) -> JsonObject:
    """Who pays what, as ``setlinfo`` says it."""
    return {
        "medfee_sumamt": yuan(shares.total),
        "fulamt_ownpay_amt": yuan(shares.own_whole),
        "preselfpay_amt": yuan(shares.own_first),
        "inscp_scp_amt": yuan(shares.total - shares.own_whole - shares.own_first),
        "act_pay_dedc": yuan(shares.deductible),
        "hifp_pay": yuan(shares.fund),
        "maf_pay": yuan(shares.aid),
        "fund_pay_sumamt": yuan(shares.fund + shares.aid),
        "psn_part_amt": yuan(shares.account + shares.cash),
        "acct_pay": yuan(shares.account - from_family),
        "acct_mulaid_pay": yuan(from_family),
        "psn_cash_pay": yuan(shares.cash),
    }


def told(settlement: Settlement) -> JsonObject:
    """A settlement as ``setlinfo`` says it."""
    return {
        "setl_id": settlement.setl_id,
        "mdtrt_id": settlement.mdtrt_id,
        "psn_no": settlement.psn_no,
        "medins_setl_id": settlement.msgid,
        "setl_time": settlement.time,
        **amounts(Shares(**settlement.parts), settlement.from_family),
    }


def yuan(fen: int) -> str:
    """Fen as text of yuan with two places."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str) -> int:
    """Text of yuan with two places as fen; ValueError where it is none."""
    whole, dot, places = text.partition(".")
    if not (dot and whole.isdecimal() and len(places) == 2 and places.isdecimal() and len(whole) <= 8):
        raise ValueError("no amount")
    return int(whole) * 100 + int(places)
