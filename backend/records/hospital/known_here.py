"""What is known here, as facts beside those of hospitals: what was said, measured at home or read off a slip. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from backend.records.background import Background, Source
from backend.records.hospital.facts import AllergyFact, ConditionFact, HospitalHistory, Measurement, MedicineFact
from backend.records.hospital.references import PRESSURE, PRESSURES
from backend.records.views import ObservationView
from data.observations import Group

_HERE = "本平台"


def known_here(background: Background, observations: Sequence[ObservationView]) -> list[tuple[str, HospitalHistory]]:
    """Give what was not told by a hospital, under the words for where it came from."""
    sources = [source for source in Source if source is not Source.HOSPITAL]
    histories = [(source.label, _of(source, background, observations)) for source in sources]
    if background.allergies_asked is not None and not background.allergies:
        histories.append((_HERE, HospitalHistory(no_known_allergies=_day(background.allergies_asked))))
    return [(label, history) for label, history in histories if history != HospitalHistory()]


def _of(source: Source, background: Background, observations: Sequence[ObservationView]) -> HospitalHistory:
    def mine(facts: Iterable[Any], make: Callable[[Any], Any]) -> tuple[Any, ...]:
        return tuple(make(fact) for fact in facts if fact.source is source)

    return HospitalHistory(
        allergies=mine(
            background.allergies,
            lambda one: AllergyFact(one.substance, "", one.reaction, one.severe, _day(one.recorded_at)),
        ),
        conditions=mine(
            background.conditions, lambda one: ConditionFact(one.icd10, one.name, True, _day(one.recorded_at))
        ),
        medicines=mine(background.medicines, lambda one: MedicineFact(one.name, "", one.dose, _day(one.recorded_at))),
        measurements=mine(observations, _measurement),
    )


def _measurement(view: ObservationView) -> Measurement:
    kind = view.kind
    panel = PRESSURE if kind.loinc in PRESSURES else ""
    is_vital = kind.group is Group.VITAL
    value = view.value if view.quantity is None else kind.show(view.quantity)
    return Measurement(kind.loinc, kind.name, value, kind.unit, "", "", "", view.taken_at.isoformat(), is_vital, panel)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()
