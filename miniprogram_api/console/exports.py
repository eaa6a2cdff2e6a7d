"""Exports for research: asked for with a purpose, listed with what became of them, taken away as Parquet."""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import Field

from backend.research import ExportState, ExportView, Wish
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.endpoint import File, Model, Number, Reason

_PATH = "/console/api/exports"
_EXPORT = {"export_id": "An export."}
_PARQUET = "application/vnd.apache.parquet"


class NewExport(Model):
    """A table to be made of the cases opened on these days, both among them.

    Attributes:
        k: people who are alike at least; the settings say the smallest.
        with_months: the true month of each case instead of a day that was shifted. with_text: free text, scrubbed.
    """

    purpose: Reason
    since: date
    until: date
    k: Number = Field(ge=1)
    with_months: bool = False
    with_text: bool = False


class Level(Model):
    """How coarse a column became."""

    column: str
    level: str


class Manifest(Model):
    """What was made.

    Attributes:
        suppressed_rows: left out because too few are like them.
        k, l: what was demanded; smallest_class: the fewest people who are alike. sha256: of the file.
    """

    rows: int
    people: int
    suppressed_rows: int
    k: int
    l: int  # noqa: E741  # its name wherever it is spoken of
    smallest_class: int
    classes: int
    levels: list[Level]
    columns: list[str]
    sha256: str
    size: int


class ExportItem(Model):
    """An export; `refusal` says why nothing was made."""

    id: str
    asked_by: str
    asked_at: datetime
    purpose: str
    since: date
    until: date
    with_months: bool
    with_text: bool
    k: int
    state: ExportState
    state_name: str
    refusal: str
    manifest: Manifest | None


class ExportItems(Model):
    """The latest exports, the newest first, and the smallest `k`."""

    least_k: int
    items: list[ExportItem]


async def _exports(call: ConsoleCall) -> ExportItems:
    found = await call.context.exports.exports(call.actor)
    names = await _names(call, found)
    return ExportItems(least_k=call.context.exports.least_k, items=[_item(one, names) for one in found])


async def _ask(call: ConsoleCall) -> ExportItem:
    wanted = call.body
    wish = Wish(wanted.since, wanted.until, wanted.k, wanted.with_months, wanted.with_text)
    made = await call.context.exports.ask(call.actor, wanted.purpose, wish)
    return _item(made, await _names(call, [made]))


async def _file(call: ConsoleCall) -> File:
    export_id = call.path["export_id"]
    return File(
        content=await call.context.exports.take(call.actor, export_id), name=f"研究数据_{export_id[:8]}.parquet"
    )


async def _names(call: ConsoleCall, found: Sequence[ExportView]) -> dict[str, str]:
    ids = {one.asked_by for one in found}
    return await call.context.people.names(ids) | await call.context.console.names(ids)


def _item(one: ExportView, names: dict[str, str]) -> ExportItem:
    wish = one.wish
    return ExportItem(
        id=one.id,
        asked_by=names.get(one.asked_by, ""),
        asked_at=one.asked_at,
        purpose=one.purpose,
        since=wish.since,
        until=wish.until,
        with_months=wish.with_months,
        with_text=wish.with_text,
        k=wish.k,
        state=one.state,
        state_name=one.state.label,
        refusal=one.refusal,
        manifest=_manifest(one),
    )


def _manifest(one: ExportView) -> Manifest | None:
    if one.state not in (ExportState.MADE, ExportState.EXPIRED) or one.manifest is None:
        return None
    told = dict(one.manifest)
    levels = [Level(column=name, level=level) for name, level in told.pop("levels").items()]
    return Manifest(levels=levels, size=told.pop("bytes"), **told)


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "exports", "What was exported for research", _exports, ExportItems),
    ConsoleEndpoint("POST", _PATH, "askForExport", "Ask for a table", _ask, ExportItem, body=NewExport, status=201),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/{{export_id}}/file",
        "takeExport",
        "The table",
        _file,
        File,
        path_parameters=_EXPORT,
        media_type=_PARQUET,
    ),
)
