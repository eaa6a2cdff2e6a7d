"""What can be measured of a patient: vital signs and laboratory values, with codes, units, limits and reference ranges.

`kinds.json` holds every kind, `units.json` the units and how people write them, `dangers.json` the values that cannot
wait. Sources stand beside each range and each danger; ranges that the reagents decide (thyroid, coagulation, troponin)
are left out, for there the range printed on the slip counts. The limits of the believable are the project's own: about
what devices can show at all. Sphygmomanometers reach 300 mmHg, electronic thermometers show 32 to 43 ℃.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from data.errors import DataError
from data.files import ROOT, Row, read_rows, require_unique

FOLDER = ROOT / "observations"
KINDS, UNITS, DANGERS = FOLDER / "kinds.json", FOLDER / "units.json", FOLDER / "dangers.json"

_LOINC = re.compile(r"\d{1,5}-\d")
_MOST_DECIMALS = Decimal("0.000001")


class Group(StrEnum):
    """What belongs together on a slip and on a page."""

    VITAL = "vital"
    GLUCOSE = "glucose"
    BLOOD_COUNT = "blood_count"
    INFLAMMATION = "inflammation"
    URINE = "urine"
    LIVER = "liver"
    KIDNEY = "kidney"
    ELECTROLYTES = "electrolytes"
    LIPIDS = "lipids"
    COAGULATION = "coagulation"
    THYROID = "thyroid"
    CARDIAC = "cardiac"
    PANCREAS = "pancreas"

    @property
    def label(self) -> str:
        """The words people read."""
        return _GROUP_LABELS[self]


_GROUP_LABELS = {
    Group.VITAL: "生命体征",
    Group.GLUCOSE: "血糖",
    Group.BLOOD_COUNT: "血常规",
    Group.INFLAMMATION: "炎症指标",
    Group.URINE: "尿常规",
    Group.LIVER: "肝功能",
    Group.KIDNEY: "肾功能",
    Group.ELECTROLYTES: "电解质",
    Group.LIPIDS: "血脂",
    Group.COAGULATION: "凝血",
    Group.THYROID: "甲功",
    Group.CARDIAC: "心肌指标",
    Group.PANCREAS: "胰腺",
}


class UnknownUnit(ValueError):
    """A unit that the kind cannot be converted from."""


class Unit(Row):
    """A unit: its UCUM code, how we show it, and how else it is written."""

    code: str
    shown: str
    written: tuple[str, ...] = ()


class Conversion(Row):
    """How a value in another unit becomes one in the kind's own: (value + offset) × factor, a fraction kept exactly."""

    unit: str
    factor: Fraction
    offset: Decimal = Decimal(0)

    @field_validator("factor", mode="before")
    @classmethod
    def _read_factor(cls, written: object) -> Fraction:
        top, _, bottom = str(written).partition("/")
        return Fraction(top) / Fraction(bottom or "1")


class ReferenceRange(Row):
    """Where most healthy people lie, both ends included; an end that is None is open. Ages in months."""

    sex: Literal["male", "female", "all"] = "all"
    from_months: int = 18 * 12
    below_months: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    source: str = Field(min_length=2)

    @model_validator(mode="after")
    def _has_an_end(self) -> "ReferenceRange":
        if self.low is None and self.high is None:
            raise ValueError("a range without ends says nothing")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("a range whose ends are the wrong way round")
        return self


class ObservationKind(Row):
    """Something that is measured, or graded with one of a few words (`answers`: urine strips).

    Args:
        key: stable, for programs. name: Chinese, as people read it; short: for a chart. aliases: as slips write it.
        unit: UCUM code in which values are kept; "" where it is graded.
        decimals: shown. lowest, highest: outside them a slip is likelier than a measurement.
        usual: the answers that are no finding.
    """

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")
    name: str
    short: str = ""
    aliases: tuple[str, ...] = ()
    loinc: str = Field(pattern=_LOINC.pattern)
    group: Group
    unit: str = ""
    decimals: int = Field(default=0, ge=0, le=3)
    lowest: Decimal = Decimal(0)
    highest: Decimal = Decimal(0)
    units: tuple[Conversion, ...] = ()
    ranges: tuple[ReferenceRange, ...] = ()
    answers: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_measured_or_graded(self) -> "ObservationKind":
        if bool(self.unit) is bool(self.answers):
            raise ValueError("a kind has a unit or answers")
        if self.unit and self.lowest >= self.highest:
            raise ValueError("the limits are the wrong way round")
        if not set(self.usual) <= set(self.answers):
            raise ValueError("a usual answer is no answer")
        return self

    @cached_property
    def shown_unit(self) -> str:
        """The unit as people read it."""
        return units()[self.unit].shown if self.unit else ""

    def to_own_unit(self, value: Decimal, unit: str) -> Decimal:
        """Give `value` of `unit` (a UCUM code, or as people write it; "" is the kind's own) in the kind's own unit.

        Raises:
            UnknownUnit: it cannot be converted.
        """
        code = self.unit if not unit else unit_code(unit)
        if code == self.unit:
            return value
        for conversion in self.units:
            if conversion.unit == code:
                exact = (Fraction(value) + Fraction(conversion.offset)) * conversion.factor
                return _rounded(exact)
        raise UnknownUnit(unit)

    def from_own_unit(self, value: Decimal, code: str) -> Decimal:
        """Give `value` of the kind's own unit in the unit of this UCUM code; the inverse of `to_own_unit`."""
        if code == self.unit:
            return value
        for conversion in self.units:
            if conversion.unit == code:
                return _rounded(Fraction(value) / conversion.factor - Fraction(conversion.offset))
        raise UnknownUnit(code)

    def is_believable(self, value: Decimal) -> bool:
        """Tell whether a value in the kind's own unit can be."""
        return value.is_finite() and self.lowest <= value <= self.highest

    def reference(self, sex: str, age_months: int | None) -> ReferenceRange | None:
        """Give the range for somebody; a person of unknown age counts as grown up. None where none is known."""
        age = 40 * 12 if age_months is None else age_months
        fitting = [one for one in self.ranges if one.from_months <= age and age < (one.below_months or age + 1)]
        return next((one for one in fitting if one.sex in (sex, "all")), None)

    def show(self, value: Decimal) -> str:
        """Write a value with the kind's decimals, without the unit; more digits are kept where they would vanish."""
        shown = round(value, self.decimals)
        return f"{value.normalize():f}" if value and not shown else f"{shown:f}"


class Danger(Row):
    """A value that cannot wait: from `value_from` on, or below `value_below`.

    Args:
        level: 1 an ambulance, 2 a hospital today; the triage levels of 《急诊预检分诊专家共识》(2018).
        title: a few words for doctors. advice: what to do, for the person. Ages in months.
        pregnant: it holds for pregnant women alone.
    """

    kind: str
    level: Literal[1, 2]
    title: str
    value_from: Decimal | None = None
    value_below: Decimal | None = None
    age_from_months: int | None = None
    age_below_months: int | None = None
    pregnant: bool = False
    advice: str = Field(min_length=8)
    source: str = Field(min_length=2)

    @model_validator(mode="after")
    def _has_one_limit(self) -> "Danger":
        if (self.value_from is None) is (self.value_below is None):
            raise ValueError("a danger begins somewhere, or ends somewhere")
        return self

    def holds(self, value: Decimal, age_months: int | None) -> bool:
        """Tell whether it holds for a value in the kind's own unit; a person of unknown age counts as grown up."""
        age = 40 * 12 if age_months is None else age_months
        if age < (self.age_from_months or 0) or (self.age_below_months is not None and age >= self.age_below_months):
            return False
        if self.value_from is not None:
            return value >= self.value_from
        return self.value_below is not None and value < self.value_below


def load_units(path: Path = UNITS) -> tuple[Unit, ...]:
    """The units in ``path``; ``DataError`` where the file is missing or wrong."""
    rows = read_rows(path, Unit)
    require_unique(path, "code", [row.code for row in rows])
    spellings = [{_folded(word) for word in (row.code, row.shown, *row.written) if word} for row in rows]
    require_unique(path, "spelling", [word for words in spellings for word in sorted(words)])
    return rows


def load_kinds(path: Path = KINDS) -> tuple[ObservationKind, ...]:
    """The kinds in ``path``; ``DataError`` where the file is missing or wrong, or names a unit that there is not."""
    rows = read_rows(path, ObservationKind)
    require_unique(path, "key", [row.key for row in rows])
    require_unique(path, "LOINC", [row.loinc for row in rows])
    for row in rows:
        for code in (row.unit, *(conversion.unit for conversion in row.units)):
            if code and code not in units():
                raise DataError(f"{path}: {row.key}: there is no unit {code!r}")
    for of_urine in (True, False):
        specimen = [row for row in rows if (row.group is Group.URINE) is of_urine]
        names = [{f"{_folded(name)} in {row.unit}" for name in (row.name, *row.aliases)} for row in specimen]
        require_unique(path, "name", [name for each in names for name in sorted(each)])
    return rows


def load_dangers(path: Path = DANGERS) -> tuple[Danger, ...]:
    """The dangers in ``path``; ``DataError`` where the file is missing or wrong, or names a kind that there is not."""
    rows = read_rows(path, Danger)
    for row in rows:
        if row.kind not in observation_kinds():
            raise DataError(f"{path}: there is no kind {row.kind!r}")
    return rows


@cache
def units() -> dict[str, Unit]:
    """The shipped units by UCUM code."""
    return {row.code: row for row in load_units()}


@cache
def observation_kinds() -> dict[str, ObservationKind]:
    """The shipped kinds by key."""
    return {row.key: row for row in load_kinds()}


@cache
def dangers() -> tuple[Danger, ...]:
    """The shipped dangers."""
    return load_dangers()


def kinds_named(name: str) -> tuple[ObservationKind, ...]:
    """Give the kinds that are called so, as slips write it: several where blood and urine share a name, or two that
    are told apart by their units (PCT); none where the name is not known."""
    return _by_name().get(_folded(name), ())


def unit_code(written: str) -> str | None:
    """Give the UCUM code of a unit as people, slips and devices write it; None where it is none that we know."""
    return _by_spelling().get(_folded(written))


def dangers_in(values: Mapping[str, Decimal], age_months: int | None, pregnant: bool = False) -> tuple[Danger, ...]:
    """Give the worst danger of each value, the most urgent first.

    Args:
        values: in the kinds' own units, by key. age_months: of the patient; None counts as grown up.
        pregnant: whether she is known to be.
    """
    worst: dict[str, Danger] = {}
    for danger in dangers():
        value = values.get(danger.kind)
        if value is None or not danger.holds(value, age_months) or (danger.pregnant and not pregnant):
            continue
        known = worst.get(danger.kind)
        if known is None or danger.level < known.level:
            worst[danger.kind] = danger
    return tuple(sorted(worst.values(), key=lambda danger: danger.level))


def _rounded(exact: Fraction) -> Decimal:
    value = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_MOST_DECIMALS).normalize()
    return value + 0  # no minus zero


_ALIKE = str.maketrans("µμγ×＊＾∧（）％／⁹²³⁶＃：－—–Ⅰα", "uurx*^^()%/9236#:---Ia")


def _folded(words: str) -> str:
    """Give a name or a unit without what writers differ in: case, blanks, full-width signs, Greek letters."""
    plain = words.translate(_ALIKE).replace("¹", "1").lower()
    plain = re.sub(r"[\s·•.、_]", "", plain)
    return re.sub(r"^[x*]?(10)[*^e]?(?=\d{1,2}/)", r"\1", plain)


@cache
def _by_spelling() -> dict[str, str]:
    return {_folded(word): row.code for row in units().values() for word in (row.code, row.shown, *row.written) if word}


@cache
def _by_name() -> dict[str, tuple[ObservationKind, ...]]:
    found: dict[str, tuple[ObservationKind, ...]] = {}
    for kind in observation_kinds().values():
        for name in {_folded(name) for name in (kind.name, *kind.aliases)}:
            found[name] = (*found.get(name, ()), kind)
    return found
