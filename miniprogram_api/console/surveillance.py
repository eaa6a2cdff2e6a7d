"""Disease surveillance: counts by area and day with their usual range, as JSON and as a table, and the alarms."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import StringConstraints

from backend.surveillance.publication import Published, total
from backend.surveillance.rules import WHOLE, Alarm, DayCount
from data.surveillance import Syndrome, syndromes
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model, Note, Nothing

_PATH = "/console/api/surveillance"
_DEFAULT_DAYS = 60
_ALARM = {"alarm_id": "The alarm."}
_EVERYWHERE = "全部地区"
_HEADINGS = ("日期", "地区", "症状组", "例数", "平时每天（均值）", "正常上限", "预警")


class CountsQuery(Model):
    """Which counts: of one syndrome, and of the days of a span (the last sixty where nothing is said)."""

    syndrome: Annotated[str, StringConstraints(max_length=32)] = "fever_respiratory"
    since: date | None = None
    until: date | None = None


class CurveQuery(CountsQuery):
    """Whose curve: that of an area; nothing stands for all of them, or for the only one that is seen."""

    area: Annotated[str, StringConstraints(max_length=64)] = WHOLE


class AlarmsQuery(Model):
    """Which alarms: all, or those that nobody has acknowledged."""

    unacknowledged: bool = False


class AcknowledgeBody(Model):
    """What somebody found out, or will do."""

    note: Note


class CountItem(Model):
    """A count as it is published: between `low` and `high`; `text` says it ("12", "<5", "18~30")."""

    low: int
    high: int
    text: str


class SyndromeItem(Model):
    """A syndrome, what makes a case one, and where that comes from."""

    code: str
    name: str
    definition: str
    rules: list[list[list[str]]]
    icd10: list[str]
    least: int
    source: str


class AreaItem(Model):
    """An area in the span; `key` is what it is asked for by, `latitude` and `longitude` are null where unknown.

    Attributes:
        alarms: of the span and the syndrome.
    """

    key: str
    name: str
    latitude: float | None
    longitude: float | None
    count: CountItem | None
    alarms: int


class DayItem(Model):
    """A day of the curve; `count` is null where nobody can know it."""

    day: date
    count: CountItem | None
    usual: float | None
    bound: float | None
    alarmed: bool


class AlarmItem(Model):
    """An alarm; `methods` are those of C1, C2 and C3 that were exceeded."""

    id: str
    day: date
    syndrome: str
    syndrome_name: str
    area: str
    area_name: str
    count: CountItem
    bound: float | None
    methods: list[str]
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_name: str
    note: str


class CountsAnswer(Model):
    """The counts of a syndrome and a span: by area, and by day for one of them."""

    since: date
    until: date
    syndrome: str
    area: str
    areas: list[AreaItem]
    days: list[DayItem]


class DefinitionsAnswer(Model):
    """Every syndrome, and the last day of which there are counts."""

    last_day: date
    items: list[SyndromeItem]


class AlarmsAnswer(Model):
    """Alarms, the newest first."""

    items: list[AlarmItem]


class AssessedAnswer(Model):
    """How many alarms were found that nobody knew of."""

    raised: int


async def _counts(call: ConsoleCall) -> CountsAnswer:
    first, last = _span(call)
    wanted = call.query
    found = await call.context.surveillance.counts(call.actor, wanted.syndrome, first, last)
    alarms = await call.context.surveillance.alarms(call.actor, syndrome=wanted.syndrome, since=first)
    alarmed = {(one.area, one.day) for one in alarms if one.day <= last}
    keys = list(dict.fromkeys(one.area for one in found))
    shown = wanted.area if wanted.area in keys else next(iter(keys), WHOLE)
    places = {one.name: one.place for one in await call.context.people.areas() if one.place}
    return CountsAnswer(
        since=first,
        until=last,
        syndrome=wanted.syndrome,
        area=shown,
        areas=[
            AreaItem(
                key=key,
                name=_area_name(key),
                latitude=places[key][0] if key in places else None,
                longitude=places[key][1] if key in places else None,
                count=_sum(one for one in found if one.area == key),
                alarms=sum(area == key for area, _ in alarmed),
            )
            for key in keys
        ],
        days=[_day(one, alarmed) for one in found if one.area == shown],
    )


async def _export(call: ConsoleCall) -> File:
    first, last = _span(call)
    wanted = call.query
    found = await call.context.surveillance.counts(call.actor, wanted.syndrome, first, last)
    alarms = await call.context.surveillance.alarms(call.actor, syndrome=wanted.syndrome, since=first)
    alarmed = {(one.area, one.day) for one in alarms}
    name = syndromes()[wanted.syndrome].name
    return csv_file(
        f"疾病监测_{name}_{first}_{last}.csv",
        _HEADINGS,
        [
            (
                one.day,
                _area_name(one.area),
                name,
                "没有数据" if one.shown is None else str(one.shown),
                _rounded(one.usual),
                _rounded(one.bound),
                "有" if (one.area, one.day) in alarmed else "",
            )
            for one in found
        ],
    )


async def _definitions(call: ConsoleCall) -> DefinitionsAnswer:
    return DefinitionsAnswer(
        last_day=call.context.surveillance.last_day, items=[_syndrome(one) for one in syndromes().values()]
    )


async def _alarms(call: ConsoleCall) -> AlarmsAnswer:
    found = await call.context.surveillance.alarms(call.actor, unacknowledged=call.query.unacknowledged)
    return AlarmsAnswer(items=await _items(call, found))


async def _acknowledge(call: ConsoleCall) -> AlarmItem:
    done = await call.context.surveillance.acknowledge(call.actor, call.path["alarm_id"], call.body.note)
    [item] = await _items(call, [done])
    return item


async def _assess(call: ConsoleCall) -> AssessedAnswer:
    return AssessedAnswer(raised=await call.context.surveillance.assess(call.actor))


def _span(call: ConsoleCall) -> tuple[date, date]:
    last = call.query.until or call.context.surveillance.last_day
    return call.query.since or last - timedelta(days=_DEFAULT_DAYS - 1), last


async def _items(call: ConsoleCall, alarms: Sequence[Alarm]) -> list[AlarmItem]:
    names = await call.context.console.names({one.acknowledged_by for one in alarms} - {""})
    return [
        AlarmItem(
            id=one.id,
            day=one.day,
            syndrome=one.syndrome,
            syndrome_name=syndromes()[one.syndrome].name if one.syndrome in syndromes() else one.syndrome,
            area=one.area,
            area_name=_area_name(one.area),
            count=_count(one.shown),
            bound=one.bound,
            methods=list(one.methods),
            raised_at=one.raised_at,
            acknowledged_at=one.acknowledged_at,
            acknowledged_name=names.get(one.acknowledged_by, ""),
            note=one.note,
        )
        for one in alarms
    ]


def _day(one: DayCount, alarmed: Collection[tuple[str, date]]) -> DayItem:
    return DayItem(
        day=one.day,
        count=None if one.shown is None else _count(one.shown),
        usual=_rounded(one.usual),
        bound=_rounded(one.bound),
        alarmed=(one.area, one.day) in alarmed,
    )


def _sum(days: Iterable[DayCount]) -> CountItem | None:
    known = [one.shown for one in days if one.shown is not None]
    return _count(total(known)) if known else None


def _count(shown: Published) -> CountItem:
    return CountItem(low=shown.low, high=shown.high, text=str(shown))


def _syndrome(one: Syndrome) -> SyndromeItem:
    return SyndromeItem(
        code=one.code,
        name=one.name,
        definition=one.definition,
        rules=[[list(group) for group in rule] for rule in one.rules],
        icd10=list(one.icd10),
        least=one.least,
        source=one.source,
    )


def _area_name(key: str) -> str:
    return key or _EVERYWHERE


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "surveillance", "Counts of a syndrome", _counts, CountsAnswer, query=CurveQuery),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/export",
        "exportSurveillance",
        "The counts as a table",
        _export,
        File,
        query=CountsQuery,
        media_type=CSV,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/definitions",
        "syndromes",
        "What each syndrome is",
        _definitions,
        DefinitionsAnswer,
        query=Nothing,
    ),
    ConsoleEndpoint("GET", f"{_PATH}/alarms", "syndromeAlarms", "The alarms", _alarms, AlarmsAnswer, query=AlarmsQuery),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/alarms/{{alarm_id}}/acknowledgement",
        "acknowledgeAlarm",
        "Say what came of an alarm",
        _acknowledge,
        AlarmItem,
        body=AcknowledgeBody,
        path_parameters=_ALARM,
    ),
    ConsoleEndpoint("POST", f"{_PATH}/assessment", "assess", "Look for alarms now", _assess, AssessedAnswer),
)
