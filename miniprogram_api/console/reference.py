"""Names of institutions and departments, and the part of the directory that somebody may choose from."""

from backend.people import InstitutionView
from backend.security.policy import Action, Actor, Relation, granted
from data.departments import departments
from miniprogram_api.console.endpoint import ConsoleContext

_PAGE = 100


async def institutions(context: ConsoleContext, actor: Actor) -> list[InstitutionView]:
    """Give the institutions whose cases and figures the actor may see: all, or their own."""
    if Relation.ANY not in granted(actor, Action.ANALYTICS_READ):
        return [await context.people.institution(actor.institution_id)] if actor.institution_id else []
    found: list[InstitutionView] = []
    while True:
        page = await context.people.institutions(limit=_PAGE, offset=len(found))
        found += page
        if len(page) < _PAGE:
            return found


async def chosen(
    context: ConsoleContext, actor: Actor, institution_id: str | None, region: str | None
) -> list[str] | None:
    """Give the institutions that a filter names; None where it names none."""
    if institution_id is not None:
        return [institution_id]
    if region:
        return [one.id for one in await institutions(context, actor) if one.region == region]
    return None


def department_name(code: str) -> str:
    """Give the name of a department."""
    held = departments().get(code)
    return held.name if held else code
