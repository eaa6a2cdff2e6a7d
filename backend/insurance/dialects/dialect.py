"""What provinces may say in their own way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.insurance import Insurance, Service


def region_in_code(institution: str) -> str:
    """Give the region that stands in an institution's code: a letter, six digits of region, five of order."""
    return institution[1:7]


@dataclass(frozen=True)
class Dialect:
    """One province's way.

    Args:
        version, receiver, operator: infver, recer_sys_code and opter, as the province announces them.
        path: added to the address of the settings.
        insurances: kinds of insurance by their code (insutype).
        helped: identities (psn_idet_type) whose bearers are helped (低保对象, 特困人员 …); insurance is "special" then.
        medical_types: the code of each kind of service (med_type).
        sentences: what to tell people by error code; of the codes that stand here a province means the same thing.
        region_of: where an institution lies (就医地), from its code.
        renamed: names of fields that differ, ours before theirs, wherever they stand.
    """

    name: str
    version: str
    receiver: str
    operator: str
    path: str
    insurances: Mapping[str, Insurance]
    helped: frozenset[str]
    medical_types: Mapping[Service, str]
    sentences: Mapping[str, str]
    region_of: Callable[[str], str] = region_in_code
    renamed: Mapping[str, str] = field(default_factory=dict)

    def outgoing(self, content: Any) -> Any:
        """Give content under the province's names."""
        return _renamed(content, self.renamed) if self.renamed else content

    def incoming(self, content: Any) -> Any:
        """Give content under the national names."""
        theirs = {their: our for our, their in self.renamed.items()}
        return _renamed(content, theirs) if theirs else content

    def sentence(self, code: str) -> str:
        """Give what to tell people of a refusal; never what the insurer wrote, which may name somebody."""
        return self.sentences.get(code, _UNKNOWN)


_UNKNOWN = "医保那边没有办成，请过一会儿再试，或者到医保窗口问一问。"


def _renamed(content: Any, names: Mapping[str, str]) -> Any:
    if isinstance(content, dict):
        return {names.get(name, name): _renamed(value, names) for name, value in content.items()}
    if isinstance(content, list):
        return [_renamed(one, names) for one in content]
    return content
