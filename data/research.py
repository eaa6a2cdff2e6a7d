"""What a table for research may hold: what somebody could be known again by, and how far it is made coarser."""

from functools import cache
from pathlib import Path

from data.errors import DataError
from data.files import ROOT, Row, read_object, require_unique

PATH = ROOT / "research.json"


class QuasiIdentifier(Row):
    """A column by which somebody could be known again, and its levels from fine to coarse; it gets no coarser than the
    last."""

    name: str
    levels: tuple[str, ...]


class ResearchRules(Row):
    """The whole file.

    Attributes:
        suppressed_at_most: the share of rows that may be left out because too few are like them, from 0 to 1.
        sensitive: the quasi-identifier that must not follow from the others: who is known by them has one of
            `different_at_least` values.
        vital_signs: those that are told, by their codes; height and weight tell too much of who somebody is.
    """

    suppressed_at_most: float
    different_at_least: int
    sensitive: str
    quasi_identifiers: tuple[QuasiIdentifier, ...]
    vital_signs: tuple[str, ...]


def load_research_rules(path: Path = PATH) -> ResearchRules:
    """Read and check the file; ``DataError`` where it is missing or wrong."""
    rules = read_object(path, ResearchRules)
    names = [one.name for one in rules.quasi_identifiers]
    require_unique(path, "quasi-identifier", names)
    if rules.sensitive not in names:
        raise DataError(f"{path}: {rules.sensitive!r} is no quasi-identifier")
    if not 0 <= rules.suppressed_at_most < 1:
        raise DataError(f"{path}: suppressed_at_most is no share")
    return rules


@cache
def research_rules() -> ResearchRules:
    """The shipped rules."""
    return load_research_rules()
