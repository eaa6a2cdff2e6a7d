"""What a search asks for, and what a source of resources is. Immutable values; pure.

Source: FHIR R4, section 3.1.1 (search).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from backend.errors import InvalidInput
from backend.fhir.elements import Resource
from backend.security.policy import Action, Actor


class ParameterType(StrEnum):
    """Types of search parameters, by the codes of FHIR."""

    TOKEN = "token"  # noqa: S105  # the name of a type
    DATE = "date"
    REFERENCE = "reference"


@dataclass(frozen=True)
class SearchParameter:
    """A parameter that a source understands.

    Args:
        target: the type that a reference leads to.
        needs_patient: it reads what is encrypted, so that it is answered for a patient alone.
    """

    name: str
    type: ParameterType
    documentation: str
    target: str = ""
    needs_patient: bool = False


@dataclass(frozen=True)
class Token:
    """A code, or an identifier, that is searched; `system` is None for any, "" for none."""

    system: str | None
    code: str = field(repr=False)

    def is_of(self, system: str) -> bool:
        """Tell whether codes of `system` are meant, or those of every system."""
        return self.system is None or self.system == system


class Prefix(StrEnum):
    """How a moment is compared (section 3.1.1.4.6)."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    LESS = "lt"
    GREATER_OR_EQUAL = "ge"
    LESS_OR_EQUAL = "le"
    STARTS_AFTER = "sa"
    ENDS_BEFORE = "eb"


@dataclass(frozen=True)
class Moment:
    """A date as it is searched: the stretch that it stands for, from `start` on and before `end`."""

    prefix: Prefix
    start: datetime
    end: datetime


Value = Token | Moment | str
"""One value: a code, a date, or the identifier of what is referred to."""


@dataclass(frozen=True)
class Criterion:
    """A parameter with its values, one of which has to fit."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Position:
    """Where a resource stands in the order of a search: by `key`, then by its identifier."""

    key: datetime | str | int
    id: str | int


@dataclass(frozen=True)
class Search:
    """A search that a source can answer.

    Args:
        criteria: all of them have to fit.
        order: the name of one of the source's orders.
        after: give what stands behind it; None from the beginning.
        count: at most so many.
    """

    criteria: tuple[Criterion, ...]
    order: str
    descending: bool
    after: Position | None
    count: int

    def values(self, name: str) -> tuple[Value, ...]:
        """Give the values of a parameter, of the first where it is given twice; empty where it is not given."""
        return next((one.values for one in self.criteria if one.name == name), ())

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients that it is about; empty where it names none."""
        return tuple(str(value) for value in self.values("patient") or self.values("subject"))


@dataclass(frozen=True)
class Found:
    """A resource, where it stands, and whom it is about (None for nobody, such as an institution)."""

    resource: Resource = field(repr=False)
    position: Position
    patient_id: str | None = None


@dataclass(frozen=True)
class FoundPage:
    """What a search has found: at most `count`, whether there is more behind it, and how many in all where that was
    cheap to count."""

    items: tuple[Found, ...]
    more: bool
    total: int | None = None


class TooCostly(InvalidInput):
    """A search that would have to look through too much."""

    code = "too_costly"
    sentence = "要找的范围太大了，请加上患者或者日期再找。"


class ResourceSource(Protocol):
    """Where the façade finds resources of one type; several may give the same type.

    Attributes:
        type: of its resources, such as "Encounter".
        parameters: what it can be searched by, by their names.
        orders: names by which its resources can be sorted; the first is the usual one, newest first.
        action: of which every read is written into the audit log.
    """

    type: str
    parameters: Mapping[str, SearchParameter]
    orders: tuple[str, ...]
    action: Action

    async def read(self, actor: Actor, resource_id: str) -> Found:
        """Give one resource.

        Raises:
            NotFound: there is none, or none that the actor may see.
        """

    async def search(self, actor: Actor, search: Search) -> FoundPage:
        """Give those that fit and that the actor may see.

        Raises:
            Forbidden: the actor may see none of this type whatever.
        """
