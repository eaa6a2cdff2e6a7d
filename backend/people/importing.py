"""A list of doctors, experts and pharmacists from the office becomes practitioners: looked at first, then written."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from sqlalchemy import select

from backend.db import key_ring
from backend.ids import new_id
from backend.people import rules
from backend.people.directory import managed_by
from backend.people.held_departments import Held, held_departments, lacks
from backend.people.import_rows import ImportPreview, ImportRow, mark_twice, said_in
from backend.people.institution_departments import InstitutionDepartments, department_named
from backend.people.roster import Roster
from backend.people.tables import Institution, Practitioner
from backend.security.policy import Action, Actor, Relation, Role, allowed, granted, require

T = TypeVar("T")

COLUMNS = {
    "姓名": "name",
    "角色": "role",
    "机构编码": "institution",
    "科室": "department",
    "职称": "title",
    "执业证书编号": "licence_number",
    "执业证书有效期": "licence_expires_on",
    "开始执业年份": "practising_since",
    "擅长疾病": "icd10",
}
"""Headings of the table and what stands under them; the licence's end and the diseases may be left out."""

_OPTIONAL = {"执业证书有效期", "擅长疾病"}
_ROLES = {"基层医生": Role.GRASSROOTS_DOCTOR, "专家": Role.EXPERT, "药师": Role.PHARMACIST}
_LICENCE = re.compile(r"[0-9A-Za-z]{6,30}")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class Importing(Roster, InstitutionDepartments):
    """The part of `PeopleService` about lists from the office."""

    async def import_practitioners(self, actor: Actor, table: Sequence[Sequence[str]], *, write: bool) -> ImportPreview:
        """Check a table, and write it where that is wanted and every row is right: all of it or nothing.

        Whoever has the licence number already is changed. The same table twice changes nothing.

        Raises:
            Forbidden: the actor manages no directory.
            InvalidInput: a heading is missing or there is no row.
        """
        mine = actor.institution_id if Relation.ANY not in granted(actor, Action.PEOPLE_MANAGE_DIRECTORY) else None
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=mine)
        async with self._database.transaction() as session:
            institutions = {row.code: row.id for row in await session.scalars(select(Institution))}
            said = said_in(table, COLUMNS, _OPTIONAL, "表里还没有人，请从第二行开始填写。")
            held = await held_departments(session)
            rows = [self._read_row(line, cells, institutions, held) for line, cells in said]
            await self._compare(actor, rows)
            if not write or any(row.faults for row in rows):
                return ImportPreview(rows, written=False)
            for row in rows:
                await self.put_practitioner(actor, row.values.pop("id"), **row.values)
        return ImportPreview(rows, written=True)

    def _read_row(self, line: int, said: Mapping[str, str], institutions: Mapping[str, str], held: Held) -> ImportRow:
        row = ImportRow(line, said["姓名"])

        def take(heading: str, read: Callable[[str], T | None], sentence: str) -> T | None:
            return row.take(heading, said[heading], read, sentence)

        role = take("角色", _ROLES.get, "要填：基层医生、专家或药师")
        row.values = {
            "name": take("姓名", rules.valid_name, "不像一个姓名"),
            "role": role,
            "institution_id": take("机构编码", institutions.get, "没有这个编码的机构"),
            "department_code": take("科室", lambda text: _department(text, role), "没有这个科室"),
            "title": take("职称", lambda text: _title(text, role), "没有这个职称，或与角色不符"),
            "licence_number": take("执业证书编号", _licence, "要6到30位数字或字母"),
            "practising_since": take("开始执业年份", self._year, "要填四位年份，比如 2005"),
            "icd10": take("擅长疾病", _codes, "要填 ICD-10 编码，用顿号分开，比如 I10-I15、E11"),
        }
        lacking = lacks(held, row.values["institution_id"], row.values["department_code"])
        if lacking:
            row.faults.append(("科室", lacking))
        if said["执业证书有效期"]:
            row.values["licence_expires_on"] = take("执业证书有效期", _date, "日期要写成 2027-12-31")
        return row

    async def _compare(self, actor: Actor, rows: Sequence[ImportRow]) -> None:
        """Find who is known, who stands there twice, and who belongs to others."""
        numbers = [row.values["licence_number"] or "" for row in rows]
        mark_twice(rows, "执业证书编号", "licence_number", "表里有两行是同一个编号")
        held = await self._known(numbers)
        for row, number in zip(rows, numbers, strict=True):
            before = held.get(number)
            row.is_new = before is None
            row.values["id"] = before.id if before else new_id()
            if before is not None:
                row.values |= {"on_call": before.on_call, "active": before.active}
            place = row.values["institution_id"]
            allowed_there = place is None or allowed(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=place)
            if not allowed_there:
                row.faults.append(("机构编码", "这不是您管理的机构"))
            elif before is not None and not _manages(actor, before):
                row.faults.append(("执业证书编号", "这个编号属于别的机构的人，请联系平台管理员"))

    async def _known(self, numbers: Sequence[str]) -> dict[str, Practitioner]:
        ring = key_ring()
        indexes = {ring.blind_index(number, "practitioners.licence_number"): number for number in numbers if number}
        async with self._database.reading() as session:
            found = await session.scalars(select(Practitioner).where(Practitioner.licence_number_index.in_(indexes)))
            return {indexes[row.licence_number_index]: row for row in found}

    def _year(self, text: str) -> int | None:
        year = int(text)
        return year if 1940 <= year <= self._today().year else None


def _manages(actor: Actor, before: Practitioner) -> bool:
    place = managed_by(Role(before.role), before.institution_id)
    return allowed(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=place)


def _department(text: str, role: Role | None) -> str | None:
    if role is Role.PHARMACIST and not text:
        return ""
    return department_named(text)


def _title(text: str, role: Role | None) -> str | None:
    known = rules.PHARMACIST_TITLES if role is Role.PHARMACIST else tuple(rules.TITLE_RANKS)
    return text if text in known else None


def _licence(text: str) -> str | None:
    return text if _LICENCE.fullmatch(text) else None


def _codes(text: str) -> list[str]:
    codes = [part.strip().upper() for part in re.split(r"[、,，;；\s]+", text) if part.strip()]
    for code in codes:
        rules.icd10_span(code)
    return codes


def _date(text: str) -> date | None:
    found = _DATE.fullmatch(text)
    return date(int(found[1]), int(found[2]), int(found[3])) if found else None
