"""What insurance pays of which fee, by region and day, as table files that a county replaces by its own."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from data.files import Row, read_rows
from data.insurance.regions import RegionTable, check_regions, narrowest

FOLDER = Path(__file__).parent

Insurance = Literal["employee", "resident", "special"]
"""职工医保, 居民医保, and those who are helped (低保对象, 特困人员 …)."""

Service = Literal["remote_consultation", "revisit", "medicine"]
Level = Literal["primary", "secondary", "tertiary"]
Catalogue = Literal["甲", "乙", "丙"]
"""Class in 国家基本医疗保险药品目录: 甲 counts whole, of 乙 the patient pays a share first, 丙 is not in it."""

Share = Annotated[Decimal, Field(ge=0, le=1)]
Yuan = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=2)]


class CoverageRule(Row):
    """What insurance pays of one kind of fee.

    Args:
        deductible_year: what the insured pays of counted fees in a year before insurance pays anything (起付线).
        rate: of what is left then. cap_each, cap_year: what insurance pays at most, each time and in a year.
        accumulates: "day": what was claimed on one day counts as one claim, so that its order does not matter.
        self_first: what the patient pays first of each catalogue class (先行自付比例).
        subsidy_rate: what the treasury pays of the rest that counts (医疗救助).
        account: whether the personal or family account may pay what is left.
    """

    insurance: Insurance
    service: Service
    level: Level | Literal["any"]
    deductible_year: Yuan = Decimal(0)
    rate: Share
    cap_each: Yuan
    cap_year: Yuan
    accumulates: Literal["claim", "day"] = "claim"
    self_first: dict[Catalogue, Share] = {}
    subsidy_rate: Share = Decimal(0)
    account: bool = True

    def self_share(self, catalogue: Catalogue) -> Decimal:
        """Give the share of a fee of this class that is outside of what counts."""
        return Decimal(1) if catalogue == "丙" else self.self_first.get(catalogue, Decimal(0))


class CoverageTable(RegionTable):
    """The rules of a region from a day on."""

    rules: tuple[CoverageRule, ...]

    @model_validator(mode="after")
    def _has_one_rule_for_each(self) -> "CoverageTable":
        keys = [(rule.insurance, rule.service, rule.level) for rule in self.rules]
        if len(set(keys)) < len(keys):
            raise ValueError("two rules for one kind of fee")
        for rule in self.rules:
            if rule.level != "any" and (rule.insurance, rule.service, "any") in keys:
                raise ValueError("a rule for any level beside one for a level")
        return self

    def rule(self, insurance: Insurance, service: Service, level: Level) -> CoverageRule | None:
        """Give the rule of a kind of fee; None where insurance pays nothing of it."""
        fits = (one for one in self.rules if (one.insurance, one.service) == (insurance, service))
        return next((one for one in fits if one.level in (level, "any")), None)


def load_coverage(path: Path = FOLDER / "coverage.json") -> tuple[CoverageTable, ...]:
    """Read the tables.

    Raises:
        DataError: the file is missing or wrong, or two tables of one region hold on one day.
    """
    tables = read_rows(path, CoverageTable)
    check_regions(path, tables)
    return tables


@cache
def coverage_tables() -> tuple[CoverageTable, ...]:
    """Give the shipped tables."""
    return load_coverage()


def table_for(region: str, day: date, tables: tuple[CoverageTable, ...] | None = None) -> CoverageTable:
    """Give the table of the narrowest region that `region` lies in ("江西省…" in "江西省") on this day.

    Raises:
        DataError: none holds on this day.
    """
    return narrowest(coverage_tables() if tables is None else tables, region, day, "coverage table")
