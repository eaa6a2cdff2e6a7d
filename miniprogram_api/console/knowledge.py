"""The knowledge base of diseases and the drug reference, looked up: read only, each fact with its source."""

from typing import Annotated

from pydantic import Field, StringConstraints

from backend.knowledge import EntryPage, browse_diseases, browse_medicines
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.endpoint import Model

_PATH = "/console/api/knowledge"


class EntriesQuery(Model):
    """What is looked for (all where nothing is said), and where the page begins."""

    text: Annotated[str, StringConstraints(max_length=40)] = ""
    at: int = Field(0, ge=0, le=100_000)
    limit: int = Field(10, ge=1, le=50)


class DiseasesQuery(EntriesQuery):
    """Diseases of a department, too."""

    department_code: Annotated[str, StringConstraints(max_length=32)] = ""


class StatementItem(Model):
    """What is said, after which work; `reviewed` is by whom it was reviewed and when, "" where nobody has."""

    title: str
    text: str
    source: str
    reviewed: str


class EntryItem(Model):
    """A disease or a medicine, with its code (ICD-10, ATC) and other names."""

    key: str
    name: str
    code: str
    aliases: list[str]
    statements: list[StatementItem]


class EntryItems(Model):
    """A page; `next_at` is null at the end."""

    items: list[EntryItem]
    total: int
    next_at: int | None


async def _diseases(call: ConsoleCall) -> EntryItems:
    wanted = call.query
    return _shown(browse_diseases(wanted.text, wanted.department_code, wanted.at, wanted.limit))


async def _medicines(call: ConsoleCall) -> EntryItems:
    return _shown(browse_medicines(call.query.text, call.query.at, call.query.limit))


def _shown(page: EntryPage) -> EntryItems:
    return EntryItems(
        items=[
            EntryItem(
                key=one.key,
                name=one.name,
                code=one.code,
                aliases=list(one.aliases),
                statements=[StatementItem(**vars(said)) for said in one.statements],
            )
            for one in page.items
        ],
        total=page.total,
        next_at=page.next_at,
    )


ENDPOINTS = (
    ConsoleEndpoint(
        "GET", f"{_PATH}/diseases", "browseDiseases", "Diseases", _diseases, EntryItems, query=DiseasesQuery
    ),
    ConsoleEndpoint(
        "GET", f"{_PATH}/medicines", "browseMedicines", "Medicines", _medicines, EntryItems, query=EntriesQuery
    ),
)
