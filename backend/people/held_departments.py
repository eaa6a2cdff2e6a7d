"""Which departments an institution has, and whether somebody may practise in one there. Reads, and decides nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.people.tables import InstitutionDepartment
from data.departments import departments

Held = Mapping[str, frozenset[str]]
"""The codes of its departments by the id of an institution; one that has told of none is not there."""


async def held_departments(session: AsyncSession, institution_ids: Collection[str] | None = None) -> Held:
    """Give the departments of these institutions, or of all."""
    query = select(InstitutionDepartment.institution_id, InstitutionDepartment.department_code)
    if institution_ids is not None:
        query = query.where(InstitutionDepartment.institution_id.in_(institution_ids))
    found: dict[str, set[str]] = defaultdict(set)
    for institution_id, code in await session.execute(query):
        found[institution_id].add(code)
    return {one: frozenset(codes) for one, codes in found.items()}


def lacks(held: Held, institution_id: str | None, code: str | None) -> str:
    """Give the sentence that an institution has not this department; empty where it has, or nobody has told of any."""
    codes = held.get(institution_id or "")
    if not code or not codes or code in codes:
        return ""
    return f"这家机构的科室表里没有{departments()[code].name}，请先在“人员机构”里给它加上这个科室"
