"""Institutions: lists of them from the office."""

import asyncio

from backend.people import read_table
from backend.people.importing_institutions import INSTITUTION_COLUMNS
from backend.people.office_tables import MOST_BYTES
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.staff import ImportAnswer, ImportQuery, import_answer
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File

_PATH = "/console/api/institutions"
_EXAMPLE = (
    *("QL-T07", "青岚县示例镇卫生院", "乡镇卫生院", "一级", "青岚县示例镇", "示例镇中心街1号"),
    *("28.6147", "114.8216", "H99990100009"),
)


async def _template(_call: ConsoleCall) -> File:
    return csv_file("机构导入模板.csv", tuple(INSTITUTION_COLUMNS), [_EXAMPLE])


async def _import(call: ConsoleCall) -> ImportAnswer:
    table = await asyncio.to_thread(read_table, call.body)
    return import_answer(await call.context.people.import_institutions(call.actor, table, write=call.query.write))


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
)
