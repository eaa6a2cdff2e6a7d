"""The same county as in the stories of the conversations."""

from tests.bot.flows.conftest import house
from tests.bot.flows.staff.conftest import County, county

__all__ = ["County", "county", "house"]
