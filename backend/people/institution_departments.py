"""The departments of institutions: set by hand, or added by a list from the office that is looked at first."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, select

from backend.errors import InvalidInput
from backend.people.directory import Directory
from backend.people.held_departments import held_departments
from backend.people.import_rows import ImportPreview, ImportRow, said_in
from backend.people.tables import Institution, InstitutionDepartment, Practitioner
from backend.security.policy import Action, Actor, Relation, allowed, granted, require
from data.departments import departments

DEPARTMENT_COLUMNS = {"机构编码": "institution", "科室": "department"}
"""Headings of the table: a row is a department of an institution."""


class InstitutionDepartments(Directory):
    """The part of `PeopleService` about the departments of institutions.

    An institution that has told of none takes practitioners of any department, as before it was asked.
    """

    async def departments_of(self, institution_ids: Collection[str]) -> dict[str, list[str]]:
        """Give the codes of the departments of institutions, in the order of the catalogue; one that has told of none
        is left out."""
        async with self._database.reading() as session:
            held = await held_departments(session, institution_ids)
        return {one: [code for code in departments() if code in codes] for one, codes in held.items()}

    async def set_departments(self, actor: Actor, institution_id: str, codes: Collection[str]) -> None:
        """Say which departments an institution has; an empty list says that nobody has told.

        Raises:
            Forbidden: the actor does not manage this institution. NotFound: there is no such institution.
            InvalidInput: there is no such department, or somebody practises in one that would go.
        """
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=institution_id)
        await self.institution(institution_id)
        wanted = set(codes)
        if not wanted <= departments().keys():
            raise InvalidInput("没有这个科室，请从表里选。", field="departments")
        async with self._database.transaction() as session:
            held = (await held_departments(session, [institution_id])).get(institution_id, frozenset())
            if wanted == held:
                return
            if wanted:
                query = select(Practitioner.department_code, func.count()).where(
                    Practitioner.institution_id == institution_id,
                    Practitioner.active,
                    Practitioner.department_code.not_in([*wanted, ""]),
                )
                left = (await session.execute(query.group_by(Practitioner.department_code))).all()
                if left:
                    named = "、".join(f"{departments()[code].name}（{count}人）" for code, count in left)
                    raise InvalidInput(f"这些科室还有在职的人，不能去掉：{named}。", field="departments")
            mine = InstitutionDepartment.institution_id == institution_id
            await session.execute(delete(InstitutionDepartment).where(mine))
            session.add_all(
                InstitutionDepartment(institution_id=institution_id, department_code=code) for code in sorted(wanted)
            )
            await self._note(session, actor, institution_id)

    async def import_departments(self, actor: Actor, table: Sequence[Sequence[str]], *, write: bool) -> ImportPreview:
        """Check a table of departments, and add them where that is wanted and every row is right: all of it or nothing.

        A table takes none away: what is not in it stays. The same table twice changes nothing.

        Raises:
            Forbidden: the actor manages no directory. InvalidInput: a heading is missing or there is no row.
        """
        mine = actor.institution_id if Relation.ANY not in granted(actor, Action.PEOPLE_MANAGE_DIRECTORY) else None
        require(actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=mine)
        async with self._database.transaction() as session:
            known = {row.code: row for row in await session.scalars(select(Institution))}
            held = await held_departments(session)
            said = said_in(table, DEPARTMENT_COLUMNS, (), "表里还没有科室，请从第二行开始填写。")
            rows = [_read_row(line, cells, known) for line, cells in said]
            _compare(actor, rows, held)
            if not write or any(row.faults for row in rows):
                return ImportPreview(rows, written=False)
            added = [row.values for row in rows if row.is_new]
            session.add_all(InstitutionDepartment(**values) for values in added)
            for institution_id in {values["institution_id"] for values in added}:
                await self._note(session, actor, institution_id)
        return ImportPreview(rows, written=True)


def _read_row(line: int, said: Mapping[str, str], known: Mapping[str, Institution]) -> ImportRow:
    held = known.get(said["机构编码"])
    row = ImportRow(line, f"{held.name if held else said['机构编码']} {said['科室']}".strip())
    row.values = {
        "institution_id": row.take("机构编码", said["机构编码"], lambda code: known[code].id, "没有这个编码的机构"),
        "department_code": row.take(
            "科室", said["科室"], department_named, "没有这个科室，要写诊疗科目里的名称，比如 心血管内科"
        ),
    }
    return row


def _compare(actor: Actor, rows: Sequence[ImportRow], held: Mapping[str, frozenset[str]]) -> None:
    """Find what is known already, what stands there twice, and what belongs to others."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        institution_id, code = row.values["institution_id"], row.values["department_code"]
        if institution_id is not None and not allowed(
            actor, Action.PEOPLE_MANAGE_DIRECTORY, institution_id=institution_id
        ):
            row.faults.append(("机构编码", "这不是您管理的机构"))
        if (institution_id, code) in seen:
            row.faults.append(("科室", "这家机构的这个科室在前面写过了"))
        elif institution_id and code:
            seen.add((institution_id, code))
        row.is_new = code not in held.get(institution_id or "", frozenset())


def department_named(text: str) -> str | None:
    """Give the code of the department of this name, or other name; None where there is none."""
    return next((code for code, one in departments().items() if text in (one.name, *one.aliases)), None)
