"""Loads the invented people of the demonstration into the house."""

from backend.seed import seed
from qiaoyi.house import House


async def seed_house(house: House) -> None:
    """Load them; what is there already is left alone."""
    await seed(house.database, house.people, house.scheduling)
