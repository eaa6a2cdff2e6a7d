"""What the played insurer keeps: people, visits, settlements and the messages that it has answered. Amounts in fen."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.errors import JsonObject, bad_request
from sandbox.insurer.rules import Fees

SERVICES = {"1190": "remote_consultation", "1191": "revisit", "41": "medicine"}
"""Kinds of service by their code (med_type)."""

HELPED = {"0102", "0103", "0104"}
REGION = "999901"
_KINDS = {"310": "employee", "390": "resident"}
_LARGEST = 10**9


@dataclass(slots=True)
class Insured:
    """A person. ``status`` is 1 (in force) or 2 (suspended); ``used`` is what the year began with, by service:
    [deductible met, paid]."""

    psn_no: str
    certno: str
    name: str
    insutype: str = "390"
    status: str = "1"
    region: str = REGION
    balance: int = 0
    family: str = ""
    identities: list[str] = field(default_factory=list)
    used: dict[str, list[int]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The insurance by whose rules they claim."""
        return "special" if HELPED & set(self.identities) else _KINDS[self.insutype]


@dataclass(slots=True)
class Visit:
    """A registered visit, the settlement of it that stands (or ""), its batches of fees: rows of (amount, class)."""

    mdtrt_id: str
    number: str
    psn_no: str
    institution: str
    med_type: str
    told: bool = False
    settled_by: str = ""
    batches: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def fees(self, batch: str) -> Fees:
        """The fees of a batch."""
        return tuple((amount, grade) for amount, grade in self.batches.get(batch, ()))


@dataclass(slots=True)
class Settlement:
    """A settlement; ``standing`` until it is taken back. ``day`` is the day of China, ``parts`` as in ``Shares``;
    ``from_family`` is how much of the account's part a family's account has given."""

    setl_id: str
    mdtrt_id: str
    number: str
    psn_no: str
    institution: str
    service: str
    msgid: str
    day: str
    time: str
    parts: dict[str, int]
    family: str
    from_family: int
    fees: list[tuple[int, str]]
    standing: bool = True


class Books:
    """Everything that is kept."""

    def __init__(self) -> None:
        self.institutions: dict[str, str] = {}
        self.families: dict[str, int] = {}
        self.people: dict[str, Insured] = {}
        self.visits: dict[str, Visit] = {}
        self.settlements: dict[str, Settlement] = {}
        self.numbers: dict[str, str] = {}
        self.of_person: defaultdict[str, list[Settlement]] = defaultdict(list)
        self.answered: dict[str, JsonObject] = {}
        self.reversed: set[str] = set()
        self.last = 0

    def clear(self) -> None:
        """Begin anew with the people of ``insured.json``."""
        self.__init__()  # type: ignore[misc]
        known = json.loads(Path(__file__).with_name("insured.json").read_text("utf-8"))
        self.institutions, self.families = known["institutions"], known["families"]
        for person in known["people"]:
            self.insure(person)

    def next(self, letter: str) -> str:
        """A fresh number."""
        self.last += 1
        return f"{letter}{self.last:012d}"

    def insure(self, fields: JsonObject) -> Insured:
        """Make or change a person by their identity number; 400 ``insured_invalid``."""
        old = self.person_by_identity(str(fields.get("certno")))
        try:
            person = Insured(**{**(asdict(old) if old else {"psn_no": self.next("N")}), **fields})
            sound = _is_sound(person)
        except (TypeError, ValueError, AttributeError):
            sound = False
        if not sound:
            raise bad_request("insured_invalid", "参保人的内容不对。")
        self.people[person.psn_no] = person
        if person.family:
            self.families.setdefault(person.family, 0)
        return person

    def person_by_identity(self, certno: str) -> Insured | None:
        """The person with an identity number."""
        return next((one for one in self.people.values() if one.certno == certno), None)

    def account(self, person: Insured) -> int:
        """What their own and their family's account hold together."""
        return person.balance + self.families.get(person.family, 0)

    def add_visit(self, visit: Visit) -> None:
        """Keep a visit."""
        self.visits[visit.mdtrt_id] = visit
        self.numbers[visit.number] = visit.mdtrt_id

    def remove_visit(self, mdtrt_id: str) -> None:
        """Forget a visit; its number may be registered again."""
        visit = self.visits.pop(mdtrt_id, None)
        if visit is not None:
            self.numbers.pop(visit.number, None)

    def add_settlement(self, settlement: Settlement) -> None:
        """Keep a settlement."""
        self.settlements[settlement.setl_id] = settlement
        self.of_person[settlement.psn_no].append(settlement)

    def dump(self) -> JsonObject:
        """Everything as JSON."""
        return {
            "institutions": self.institutions,
            "families": self.families,
            "people": [asdict(one) for one in self.people.values()],
            "visits": [asdict(one) for one in self.visits.values()],
            "settlements": [asdict(one) for one in self.settlements.values()],
            "answered": self.answered,
            "reversed": sorted(self.reversed),
            "last": self.last,
        }

    def load(self, kept: JsonObject) -> None:
        """Take up what ``dump`` gave."""
        self.__init__()  # type: ignore[misc]
        self.institutions, self.families = dict(kept["institutions"]), dict(kept["families"])
        self.people = {one["psn_no"]: Insured(**one) for one in kept["people"]}
        for visit in kept["visits"]:
            self.add_visit(Visit(**visit))
        for settlement in kept["settlements"]:
            self.add_settlement(Settlement(**settlement))
        self.answered, self.reversed = dict(kept["answered"]), set(kept["reversed"])
        self.last = int(kept["last"])


def _is_sound(person: Insured) -> bool:
    used = [amount for both in person.used.values() for amount in both]
    amounts = [person.balance, *used]
    return (
        all(isinstance(one, str) and len(one) <= 40 for one in (person.certno, person.name, person.family))
        and bool(person.certno and person.name)
        and person.insutype in _KINDS
        and person.status in ("1", "2")
        and len(person.region) == 6
        and all(type(one) is int and 0 <= one <= _LARGEST for one in amounts)
        and all(len(both) == 2 for both in person.used.values())
        and set(person.used) <= set(SERVICES.values())
    )
