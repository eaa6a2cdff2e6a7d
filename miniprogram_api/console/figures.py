"""The dashboard: figures of a span, as JSON and as a table, and what filters and definitions are made of."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import StringConstraints

from backend.analytics import Figures, Renewal, Span, Sums, definitions
from backend.analytics.definitions import parameters_said
from backend.analytics.rules import total
from backend.money import to_yuan
from backend.people.importing_institutions import KIND_NAMES, LEVEL_NAMES
from data.departments import departments
from data.savings import parameters_between
from miniprogram_api.console import reference
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Id
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model, Nothing

_PATH = "/console/api/figures"
_DEFAULT_DAYS = 30
_HEADINGS = (
    *("名称", "会诊数", "已完成", "已应答", "平均应答（分钟）", "90%应答（分钟）"),
    *("可比病例", "诊断符合率", "评价数", "满意率"),
    *("算出节省的病例", "少走的路（比例）", "省下的钱（比例）", "本来要走（公里）", "实际走（公里）"),
    *("本来要花（元）", "实际花（元）"),
)


class SpanQuery(Model):
    """Which cases: by the day on which an expert was asked (the last thirty where nothing is said), and where."""

    since: date | None = None
    until: date | None = None
    region: Annotated[str, StringConstraints(max_length=64)] | None = None
    institution_id: Id | None = None
    department_code: Annotated[str, StringConstraints(max_length=32)] | None = None


class ExportQuery(SpanQuery):
    """A table by one of these."""

    by: Literal["day", "region", "institution", "department"] = "institution"


class Figure(Model):
    """Numbers of some cases; what nothing stands behind is null.

    Attributes:
        key: the day, the region, or the identifier that they are of; `name` is what people call it.
        agreement, satisfaction: shares between 0 and 1, of `compared` and of `rated` cases.
        distance_saved, cost_saved: shares, the second below 0 where patients spent more; of `reckoned` cases, as
            are kilometres and yuan; of `unreckoned` completed cases they cannot be known.
    """

    key: str
    name: str
    asked: int
    completed: int
    answered: int
    mean_minutes: float | None
    p90_minutes: float | None
    compared: int
    agreement: float | None
    rated: int
    satisfaction: float | None
    reckoned: int
    unreckoned: int
    distance_saved: float | None
    cost_saved: float | None
    km_instead: float
    km_gone: float
    yuan_instead: Decimal
    yuan_spent: Decimal


class FiguresAnswer(Model):
    """The figures of a span; `asked_in_year` counts the calendar year of its last day until then, and `parameters` are
    those that savings in it are reckoned with."""

    since: date
    until: date
    total: Figure
    asked_in_year: int
    parameters: list[str]
    by_day: list[Figure]
    by_region: list[Figure]
    by_institution: list[Figure]
    by_department: list[Figure]


class InstitutionItem(Model):
    """An institution that somebody may choose; `departments` are codes, none where it has not told of them."""

    id: str
    code: str
    name: str
    kind: str
    kind_name: str
    level_name: str
    region: str
    address: str
    place: tuple[float, float] | None
    departments: list[str]


class Choice(Model):
    """A code and its name."""

    code: str
    name: str


class DefinitionItem(Model):
    """How a figure is counted, what is aimed at, and what it is reckoned with."""

    key: str
    title: str
    text: str
    target: str
    notes: list[str]


class RenewalAnswer(Model):
    """Past cases whose savings are reckoned anew: how many for the first time, how many otherwise than before; how many
    of them `done` just now, and how many are left for the night, or for another time."""

    first_time: int
    otherwise: int
    done: int
    left: int


class ReferenceAnswer(Model):
    """What filters are made of, and what the figures of today mean."""

    institutions: list[InstitutionItem]
    departments: list[Choice]
    definitions: list[DefinitionItem]


async def _figures(call: ConsoleCall) -> FiguresAnswer:
    span = await span_of(call)
    found = await call.context.analytics.figures(call.actor, span)
    parts = await parts_of(call, found)
    return FiguresAnswer(
        since=span.first,
        until=span.last,
        total=figure("", "合计", found.total),
        asked_in_year=await call.context.analytics.asked_in_year(call.actor, span),
        parameters=[parameters_said(one) for one in parameters_between(span.first, span.last)],
        by_day=parts["day"],
        by_region=parts["region"],
        by_institution=parts["institution"],
        by_department=parts["department"],
    )


async def _export(call: ConsoleCall) -> File:
    span = await span_of(call)
    found = await call.context.analytics.figures(call.actor, span)
    rows = (await parts_of(call, found))[call.query.by]
    return csv_file(
        f"会诊统计_{span.first}_{span.last}.csv",
        _HEADINGS,
        [
            (
                one.name,
                one.asked,
                one.completed,
                one.answered,
                _rounded(one.mean_minutes, 1),
                _rounded(one.p90_minutes, 1),
                one.compared,
                _rounded(one.agreement, 4),
                one.rated,
                _rounded(one.satisfaction, 4),
                one.reckoned,
                _rounded(one.distance_saved, 4),
                _rounded(one.cost_saved, 4),
                one.km_instead,
                one.km_gone,
                one.yuan_instead,
                one.yuan_spent,
            )
            for one in [*rows, figure("", "合计", found.total)]
        ],
    )


async def _renewal(call: ConsoleCall) -> RenewalAnswer:
    return _renewed(await call.context.analytics.renewal(call.actor))


async def _reckon(call: ConsoleCall) -> RenewalAnswer:
    return _renewed(await call.context.analytics.reckon_anew(call.actor))


def _renewed(found: Renewal) -> RenewalAnswer:
    return RenewalAnswer(first_time=found.first_time, otherwise=found.otherwise, done=found.done, left=found.left)


async def _reference(call: ConsoleCall) -> ReferenceAnswer:
    found = await reference.institutions(call.context, call.actor)
    held = await call.context.people.departments_of([one.id for one in found])
    return ReferenceAnswer(
        institutions=[
            InstitutionItem(
                id=one.id,
                code=one.code,
                name=one.name,
                kind=one.kind,
                kind_name=KIND_NAMES[one.kind],
                level_name=LEVEL_NAMES[one.level],
                region=one.region,
                address=one.address,
                place=one.place,
                departments=held.get(one.id, []),
            )
            for one in found
        ],
        departments=[Choice(code=code, name=one.name) for code, one in departments().items()],
        definitions=[
            DefinitionItem(key=one.key, title=one.title, text=one.text, target=one.target, notes=list(one.notes))
            for one in definitions(call.context.clock.today().date())
        ],
    )


async def span_of(call: ConsoleCall) -> Span:
    """Give the span that the query of a call names."""
    wanted = call.query
    last = wanted.until or call.context.clock.today().date()
    first = wanted.since or last - timedelta(days=_DEFAULT_DAYS - 1)
    places = await reference.chosen(call.context, call.actor, wanted.institution_id, wanted.region)
    return Span(first, last, places, wanted.department_code)


async def parts_of(call: ConsoleCall, found: Figures) -> dict[str, list[Figure]]:
    """Show the sums by day, region, institution and department; the largest first, days in order."""
    known = {one.id: one for one in await reference.institutions(call.context, call.actor)}
    regions: dict[str, list[Sums]] = {}
    for institution_id, sums in found.by_institution.items():
        regions.setdefault(known[institution_id].region if institution_id in known else "未知", []).append(sums)
    return {
        "day": [figure(day.isoformat(), day.isoformat(), sums) for day, sums in found.by_day.items()],
        "region": _largest([figure(region, region, total(sums)) for region, sums in regions.items()]),
        "institution": _largest(
            [figure(one, known[one].name if one in known else one, sums) for one, sums in found.by_institution.items()]
        ),
        "department": _largest(
            [figure(code, reference.department_name(code), sums) for code, sums in found.by_department.items()]
        ),
    }


def figure(key: str, name: str, sums: Sums) -> Figure:
    """Show sums."""
    return Figure(
        key=key,
        name=name,
        asked=sums.asked,
        completed=sums.completed,
        answered=sums.answered,
        mean_minutes=sums.mean_minutes,
        p90_minutes=sums.p90_minutes,
        compared=sums.compared,
        agreement=sums.agreement,
        rated=sums.rated,
        satisfaction=sums.satisfaction,
        reckoned=sums.reckoned,
        unreckoned=sums.completed - sums.reckoned,
        distance_saved=sums.distance_saved,
        cost_saved=sums.cost_saved,
        km_instead=round(sums.metres_instead / 1000, 1),
        km_gone=round(sums.metres_gone / 1000, 1),
        yuan_instead=to_yuan(sums.fen_instead),
        yuan_spent=to_yuan(sums.fen_spent),
    )


def _largest(figures: list[Figure]) -> list[Figure]:
    return sorted(figures, key=lambda one: (-one.asked, one.name))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


ENDPOINTS = (
    ConsoleEndpoint(
        "GET",
        "/console/api/reference",
        "reference",
        "Institutions and departments",
        _reference,
        ReferenceAnswer,
        query=Nothing,
    ),
    ConsoleEndpoint(
        "GET", f"{_PATH}/savings", "savingsToReckon", "Past cases to be reckoned anew", _renewal, RenewalAnswer
    ),
    ConsoleEndpoint("POST", f"{_PATH}/savings", "reckonSavings", "Reckon them anew", _reckon, RenewalAnswer),
    ConsoleEndpoint("GET", _PATH, "figures", "The figures of a span", _figures, FiguresAnswer, query=SpanQuery),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/export",
        "exportFigures",
        "The figures as a table",
        _export,
        File,
        query=ExportQuery,
        media_type=CSV,
    ),
)
