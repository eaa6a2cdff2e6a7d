"""Areas: the regions that institutions lie in, townships mostly, for counts of many."""

from dataclasses import dataclass
from statistics import fmean

from sqlalchemy import select

from backend.people.context import PeopleContext
from backend.people.tables import Institution, Person


@dataclass(frozen=True)
class AreaView:
    """A region with a hospital or health centre; its place is the middle of theirs, in degrees, GCJ-02."""

    name: str
    latitude: float
    longitude: float


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
        places: dict[str, list[Institution]] = {}
        for row in rows:
            places.setdefault(row.region, []).append(row)
        return [
            AreaView(name, fmean(row.latitude for row in held), fmean(row.longitude for row in held))
            for name, held in places.items()
        ]

    async def area_of(self, person_id: str, institution_id: str) -> str:
        """Give the area that a person's case counts in: their own where that is one, else the institution's; "" where
        neither is known."""
        own = select(Institution.region).join(Person, Person.region == Institution.region)
        treated = select(Institution.region).where(Institution.id == institution_id)
        async with self._database.reading() as session:
            lives = await session.scalar(own.where(Person.id == person_id, Institution.kind != "pharmacy").limit(1))
            return lives or await session.scalar(treated) or ""
