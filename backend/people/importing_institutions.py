"""A list of institutions from the office becomes part of the directory: looked at first, then written."""

import re
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select

from backend.ids import new_id
from backend.people import rules
from backend.people.directory import Directory
from backend.people.import_rows import ImportPreview, ImportRow, mark_twice, said_in
from backend.people.tables import Institution
from backend.security.policy import Action, Actor, require
from data.insurance import Level

INSTITUTION_COLUMNS = {
    "机构编码": "code",
    "机构名称": "name",
    "类别": "kind",
    "等级": "level",
    "地区": "region",
    "地址": "address",
    "纬度": "latitude",
    "经度": "longitude",
    "医保机构编码": "insurance_code",
}
"""Headings of the table and what stands under them; the place and the insurers' code may be left out."""

KIND_NAMES = {"township": "乡镇卫生院", "tertiary": "上级医院", "pharmacy": "药店"}
LEVEL_NAMES: dict[Level, str] = {"primary": "一级", "secondary": "二级", "tertiary": "三级"}
_OPTIONAL = {"纬度", "经度", "医保机构编码"}
_KINDS = {name: code for code, name in KIND_NAMES.items()}
_LEVELS = {name: code for code, name in LEVEL_NAMES.items()}
_CODE = re.compile(r"[0-9A-Za-z-]{1,32}")


class ImportingInstitutions(Directory):
    """The part of `PeopleService` about lists of institutions."""

    async def import_institutions(self, actor: Actor, table: Sequence[Sequence[str]], *, write: bool) -> ImportPreview:
        """Check a table, and write it where that is wanted and every row is right: all of it or nothing.

        Whatever has the code already is changed. A place or an insurers' code that is not said leaves what is known.

        Raises:
            Forbidden: the actor does not manage the directory of the platform.
            InvalidInput: a heading is missing or there is no row.
        """
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY)
        said = said_in(table, INSTITUTION_COLUMNS, _OPTIONAL, "表里还没有机构，请从第二行开始填写。")
        rows = [_read_row(line, cells) for line, cells in said]
        async with self._database.transaction() as session:
            _compare(rows, list(await session.scalars(select(Institution))))
            if not write or any(row.faults for row in rows):
                return ImportPreview(rows, written=False)
            for row in rows:
                await self.put_institution(actor, row.values.pop("id"), **row.values)
        return ImportPreview(rows, written=True)


def _read_row(line: int, said: Mapping[str, str]) -> ImportRow:
    row = ImportRow(line, said["机构名称"])
    row.values = {
        "code": row.take("机构编码", said["机构编码"], _code, "要1到32位数字、字母或“-”"),
        "name": row.take("机构名称", said["机构名称"], lambda text: _text(text, 64), "要填，最多64个字"),
        "kind": row.take("类别", said["类别"], _KINDS.get, f"要填：{'、'.join(_KINDS)}"),
        "level": row.take("等级", said["等级"], _LEVELS.get, f"要填：{'、'.join(_LEVELS)}"),
        "region": row.take("地区", said["地区"], lambda text: _text(text, 64), "要填，最多64个字，比如 青岚县石桥镇"),
        "address": row.take("地址", said["地址"], lambda text: _text(text, 128), "要填，最多128个字"),
        "latitude": None,
        "longitude": None,
        "insurance_code": "",
    }
    if said["纬度"] or said["经度"]:
        # China reaches from 3 to 54 degrees north and from 73 to 136 degrees east: it finds the two exchanged.
        row.values["latitude"] = row.take("纬度", said["纬度"], _between(3, 54), "要填3到54之间的度数，比如 28.6147")
        row.values["longitude"] = row.take(
            "经度", said["经度"], _between(73, 136), "要填73到136之间的度数，比如 114.8216"
        )
    if said["医保机构编码"]:
        row.values["insurance_code"] = row.take(
            "医保机构编码", said["医保机构编码"], _insurance_code, "要1个字母加11位数字"
        )
    return row


def _compare(rows: Sequence[ImportRow], known: Sequence[Institution]) -> None:
    """Find what is known, and what stands there twice."""
    mark_twice(rows, "机构编码", "code", "表里有两行是同一个编码")
    mark_twice(rows, "医保机构编码", "insurance_code", "表里有两行是同一个医保编码")
    by_code = {one.code: one for one in known}
    insured = {one.insurance_code: one.code for one in known if one.insurance_code}
    for row in rows:
        values = row.values
        before = by_code.get(values["code"])
        row.is_new = before is None
        values["id"] = before.id if before else new_id()
        if insured.get(values["insurance_code"], values["code"]) != values["code"]:
            row.faults.append(("医保机构编码", "这个医保编码已经是别的机构的"))
        if before is not None:
            values["insurance_code"] = values["insurance_code"] or before.insurance_code or ""
            if values["latitude"] is None and not row.faults:
                values["latitude"], values["longitude"] = before.latitude, before.longitude


def _code(text: str) -> str | None:
    return text if _CODE.fullmatch(text) else None


def _text(text: str, longest: int) -> str | None:
    return text if 0 < len(text) <= longest else None


def _insurance_code(text: str) -> str | None:
    return text if rules.INSURANCE_CODE.fullmatch(text) else None


def _between(least: float, most: float) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        degrees = float(text)
        return degrees if least <= degrees <= most else None

    return read
