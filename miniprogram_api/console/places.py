"""Institutions: lists of them from the office, and the departments that each has."""

import asyncio
from typing import Annotated

from pydantic import Field, StringConstraints

from backend.people import read_table
from backend.people.importing_institutions import INSTITUTION_COLUMNS
from backend.people.institution_departments import DEPARTMENT_COLUMNS
from backend.people.office_tables import MOST_BYTES
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done
from miniprogram_api.console.staff import ImportAnswer, ImportQuery, import_answer
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model

_PATH = "/console/api/institutions"
_EXAMPLE = (
    *("QL-T07", "青岚县示例镇卫生院", "乡镇卫生院", "一级", "青岚县示例镇", "示例镇中心街1号"),
    *("28.6147", "114.8216", "H99990100009"),
)


_DEPARTMENTS = "/console/api/departments"
_INSTITUTION = {"institution_id": "The institution."}


class DepartmentsRequest(Model):
    """The departments that an institution has, by their codes; none: nobody has told of them."""

    departments: Annotated[list[Annotated[str, StringConstraints(max_length=48)]], Field(max_length=200)]


async def _template(_call: ConsoleCall) -> File:
    return csv_file("机构导入模板.csv", tuple(INSTITUTION_COLUMNS), [_EXAMPLE])


async def _import(call: ConsoleCall) -> ImportAnswer:
    table = await asyncio.to_thread(read_table, call.body)
    return import_answer(await call.context.people.import_institutions(call.actor, table, write=call.query.write))


async def _departments_template(_call: ConsoleCall) -> File:
    return csv_file("科室导入模板.csv", tuple(DEPARTMENT_COLUMNS), [("QL-T07", "全科医疗科"), ("QL-T07", "中医科")])


async def _import_departments(call: ConsoleCall) -> ImportAnswer:
    table = await asyncio.to_thread(read_table, call.body)
    return import_answer(await call.context.people.import_departments(call.actor, table, write=call.query.write))


async def _set_departments(call: ConsoleCall) -> Done:
    await call.context.people.set_departments(call.actor, call.path["institution_id"], call.body.departments)
    return Done()


ENDPOINTS = (
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/template",
        "institutionsTemplate",
        "An empty list to fill",
        _template,
        File,
        media_type=CSV,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/import",
        "importInstitutions",
        "Look at a list, or take it over",
        _import,
        ImportAnswer,
        query=ImportQuery,
        largest_file=MOST_BYTES,
    ),
    ConsoleEndpoint(
        "PUT",
        f"{_PATH}/{{institution_id}}/departments",
        "setDepartments",
        "Say which departments it has",
        _set_departments,
        Done,
        body=DepartmentsRequest,
        path_parameters=_INSTITUTION,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_DEPARTMENTS}/template",
        "departmentsTemplate",
        "An empty list to fill",
        _departments_template,
        File,
        media_type=CSV,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_DEPARTMENTS}/import",
        "importDepartments",
        "Look at a list, or take it over",
        _import_departments,
        ImportAnswer,
        query=ImportQuery,
        largest_file=MOST_BYTES,
    ),
)
