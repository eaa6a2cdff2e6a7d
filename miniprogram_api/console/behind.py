"""The cases behind a number, each with what it counts for; as JSON and as a table."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import Field

from backend.analytics import Behind, FactView
from backend.money import to_yuan
from data.savings import parameters
from miniprogram_api.console.cases import CASE_HEADINGS, CaseItem, case_cells, case_items
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.figures import SpanQuery, span_of
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model

_PATH = "/console/api/figures/rows"
_PAGE = 100
_MOST_EXPORTED = 5_000
_HEADINGS = (
    *CASE_HEADINGS,
    *("应答（分钟）", "诊断符合", "评价（星）", "本来要走（公里）", "实际走（公里）", "本来要花（元）", "实际花（元）"),
    "计算参数",
)


class ExportBehindQuery(SpanQuery):
    """The cases behind one number."""

    which: Behind


class BehindQuery(ExportBehindQuery):
    """The same, and which page of them."""

    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=100_000)


class CountedCase(CaseItem):
    """A case with what it counts for; null where it does not count, or not yet.

    Attributes:
        agreed: whether doctor and expert agree. stars: of the patient.
        km_instead, yuan_instead: what it would have been to see the expert at their hospital.
        km_gone, yuan_spent: what it was. parameters: the name of those that both were reckoned with.
    """

    answer_minutes: float | None
    agreed: bool | None
    stars: int | None
    km_instead: float | None
    km_gone: float | None
    yuan_instead: Decimal | None
    yuan_spent: Decimal | None
    parameters: str


class BehindAnswer(Model):
    """Cases, the latest asked first, or the longest waiting where the number is about answers."""

    items: list[CountedCase]


async def _behind(call: ConsoleCall) -> BehindAnswer:
    return BehindAnswer(items=await _counted(call, await _facts(call, call.query.limit, call.query.offset)))


async def _export(call: ConsoleCall) -> File:
    rows: list[CountedCase] = []
    for offset in range(0, _MOST_EXPORTED, _PAGE):
        facts = await _facts(call, _PAGE, offset)
        rows += await _counted(call, facts)
        if len(facts) < _PAGE:
            break
    return csv_file("会诊明细.csv", _HEADINGS, [_cells(one) for one in rows])


async def _facts(call: ConsoleCall, limit: int, offset: int) -> Sequence[FactView]:
    span = await span_of(call)
    return await call.context.analytics.behind(call.actor, span, call.query.which, limit=limit, offset=offset)


async def _counted(call: ConsoleCall, facts: Sequence[FactView]) -> list[CountedCase]:
    found = await call.context.consultations.overviews(call.actor, [one.consultation_id for one in facts])
    by_id = {one.id: one for one in await case_items(call, found)}
    return [_shown(by_id[one.consultation_id], one) for one in facts if one.consultation_id in by_id]


def _shown(case: CaseItem, fact: FactView) -> CountedCase:
    saved = fact.saving
    return CountedCase(
        **case.model_dump(),
        answer_minutes=None if fact.answer_seconds is None else fact.answer_seconds / 60,
        agreed=fact.agreed,
        stars=fact.stars,
        km_instead=round(saved.metres_instead / 1000, 1) if saved else None,
        km_gone=round(saved.metres_gone / 1000, 1) if saved else None,
        yuan_instead=to_yuan(saved.fen_instead) if saved else None,
        yuan_spent=to_yuan(saved.fen_spent) if saved else None,
        parameters=_named(fact.parameters),
    )


def _named(code: str) -> str:
    return next((one.name for one in parameters() if one.code == code), code)


def _cells(one: CountedCase) -> tuple[Any, ...]:
    agreed = {None: "", True: "符合", False: "不符合"}[one.agreed]
    minutes = None if one.answer_minutes is None else round(one.answer_minutes, 1)
    saved = (one.km_instead, one.km_gone, one.yuan_instead, one.yuan_spent, one.parameters)
    return (*case_cells(one), minutes, agreed, one.stars, *saved)


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "casesBehind", "The cases behind a number", _behind, BehindAnswer, query=BehindQuery),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/export",
        "exportCasesBehind",
        "The cases behind a number as a table",
        _export,
        File,
        query=ExportBehindQuery,
        media_type=CSV,
    ),
)
