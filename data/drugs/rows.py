"""The rows of the drug reference: what its files may hold. Every fact names its source by a code of sources.json."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from data.files import Row

Grade = Literal["non_restricted", "restricted", "special"]
"""Grade of an antibiotic (抗菌药物临床应用管理办法, article 6)."""

Control = Literal["narcotic", "psychotropic_1", "psychotropic_2", "toxic", "precursor"]
"""Kind of a controlled medicine (麻醉药品和精神药品管理条例, 医疗用毒性药品管理办法, 易制毒化学品管理条例)."""

Severity = Literal["stop", "warning", "note"]
Route = Literal[
    "oral", "sublingual", "buccal", "rectal", "inhaled", "nebulised", "im", "iv", "sc",
    "topical", "transdermal", "eye", "ear", "nasal", "vaginal", "oromucosal",
]  # fmt: skip

ROUTES: Mapping[str, str] = MappingProxyType(
    {
        "oral": "口服",
        "sublingual": "舌下含服",
        "buccal": "颊部含服",
        "rectal": "直肠给药",
        "inhaled": "吸入",
        "nebulised": "雾化吸入",
        "im": "肌内注射",
        "iv": "静脉给药",
        "sc": "皮下注射",
        "topical": "外用",
        "transdermal": "贴皮肤",
        "eye": "点眼",
        "ear": "滴耳",
        "nasal": "鼻用",
        "vaginal": "阴道给药",
        "oromucosal": "口腔局部用",
    }
)
"""What people read for a route."""

LOCAL_ROUTES = frozenset({"topical", "eye", "ear", "nasal", "vaginal", "oromucosal"})
"""Routes by which little of a medicine reaches the blood."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$")]
Icd = Annotated[str, Field(pattern=r"^[A-Z]\d\d(\.\d[0-9A-Z]*)?(-[A-Z]\d\d)?$")]
Amount = Annotated[Decimal, Field(gt=0)]
Range = tuple[Amount, Amount]
Years = Annotated[Decimal, Field(ge=0)]
Text = Annotated[str, Field(min_length=2)]


class Fact(Row):
    """Something that somebody is answerable for: `source` is a code of sources.json.

    `reviewed` says which pharmacist has reviewed it and when; empty while nobody has.
    """

    source: Code
    reviewed: str = ""


class Source(Row):
    """Where facts are from."""

    code: Code
    title: Text


class Law(Row):
    """A rule of law: its code, what it asks, in which article."""

    code: Code
    text: Text
    source: Text


class Frequency(Row):
    """How often: how many times a day (0.5 is every other day), None where it is as needed; `once` is a single dose."""

    code: Code
    name: Text
    per_day: Amount | None
    once: bool = False


class Ingredient(Row):
    """What is in fixed combinations and is no medicine of its own here."""

    code: Code
    name: str


class Form(Row):
    """A dosage form: what one piece is called, what it is packed in, how it is given; `step` is the smallest part of a
    piece that people can measure out.
    """

    code: Code
    name: str
    piece: str
    pack: str
    step: Amount
    routes: tuple[Route, ...] = Field(min_length=1)


class DrugClass(Fact):
    """A group of medicines, or of things that people are allergic to.

    Args:
        within: larger classes that hold this one.
        allergy: what an allergy to one member, or to the class, means for the others; None: nothing.
        duplicate: what two members at once mean; None: nothing.
        why: of `duplicate`, in one clause.
        instead: what can be given to who is allergic.
        substance: no medicine belongs to it (food, latex).
    """

    code: Code
    name: Text
    aliases: tuple[str, ...] = ()
    within: tuple[Code, ...] = ()
    allergy: Severity | None = None
    duplicate: Severity | None = None
    why: str = ""
    instead: str = ""
    substance: bool = False


class CrossReaction(Fact):
    """Who reacts to `allergic_to` may react to `given`; `severe` holds after a reaction that threatened life."""

    allergic_to: Code
    given: Code
    severity: Severity
    severe: Severity
    why: Text
    instead: str = ""


class Interaction(Fact):
    """Two medicines or classes that do not go together: how it comes about, and what to do."""

    between: tuple[Code, Code]
    severity: Severity
    how: Text
    act: Text


class Dose(Fact):
    """Doses of a medicine for some people, in its unit.

    Args:
        time: usual range of one dose; of one kilogram where `kg`.
        max_time: most for one time, never by the kilogram; without it the upper end of `time` (not where `kg`).
        max_day: most for one day, never by the kilogram.
        max_kg_day: most for one day and kilogram.
        frequencies: the usual ones; where `strict`, taking it more often is dangerous.
        ages: from, and to but not with, in years; weight: the same in kg.
        routes: all of the medicine where empty.
    """

    time: Range
    max_day: Amount
    max_time: Amount | None = None
    kg: bool = False
    max_kg_day: Amount | None = None
    frequencies: tuple[Code, ...] = Field(min_length=1)
    strict: bool = False
    ages: tuple[Years, Years | None] = (Decimal(18), None)
    weight: tuple[Years, Years | None] | None = None
    routes: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.kg != (self.max_kg_day is not None):
            raise ValueError("kg and max_kg_day belong together")
        if self.time[0] > self.time[1]:
            raise ValueError("the range of one dose is upside down")
        if not self.kg and self.most_for_one_time > self.max_day:
            raise ValueError("one dose is more than the most for one day")
        if self.ages[1] is not None and self.ages[0] >= self.ages[1]:
            raise ValueError("the ages are upside down")
        return self

    @property
    def most_for_one_time(self) -> Decimal:
        """The most for one time whatever the weight."""
        if self.max_time is not None:
            return self.max_time
        return self.max_day if self.kg else self.time[1]


class Contraindication(Fact):
    """Diseases (subtrees and spans of ICD-10) in which a medicine does harm."""

    icd: tuple[Icd, ...] = Field(min_length=1)
    severity: Severity
    why: Text
    instead: str = ""


class Pregnancy(Fact):
    """What a medicine does in pregnancy, in all trimesters or in some."""

    trimesters: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    severity: Severity
    why: Text
    instead: str = ""


class Lactation(Fact):
    """What a medicine does to a breast-fed child."""

    severity: Severity
    why: Text
    instead: str = ""


class AgeLimit(Fact):
    """Ages, in years, at which a medicine does harm: below `under`, or from `over` on."""

    under: Amount | None = None
    over: Amount | None = None
    severity: Severity
    why: Text
    instead: str = ""

    @model_validator(mode="after")
    def _has_one_bound(self) -> Self:
        if (self.under is None) == (self.over is None):
            raise ValueError("one of under and over is needed")
        return self


class KidneyLimit(Fact):
    """What holds below a glomerular filtration rate (ml/min), and the most for one day where less can be given."""

    below: Amount
    severity: Severity
    why: Text
    max_day: Amount | None = None
    instead: str = ""


class LiverLimit(Fact):
    """What holds where ALT is over so many U/L, or a liver disease is known."""

    alt_over: Amount = Decimal(120)
    severity: Severity
    why: Text
    instead: str = ""


class PreparationRow(Row):
    """A preparation as it stands in a file: `strength` in the medicine's unit for one piece, `pack` in pieces."""

    form: str
    strength: Amount
    pack: Amount
    routes: tuple[Route, ...] = ()
    spec: str = ""


class Medicine(Fact):
    """A generic ingredient or fixed combination, for the whole body or for one place of it.

    Args:
        name: 通用名; what stands in brackets tells it from another of that name and is no part of it.
        atc: WHO's code; empty for traditional medicines, which have none.
        ingredients: codes; itself where empty.
        unit: of its doses and strengths.
        days: the usual and the longest course.
        indications: subtrees and spans of ICD-10 it is for; empty where they are not known here.
        mind: what everybody who gives it should mind.
    """

    code: Code
    name: Text
    atc: str = Field(pattern=r"^([A-Z]\d\d[A-Z]{2}\d\d|[A-Z]\d\d[A-Z]{0,2}|)$")
    aliases: tuple[Text, ...] = ()
    ingredients: tuple[Code, ...] = ()
    classes: tuple[Code, ...] = ()
    unit: str = "mg"
    antibiotic: Grade | None = None
    controlled: Control | None = None
    long_course: bool = False
    days: tuple[int, int] | None = None
    indications: tuple[Icd, ...] = ()
    preparations: tuple[PreparationRow, ...] = Field(min_length=1)
    doses: tuple[Dose, ...] = Field(min_length=1)
    avoid: tuple[Contraindication, ...] = ()
    pregnancy: tuple[Pregnancy, ...] = ()
    lactation: Lactation | None = None
    ages: tuple[AgeLimit, ...] = ()
    kidney: tuple[KidneyLimit, ...] = ()
    liver: LiverLimit | None = None
    mind: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, row: Any) -> Any:
        """A fact without a source of its own has its medicine's; a medicine without ingredients is one."""
        if not isinstance(row, dict):
            return row
        filled = {"ingredients": [row.get("code", "")], **row}
        for key in ("doses", "avoid", "pregnancy", "ages", "kidney"):
            if isinstance(row.get(key), list):
                filled[key] = [_with_source(fact, row) for fact in row[key]]
        for key in ("lactation", "liver"):
            if key in row:
                filled[key] = _with_source(row[key], row)
        return filled

    @property
    def plain_name(self) -> str:
        """Its name without what stands in brackets."""
        return re.sub(r"（.*）", "", self.name)


def _with_source(fact: Any, row: dict[str, Any]) -> Any:
    return {"source": row.get("source"), **fact} if isinstance(fact, dict) else fact
