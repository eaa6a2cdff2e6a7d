"""The report of a month on paper: of all that somebody may see, of a region, or of one institution."""

from datetime import date
from typing import Annotated

from pydantic import StringConstraints

from backend.analytics import Figures, Month, Part, Span, Sums, month_before, month_of
from backend.analytics.rules import total
from backend.errors import InvalidInput
from backend.people import InstitutionView
from miniprogram_api.console import reference
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Id
from miniprogram_api.endpoint import File, Model

_EVERYWHERE = "全部机构"


class MonthQuery(Model):
    """Which month, 2026-11, and where."""

    month: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    region: Annotated[str, StringConstraints(max_length=64)] | None = None
    institution_id: Id | None = None
    department_code: Annotated[str, StringConstraints(max_length=32)] | None = None


async def _report(call: ConsoleCall) -> File:
    first, last = month_of(date.fromisoformat(f"{call.query.month}-01"))
    today = call.context.clock.today()
    if first > today.date():
        raise InvalidInput("这个月还没有到。", field="month")
    analytics = call.context.analytics
    now = await analytics.figures(call.actor, await _span(call, first, last))
    before = await analytics.figures(call.actor, await _span(call, *month_before(first)))
    known = {one.id: one for one in await reference.institutions(call.context, call.actor)}
    whole = last <= today.date()
    month = Month(
        first=first,
        scope=_scope(call, known),
        made=f"{call.signed_in.name} 于{today:%Y-%m-%d %H:%M}制表" + ("" if whole else "，这个月还没有完"),
        now=now.total,
        before=before.total,
        in_year=await analytics.asked_in_year(call.actor, await _span(call, first, last)),
        by_day=now.by_day,
        parts=_parts(now, before, known),
    )
    return File(content=await analytics.print_month(month), name=f"远程会诊月报_{month.scope}_{call.query.month}.pdf")


async def _span(call: ConsoleCall, first: date, last: date) -> Span:
    places = await reference.chosen(call.context, call.actor, call.query.institution_id, call.query.region)
    return Span(first, last, places, call.query.department_code)


def _scope(call: ConsoleCall, known: dict[str, InstitutionView]) -> str:
    wanted = call.query
    if wanted.institution_id is not None:
        place = known[wanted.institution_id].name if wanted.institution_id in known else "未知机构"
    elif len(known) == 1:
        place = next(iter(known.values())).name
    else:
        place = wanted.region or _EVERYWHERE
    return f"{place}　{reference.department_name(wanted.department_code)}" if wanted.department_code else place


def _parts(now: Figures, before: Figures, known: dict[str, InstitutionView]) -> dict[str, list[Part]]:
    found = {
        "按地区": _beside(_by_region(now, known), _by_region(before, known), {}),
        "按机构": _beside(now.by_institution, before.by_institution, {one: held.name for one, held in known.items()}),
        "按科室": _beside(
            now.by_department,
            before.by_department,
            {one: reference.department_name(one) for one in (*now.by_department, *before.by_department)},
        ),
    }
    # Of one place the table would say what the figures say.
    return {title: parts for title, parts in found.items() if title == "按科室" or len(parts) > 1}


def _by_region(found: Figures, known: dict[str, InstitutionView]) -> dict[str, Sums]:
    regions: dict[str, list[Sums]] = {}
    for institution_id, sums in found.by_institution.items():
        regions.setdefault(known[institution_id].region if institution_id in known else "未知", []).append(sums)
    return {region: total(sums) for region, sums in regions.items()}


def _beside(now: dict[str, Sums], before: dict[str, Sums], names: dict[str, str]) -> list[Part]:
    parts = [Part(names.get(key, key), now.get(key, Sums()), before.get(key, Sums())) for key in {**now, **before}]
    return sorted(parts, key=lambda one: (-one.now.asked, -one.before.asked, one.name))


ENDPOINTS = (
    ConsoleEndpoint(
        "GET",
        "/console/api/figures/report",
        "monthlyReport",
        "The report of a month on paper",
        _report,
        File,
        query=MonthQuery,
        media_type="application/pdf",
    ),
)
