"""The drug reference in memory: what belongs to a code, what a name means, what two medicines do to each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain

from data.drugs.rows import (
    LOCAL_ROUTES,
    CrossReaction,
    DrugClass,
    Fact,
    Form,
    Frequency,
    Ingredient,
    Interaction,
    Law,
    Medicine,
    PreparationRow,
    Route,
    Severity,
    Source,
)
from data.drugs.search import Names, folded

GRAVITY: Mapping[Severity, int] = {"note": 0, "warning": 1, "stop": 2}
"""Severities in order."""

_ACIDS = (
    "盐酸", "硫酸氢", "硫酸", "苯磺酸", "甲苯磺酸", "甲磺酸", "马来酸", "富马酸", "酒石酸",
    "重酒石酸", "枸橼酸", "磷酸", "氢溴酸", "琥珀酸", "乳酸", "醋酸", "门冬氨酸",
)  # fmt: skip
_BASES = ("钠", "钾", "钙", "镁", "酯")
"""Acids and bases of salts (中国药品通用名称命名原则: the acid stands before the base's name, the metal behind it)."""

_SWALLOWED = frozenset({
    "tablet", "dispersible", "sr_tablet", "cr_tablet", "enteric_tablet", "chewable", "capsule", "soft_capsule",
    "sr_capsule", "enteric_capsule", "granules", "powder", "dry_suspension", "pill", "drop_pill", "suspension",
    "solution", "oral_liquid", "syrup", "mixture", "oral_drops",
})  # fmt: skip

_LATER_NAMES = ("类", "类药", "类药物")


@dataclass(frozen=True)
class Preparation:
    """What can be prescribed of a medicine.

    Args:
        code: made of its medicine, form, strength and pack, so that the same code never means another thing.
        strength: of one piece, in the medicine's unit; pack: pieces in one pack.
        spec: strength and pack as pharmacies write them.
    """

    code: str
    medicine: Medicine
    form: Form
    strength: Decimal
    pack: Decimal
    routes: tuple[Route, ...]
    spec: str

    @property
    def name(self) -> str:
        """Generic name and form, "阿莫西林胶囊"."""
        name = self.medicine.plain_name
        return name if name.endswith(self.form.name) else name + self.form.name

    @property
    def label(self) -> str:
        """Name, strength and pack."""
        return f"{self.name} {self.spec}"

    @property
    def unit(self) -> str:
        """The unit of its strength and of doses."""
        return self.medicine.unit


class Reference:
    """The whole drug reference. Built by `data.drugs.load_reference`, which has checked it."""

    def __init__(
        self,
        medicines: Iterable[Medicine],
        classes: Iterable[DrugClass],
        interactions: Iterable[Interaction],
        cross_reactions: Iterable[CrossReaction],
        forms: Iterable[Form],
        frequencies: Iterable[Frequency],
        sources: Iterable[Source],
        laws: Iterable[Law],
        ingredients: Iterable[Ingredient],
    ) -> None:
        self.medicines: Mapping[str, Medicine] = {one.code: one for one in medicines}
        self.classes: Mapping[str, DrugClass] = {one.code: one for one in classes}
        self.interactions = tuple(interactions)
        self.cross_reactions = tuple(cross_reactions)
        self.forms: Mapping[str, Form] = {one.code: one for one in forms}
        self.frequencies: Mapping[str, Frequency] = {one.code: one for one in frequencies}
        self.sources: Mapping[str, Source] = {one.code: one for one in sources}
        self.ingredients: Mapping[str, Ingredient] = {one.code: one for one in ingredients}
        self.laws: Mapping[str, Law] = {one.code: one for one in laws}
        self.preparations: Mapping[str, Preparation] = {
            one.code: one
            for medicine in self.medicines.values()
            for one in (_prepared(medicine, row, self.forms[row.form]) for row in medicine.preparations)
        }

    def cite(self, source: str, medicine: Medicine | None = None) -> str:
        """The title of a source; of a package insert with whose it is."""
        title = self.sources[source].title
        return f"{medicine.plain_name}{title}" if source == "insert" and medicine else title

    @property
    def cited(self) -> Iterator[str]:
        """The source of each fact, once a fact."""
        facts: Iterator[Fact] = chain(self.classes.values(), self.interactions, self.cross_reactions)
        yield from (fact.source for fact in facts)
        for one in self.medicines.values():
            parts = (*one.doses, *one.avoid, *one.pregnancy, *one.ages, *one.kidney, one.lactation, one.liver)
            yield from (fact.source for fact in (one, *parts) if fact)

    def classes_of(self, medicine: str) -> frozenset[str]:
        """Codes of the classes that a medicine belongs to, also by way of another class."""
        return self._classes_of.get(medicine, frozenset())

    def classes_above(self, code: str) -> frozenset[str]:
        """Codes of a class and of those that hold it."""
        return frozenset(self._upwards((code,)))

    def members(self, code: str) -> frozenset[str]:
        """Codes of the medicines that `code` means: itself, those of the class, or none."""
        if code in self.medicines:
            return frozenset({code})
        return self._members.get(code, frozenset())

    @cached_property
    def local(self) -> frozenset[str]:
        """Codes of the medicines that act only where they are put."""
        inside = {one.medicine.code for one in self.preparations.values() if not LOCAL_ROUTES.issuperset(one.routes)}
        return frozenset(self.medicines.keys() - inside)

    def between(self, one: str, other: str) -> tuple[Interaction, ...]:
        """What is known of two medicines together, the gravest first; the order of the two does not matter."""
        return self._between.get(frozenset({one, other}), ())

    def name_of(self, code: str) -> str:
        """The Chinese name of a medicine, class or ingredient."""
        if code in self.medicines:
            return self.medicines[code].plain_name
        return self.classes[code].name if code in self.classes else self.ingredients[code].name

    @property
    def pairs(self) -> Iterable[tuple[str, str]]:
        """Every two medicines of which an interaction is known."""
        return ((one, other) for one, other in map(sorted, self._between))

    def preparations_of(self, medicine: str) -> tuple[Preparation, ...]:
        """What can be prescribed of a medicine, in the order of the file."""
        return tuple(one for one in self.preparations.values() if one.medicine.code == medicine)

    def search(self, text: str, limit: int = 10) -> tuple[Preparation, ...]:
        """Find preparations by name, a part of it, another name, pinyin or initials; the closest first.

        Where nothing is called so, the nearest by sound, shape and spelling is given.
        """
        return tuple(self.preparations[code] for code in self._names.search(text, limit))

    def medicine_called(self, name: str) -> Medicine | None:
        """The medicine that is called so, also by the name of a preparation, or as hospitals write it, with its salt
        and form (盐酸二甲双胍缓释片); the one for the whole body of several.

        None where nothing is called so, or medicines of different ingredients are.
        """
        without_pack = name.split()[:1]  # 硝苯地平控释片 30mg×7片/盒
        for called in (one for said in (name, *without_pack) for one in self._ways_of_saying(folded(said))):
            named = {(one := self.preparations[code].medicine).code: one for code in self._names.called(called)}
            if len({one.ingredients for one in named.values()}) == 1:
                return min(named.values(), key=lambda one: one.code in self.local)
        return None

    def _ways_of_saying(self, name: str) -> Iterable[str]:
        """The name itself, then without its form, its acid, its base; the form only of what acts in the whole body,
        for eye drops are not tablets."""
        swallowed = [name.removesuffix(form) for form in self._swallowed if name.endswith(form)]
        plain = [name, *swallowed]
        acids = [one.removeprefix(acid) for one in plain for acid in _ACIDS if one.startswith(acid)]
        bases = [one.removesuffix(base) for one in (*plain, *acids) for base in _BASES if one.endswith(base)]
        return (*plain, *acids, *bases)

    @cached_property
    def _swallowed(self) -> tuple[str, ...]:
        """Names of the forms that act in the whole body, the longest first: 缓释片 before 片."""
        names = {one.name for code, one in self.forms.items() if code in _SWALLOWED}
        return tuple(sorted(names, key=len, reverse=True))

    def allergen_called(self, name: str) -> str | None:
        """The code of the class, substance or medicine that somebody who says `name` is allergic to, or None."""
        said = folded(name).removesuffix("过敏")
        for end in ("", *_LATER_NAMES):
            if found := self._class_names.get(said.removesuffix(end) if end else said):
                return found
        medicine = self.medicine_called(said)
        return medicine.code if medicine else None

    @cached_property
    def _classes_of(self) -> dict[str, frozenset[str]]:
        return {one.code: frozenset(self._upwards(one.classes)) for one in self.medicines.values()}

    def _upwards(self, classes: Iterable[str]) -> Iterable[str]:
        for code in classes:
            yield code
            yield from self._upwards(self.classes[code].within)

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        return {
            code: frozenset(medicine for medicine, classes in self._classes_of.items() if code in classes)
            for code in self.classes
        }

    @cached_property
    def _between(self) -> dict[frozenset[str], tuple[Interaction, ...]]:
        found: dict[frozenset[str], dict[tuple[str, str], Interaction]] = {}
        for interaction in self.interactions:
            first, second = (self._meant(code) for code in interaction.between)
            for pair in {frozenset({one, other}) for one in first for other in second if one != other}:
                found.setdefault(pair, {})[interaction.between] = interaction
        return {
            pair: tuple(sorted(ones.values(), key=lambda one: (-GRAVITY[one.severity], one.between)))
            for pair, ones in found.items()
        }

    def _meant(self, code: str) -> frozenset[str]:
        """The medicines that an interaction is about: of a class not those that act only where they are put."""
        if code in self.medicines:
            return frozenset({code})
        return self.members(code) - self.local

    @cached_property
    def _names(self) -> Names:
        names = Names()
        for preparation in self.preparations.values():
            medicine = preparation.medicine
            for name in (medicine.plain_name, *medicine.aliases):
                names.add(name, preparation.code)
            names.add(preparation.name, preparation.code)
        return names

    @cached_property
    def _class_names(self) -> dict[str, str]:
        return {folded(name): one.code for one in self.classes.values() for name in (one.name, *one.aliases)}


def _prepared(medicine: Medicine, row: PreparationRow, form: Form) -> Preparation:
    code = f"{medicine.code}-{form.code}-{row.strength:f}-{row.pack:f}"
    return Preparation(
        code, medicine, form, row.strength, row.pack, row.routes or form.routes, row.spec or _spec(medicine, row, form)
    )


def _spec(medicine: Medicine, row: PreparationRow, form: Form) -> str:
    if medicine.unit == form.piece:
        return f"{row.pack:f}{form.piece}/{form.pack}"
    if form.piece in ("ml", "g"):
        return f"{row.pack:f}{form.piece}:{_amount(row.strength * row.pack, medicine.unit)}/{form.pack}"
    return f"{_amount(row.strength, medicine.unit)}×{row.pack:f}{form.piece}/{form.pack}"


def _amount(value: Decimal, unit: str) -> str:
    for small, large in (("µg", "mg"), ("mg", "g")):
        if unit == small and value >= 1000:
            value, unit = value / 1000, large
    return f"{value.normalize():f}{unit}"
