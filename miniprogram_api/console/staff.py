"""Who practises where: the roster, lists from the office, invitations."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from backend.people import ImportPreview, RosterFilter, read_table
from backend.people.importing import COLUMNS
from backend.people.office_tables import MOST_BYTES
from backend.security.policy import Role
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Id
from miniprogram_api.console.lists import Cursor
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model

_PATH = "/console/api/practitioners"
_PRACTITIONER = {"practitioner_id": "Who practises."}
_ROLE_NAMES = {
    Role.GRASSROOTS_DOCTOR: "基层医生",
    Role.EXPERT: "专家",
    Role.PHARMACIST: "药师",
    Role.ADMINISTRATOR: "管理员",
}
_EXAMPLE = (
    "王秀英",
    "基层医生",
    "QL-T01",
    "全科医疗科",
    "主治医师",
    "110360100000001",
    "2028-12-31",
    "2005",
    "I10-I15、E11",
)


class RosterQuery(Model):
    """Who: `name` is a part of it; `expiring_days` leaves those whose licence runs out within so many days, or has run
    out."""

    institution_id: Id | None = None
    role: Literal["grassroots_doctor", "expert", "pharmacist", "administrator"] | None = None
    name: Annotated[str, StringConstraints(max_length=20)] = ""
    licence_number: Annotated[str, StringConstraints(max_length=30)] = ""
    joined: bool | None = None
    expiring_days: int | None = Field(None, ge=0, le=3650)
    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor = ""


class RosterItem(Model):
    """Somebody who practises; `joined` once they have scanned their invitation."""

    id: str
    name: str
    role: str
    role_name: str
    institution_name: str
    department_name: str
    title: str
    licence_number: str
    licence_expires_on: date | None
    active: bool
    joined: bool


class RosterItems(Model):
    """A page of the roster; `next_cursor` is empty at the end."""

    items: list[RosterItem]
    next_cursor: str


class ImportQuery(Model):
    """Whether to write, or only to look."""

    write: bool = False


class Fault(Model):
    """What is wrong in a cell."""

    column: str
    sentence: str


class ImportItem(Model):
    """A row of the table."""

    line: int
    name: str
    is_new: bool
    faults: list[Fault]


class ImportAnswer(Model):
    """What the table would do, or has done where it is `written`; nothing is unless every row is right."""

    rows: list[ImportItem]
    faulty: int
    written: bool


class InvitationAnswer(Model):
    """The QR code by which somebody joins in WeChat, as a `data:` address; good once."""

    name: str
    picture: str
    expires_at: datetime


async def _roster(call: ConsoleCall) -> RosterItems:
    wanted = call.query
    found = await call.context.people.roster(
        call.actor,
        RosterFilter(
            institution_id=wanted.institution_id,
            role=Role(wanted.role) if wanted.role else None,
            name=wanted.name,
            licence_number=wanted.licence_number.strip(),
            joined=wanted.joined,
            expiring_within=None if wanted.expiring_days is None else timedelta(days=wanted.expiring_days),
        ),
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return RosterItems(
        items=[
            RosterItem(
                id=one.practitioner.id,
                name=one.practitioner.name,
                role=one.practitioner.role,
                role_name=_ROLE_NAMES[one.practitioner.role],
                institution_name=one.practitioner.institution_name,
                department_name=one.practitioner.department_name,
                title=one.practitioner.title,
                licence_number=one.licence_number,
                licence_expires_on=one.licence_expires_on,
                active=one.practitioner.active,
                joined=one.practitioner.person_id is not None,
            )
            for one in found.items
        ],
        next_cursor=found.next_cursor,
    )


async def _template(_call: ConsoleCall) -> File:
    return csv_file("人员导入模板.csv", tuple(COLUMNS), [_EXAMPLE])


async def _import(call: ConsoleCall) -> ImportAnswer:
    table = await asyncio.to_thread(read_table, call.body)
    return import_answer(await call.context.people.import_practitioners(call.actor, table, write=call.query.write))


def import_answer(found: ImportPreview) -> ImportAnswer:
    """Show what a table would do, or has done."""
    return ImportAnswer(
        rows=[
            ImportItem(
                line=row.line,
                name=row.name,
                is_new=row.is_new,
                faults=[Fault(column=column, sentence=sentence) for column, sentence in row.faults],
            )
            for row in found.rows
        ],
        faulty=found.faulty,
        written=found.written,
    )


async def _invite(call: ConsoleCall) -> InvitationAnswer:
    people, practitioner_id = call.context.people, call.path["practitioner_id"]
    invitation = await people.create_invitation(call.actor, practitioner_id)
    left = int((invitation.expires_at - call.context.clock.now()).total_seconds())
    picture = await call.context.invitation_picture(invitation.scene, left)
    name = (await people.practitioner(practitioner_id)).name
    return InvitationAnswer(name=name, picture=picture, expires_at=invitation.expires_at)


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "roster", "Who practises", _roster, RosterItems, query=RosterQuery),
    ConsoleEndpoint(
        "GET", f"{_PATH}/template", "importTemplate", "An empty list to fill", _template, File, media_type=CSV
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/import",
        "importPractitioners",
        "Look at a list, or take it over",
        _import,
        ImportAnswer,
        query=ImportQuery,
        largest_file=MOST_BYTES,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/{{practitioner_id}}/invitation",
        "invitePractitioner",
        "Make an invitation",
        _invite,
        InvitationAnswer,
        status=201,
        path_parameters=_PRACTITIONER,
    ),
)
