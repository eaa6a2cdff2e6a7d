"""The transactions of the played insurer: each takes a message and gives its output, or raises Refusal."""

from collections.abc import Callable

from sandbox.errors import JsonObject
from sandbox.insurer.books import SERVICES, Books, Settlement, Visit
from sandbox.insurer.envelope import Message, Refusal
from sandbox.insurer.rules import Shares
from sandbox.insurer.settling import Settling, amounts, fen, told, yuan

GRADES = {"01": "甲", "02": "乙", "03": "丙"}
_MOST_LINES = 500


class Transactions:
    """What can be asked of the played insurer. ``now``: seconds since the epoch."""

    def __init__(self, books: Books, now: Callable[[], float]) -> None:
        self._books = books
        self._settling = Settling(books, now)
        self._by_number: dict[str, Callable[[Message], JsonObject]] = {
            "1101": self._person,
            "2201": self._register,
            "2202": self._unregister,
            "2203": self._tell,
            "2204": self._upload,
            "2205": self._revoke_upload,
            "2206": self._presettle,
            "2207": self._settle,
            "2208": self._revoke,
            "2601": self._reverse,
            "3201": self._totals,
            "3202": self._listing,
            "5203": self._settled,
        }

    def run(self, message: Message) -> JsonObject:
        """Do what a message asks. Refuses a transaction that there is not (9004), or content that makes no sense."""
        transaction = self._by_number.get(message.infno)
        if transaction is None:
            raise Refusal("9004")
        if message.institution not in self._books.institutions:
            raise Refusal("2001")
        try:
            return transaction(message)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise Refusal("9003") from None

    def _person(self, message: Message) -> JsonObject:
        asked = message.input["data"]
        person = self._books.person_by_identity(asked["certno"])
        if person is None:
            raise Refusal("1001")
        if person.name != asked["psn_name"]:
            raise Refusal("1002")
        used = [
            {"med_type": code, "dedc_cum": yuan(deductible), "fund_pay_cum": yuan(paid)}
            for code, service in SERVICES.items()
            for deductible, paid in [self._settling.used(person, service, today=True)]
        ]
        return {
            "baseinfo": {"psn_no": person.psn_no, "certno": person.certno, "psn_name": person.name},
            "insuinfo": [
                {
                    "insutype": person.insutype,
                    "psn_insu_stas": person.status,
                    "insuplc_admdvs": person.region,
                    "balc": yuan(person.balance),
                    "acct_mulaid_balc": yuan(self._books.families.get(person.family, 0)),
                }
            ],
            "idetinfo": [{"psn_idet_type": one} for one in person.identities],
            "cuminfo": used,
        }

    def _register(self, message: Message) -> JsonObject:
        asked = message.input["data"]
        person = self._books.people.get(asked["psn_no"])
        if person is None:
            raise Refusal("1001")
        if person.status != "1":
            raise Refusal("1003")
        if asked["med_type"] not in SERVICES or not 1 <= len(asked["ipt_otp_no"]) <= 30:
            raise Refusal("9003")
        if asked["ipt_otp_no"] in self._books.numbers:
            raise Refusal("2003")
        visit = Visit(self._books.next("M"), asked["ipt_otp_no"], person.psn_no, message.institution, asked["med_type"])
        self._books.add_visit(visit)
        return {"mdtrt_id": visit.mdtrt_id, "psn_no": person.psn_no, "ipt_otp_no": visit.number}

    def _unregister(self, message: Message) -> JsonObject:
        visit = self._open_visit(message, message.input["data"])
        self._books.remove_visit(visit.mdtrt_id)
        return {}

    def _tell(self, message: Message) -> JsonObject:
        self._open_visit(message, message.input["mdtrtinfo"]).told = True
        return {}

    def _upload(self, message: Message) -> JsonObject:
        lines = message.input["feedetail"]
        visit = self._open_visit(message, lines[0])
        if not visit.told or len(lines) > _MOST_LINES:
            raise Refusal("2002" if not visit.told else "9003")
        if len({line["chrg_bchno"] for line in lines}) > 1 or any(one["mdtrt_id"] != visit.mdtrt_id for one in lines):
            raise Refusal("9003")
        batch = [(fen(line["det_item_fee_sumamt"]), GRADES[line["chrgitm_lv"]]) for line in lines]
        visit.batches[lines[0]["chrg_bchno"]] = batch
        return {"result": [{"feedetl_sn": one["feedetl_sn"], "chrgitm_lv": one["chrgitm_lv"]} for one in lines]}

    def _revoke_upload(self, message: Message) -> JsonObject:
        asked = message.input["data"]
        if self._open_visit(message, asked).batches.pop(asked["chrg_bchno"], None) is None:
            raise Refusal("2006")
        return {}

    def _presettle(self, message: Message) -> JsonObject:
        visit, shares = self._reckoned(message)
        from_family = self._settling.from_family(self._books.people[visit.psn_no], shares)
        return {"setlinfo": {"mdtrt_id": visit.mdtrt_id, "psn_no": visit.psn_no, **amounts(shares, from_family)}}

    def _settle(self, message: Message) -> JsonObject:
        visit, shares = self._reckoned(message)
        batch = message.input["data"]["chrg_bchno"]
        return {"setlinfo": told(self._settling.settle(visit, batch, shares, message.msgid))}

    def _reckoned(self, message: Message) -> tuple[Visit, Shares]:
        asked = message.input["data"]
        visit = self._open_visit(message, asked)
        fees = visit.fees(asked["chrg_bchno"])
        if not fees:
            raise Refusal("2006")
        if sum(amount for amount, _ in fees) != fen(asked["medfee_sumamt"]):
            raise Refusal("2007")
        return visit, self._settling.reckoned(visit, fees, asked["acct_used_flag"] == "1")

    def _revoke(self, message: Message) -> JsonObject:
        asked = message.input["data"]
        settlement = self._books.settlements.get(asked["setl_id"])
        if settlement is None or not settlement.standing or settlement.mdtrt_id != asked["mdtrt_id"]:
            raise Refusal("2005")
        self._settling.stand(settlement, False)
        return {"setlinfo": {"setl_id": settlement.setl_id, "mdtrt_id": settlement.mdtrt_id}}

    def _reverse(self, message: Message) -> JsonObject:
        """Undo a message, and refuse it should it come later (2010). Nothing where it did nothing."""
        asked = message.input["data"]
        original = str(asked["omsgid"])
        done = self._books.answered.get(original)
        if done is not None and original not in self._books.reversed:
            self._undo(str(asked["oinfno"]), original, done["output"])
        self._books.reversed.add(original)
        return {}

    def _undo(self, infno: str, msgid: str, output: JsonObject) -> None:
        books = self._books
        if infno == "2201":
            self._require_unsettled(output["mdtrt_id"])
            books.remove_visit(output["mdtrt_id"])
        elif infno == "2204":
            batch = books.answered[msgid]["input"]["feedetail"][0]
            self._require_unsettled(batch["mdtrt_id"])
            if visit := books.visits.get(batch["mdtrt_id"]):
                visit.batches.pop(batch["chrg_bchno"], None)
        elif infno in ("2207", "2208"):
            self._settling.stand(books.settlements[output["setlinfo"]["setl_id"]], infno == "2208")
        else:
            raise Refusal("2008")

    def _require_unsettled(self, mdtrt_id: str) -> None:
        visit = self._books.visits.get(mdtrt_id)
        if visit is not None and visit.settled_by:
            raise Refusal("2004")

    def _settled(self, message: Message) -> JsonObject:
        visit = self._books.visits.get(message.input["data"]["mdtrt_id"])
        if visit is None or not visit.settled_by:
            return {}
        return {"setlinfo": told(self._books.settlements[visit.settled_by])}

    def _totals(self, message: Message) -> JsonObject:
        found = self._between(message)
        return {
            "stmtinfo": {
                "stmt_rslt": "0",
                "fixmedins_setl_cnt": len(found),
                "medfee_sumamt": yuan(sum(one.parts["total"] for one in found)),
                "fund_pay_sumamt": yuan(sum(one.parts["fund"] + one.parts["aid"] for one in found)),
                "acct_pay": yuan(sum(one.parts["account"] for one in found)),
            }
        }

    def _listing(self, message: Message) -> JsonObject:
        asked = message.input["data"]
        size = min(int(asked["page_size"]), _MOST_LINES)
        first = (int(asked["page_num"]) - 1) * size
        found = sorted(self._between(message), key=lambda one: (one.number, one.setl_id))
        return {"stmtdetail": [{**told(one), "ipt_otp_no": one.number} for one in found[first : first + size]]}

    def _between(self, message: Message) -> list[Settlement]:
        asked = message.input["data"]
        since, until = str(asked["stmt_begndate"]), str(asked["stmt_enddate"])
        return [
            one
            for one in self._books.settlements.values()
            if one.standing and one.institution == message.institution and since <= one.day <= until
        ]

    def _open_visit(self, message: Message, asked: JsonObject) -> Visit:
        """The visit that is asked about, which is not settled."""
        visit = self._books.visits.get(asked["mdtrt_id"])
        if visit is None or visit.psn_no != asked["psn_no"] or visit.institution != message.institution:
            raise Refusal("2002")
        if visit.settled_by:
            raise Refusal("2004")
        return visit
