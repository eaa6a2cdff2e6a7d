"""Areas: the regions that institutions lie in, townships mostly, for counts of many."""

from dataclasses import dataclass
from statistics import fmean

from sqlalchemy import select

from backend.people.context import PeopleContext
from backend.people.tables import Institution, Person


@dataclass(frozen=True)
class AreaView:
    """A region with a hospital or health centre; `place` is the middle of theirs as (latitude, longitude) in degrees,
    GCJ-02, None where none of them is known."""

    name: str
    place: tuple[float, float] | None


class Areas(PeopleContext):
    """The part of `PeopleService` about areas; none of it tells who anybody is, so no policy is asked."""

    async def areas(self) -> list[AreaView]:
        """List the areas by their names."""
        query = (
            select(Institution)
            .where(Institution.kind != "pharmacy", Institution.region != "")
            .order_by(Institution.region)
        )
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        places: dict[str, list[tuple[float, float]]] = {}
        for row in rows:
            known = places.setdefault(row.region, [])
            if row.latitude is not None and row.longitude is not None:
                known.append((row.latitude, row.longitude))
        return [AreaView(name, _middle(known) if known else None) for name, known in places.items()]

    async def area_of(self, person_id: str, institution_id: str) -> str:
        """Give the area that a person's case counts in: their own where that is one, else the institution's; "" where
        neither is known."""
        own = select(Institution.region).join(Person, Person.region == Institution.region)
        treated = select(Institution.region).where(Institution.id == institution_id)
        async with self._database.reading() as session:
            lives = await session.scalar(own.where(Person.id == person_id, Institution.kind != "pharmacy").limit(1))
            return lives or await session.scalar(treated) or ""


def _middle(places: list[tuple[float, float]]) -> tuple[float, float]:
    return fmean(latitude for latitude, _ in places), fmean(longitude for _, longitude in places)
