"""The dashboard: figures of a span, as JSON and as a table, and the cases behind a number."""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from backend.analytics import Behind, Figures, Span, Sums
from backend.analytics.rules import total
from data.departments import departments
from miniprogram_api.console import reference
from miniprogram_api.console.cases import CaseItem, case_item
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Id
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model, Nothing

_PATH = "/console/api/figures"
_DEFAULT_DAYS = 30
_HEADINGS = (
    *("名称", "会诊数", "已完成", "已应答", "平均应答（分钟）", "90%应答（分钟）"),
    *("可比病例", "诊断符合率", "评价数", "满意率"),
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


class BehindQuery(SpanQuery):
    """The cases behind one number."""

    which: Behind
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=100_000)


class Figure(Model):
    """Numbers of some cases; what nothing stands behind is null.

    Attributes:
        key: the day, the region, or the identifier that they are of; `name` is what people call it.
        agreement, satisfaction: shares between 0 and 1, of `compared` and of `rated` cases.
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


class FiguresAnswer(Model):
    """The figures of a span; `asked_in_year` counts the calendar year of its last day until then."""

    since: date
    until: date
    total: Figure
    asked_in_year: int
    by_day: list[Figure]
    by_region: list[Figure]
    by_institution: list[Figure]
    by_department: list[Figure]


class BehindAnswer(Model):
    """Cases, the latest asked first."""

    items: list[CaseItem]


class InstitutionItem(Model):
    """An institution that somebody may choose."""

    id: str
    code: str
    name: str
    kind: str
    region: str
    address: str


class Choice(Model):
    """A code and its name."""

    code: str
    name: str


class ReferenceAnswer(Model):
    """What filters are made of."""

    institutions: list[InstitutionItem]
    departments: list[Choice]


async def _figures(call: ConsoleCall) -> FiguresAnswer:
    span = await _span(call)
    found = await call.context.analytics.figures(call.actor, span)
    parts = await _parts(call, found)
    return FiguresAnswer(
        since=span.first,
        until=span.last,
        total=_figure("", "合计", found.total),
        asked_in_year=await call.context.analytics.asked_in_year(call.actor, span),
        by_day=parts["day"],
        by_region=parts["region"],
        by_institution=parts["institution"],
        by_department=parts["department"],
    )


async def _export(call: ConsoleCall) -> File:
    span = await _span(call)
    found = await call.context.analytics.figures(call.actor, span)
    rows = (await _parts(call, found))[call.query.by]
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
            )
            for one in [*rows, _figure("", "合计", found.total)]
        ],
    )


async def _behind(call: ConsoleCall) -> BehindAnswer:
    wanted = call.query
    span = await _span(call)
    ids = await call.context.analytics.behind(call.actor, span, wanted.which, limit=wanted.limit, offset=wanted.offset)
    names = {one.id: one.name for one in await reference.institutions(call.context, call.actor)}
    found = await call.context.consultations.overviews(call.actor, ids)
    return BehindAnswer(items=[case_item(one, names) for one in found])


async def _reference(call: ConsoleCall) -> ReferenceAnswer:
    found = await reference.institutions(call.context, call.actor)
    return ReferenceAnswer(
        institutions=[
            InstitutionItem(
                id=one.id, code=one.code, name=one.name, kind=one.kind, region=one.region, address=one.address
            )
            for one in found
        ],
        departments=[Choice(code=code, name=one.name) for code, one in departments().items()],
    )


async def _span(call: ConsoleCall) -> Span:
    wanted = call.query
    last = wanted.until or call.context.clock.today().date()
    first = wanted.since or last - timedelta(days=_DEFAULT_DAYS - 1)
    places = await reference.chosen(call.context, call.actor, wanted.institution_id, wanted.region)
    return Span(first, last, places, wanted.department_code)


async def _parts(call: ConsoleCall, found: Figures) -> dict[str, list[Figure]]:
    known = {one.id: one for one in await reference.institutions(call.context, call.actor)}
    regions: dict[str, list[Sums]] = {}
    for institution_id, sums in found.by_institution.items():
        regions.setdefault(known[institution_id].region if institution_id in known else "未知", []).append(sums)
    return {
        "day": [_figure(day.isoformat(), day.isoformat(), sums) for day, sums in found.by_day.items()],
        "region": _largest([_figure(region, region, total(sums)) for region, sums in regions.items()]),
        "institution": _largest(
            [_figure(one, known[one].name if one in known else one, sums) for one, sums in found.by_institution.items()]
        ),
        "department": _largest(
            [_figure(code, reference.department_name(code), sums) for code, sums in found.by_department.items()]
        ),
    }


def _figure(key: str, name: str, sums: Sums) -> Figure:
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
    ConsoleEndpoint(
        "GET", f"{_PATH}/rows", "casesBehind", "The cases behind a number", _behind, BehindAnswer, query=BehindQuery
    ),
)
