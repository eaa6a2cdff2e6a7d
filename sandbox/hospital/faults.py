"""A hospital's bad days: what can be switched on, and what it does to an answer."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import bad_request

Resource = dict[str, Any]

KINDS = {
    "slow": "answers after `seconds` (30 unless told otherwise)",
    "error": "500 with an OperationOutcome",
    "html": "a page for people, with status 200",
    "wrong_type": "text/plain, with status 200",
    "truncated": "half of the JSON",
    "redirect": "sends elsewhere",
    "unauthorized": "accepts no token",
    "throttled": "429",
    "duplicate_patient": "two patients have the identity number",
    "wrong_name": "the patient has another name",
    "wrong_birth_date": "the patient was born on another day",
    "foreign": "gives everybody's resources whatever patient is asked for",
    "invalid": "every resource breaks its model",
    "endless": "a million results, a page at a time",
    "foreign_link": "the next page is on another host",
    "lost_answer": "does what a write asks and cuts the connection",
}


@dataclass
class Faults:
    """What is switched on; each until it is switched off."""

    on: set[str] = field(default_factory=set)
    seconds: float = 30.0

    def switch_on(self, kind: str, seconds: float = 30.0) -> None:
        """Switch a fault on; 400 ``fault_invalid``."""
        if kind not in KINDS:
            raise bad_request("fault_invalid", f"故障设置不对：kind 只能是 {'、'.join(KINDS)}。")
        self.on.add(kind)
        self.seconds = seconds

    def clear(self) -> None:
        """Switch everything off."""
        self.on.clear()

    def told(self, resource: Resource) -> Resource:
        """A resource as the hospital tells it today."""
        changed = dict(resource)
        if resource["resourceType"] == "Patient":
            if "wrong_name" in self.on:
                changed["name"] = [{"use": "official", "text": "张冠戴"}]
            if "wrong_birth_date" in self.on:
                changed["birthDate"] = "1970-01-01"
        if "invalid" in self.on and resource["resourceType"] != "Patient":
            changed["status"] = 7
        return changed
