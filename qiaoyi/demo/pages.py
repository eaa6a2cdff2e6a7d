"""What a page behind a card does when somebody opens it: it learns who they are."""

from dataclasses import dataclass

import aiohttp
from yarl import URL

from qiaoyi.demo.cast import Person
from sandbox.client import Message


@dataclass
class Page:
    """A page that a person has opened: its API, and who they are to it."""

    api: URL
    name: str
    headers: dict[str, str]


async def opened(http: aiohttp.ClientSession, person: Person, card: Message) -> Page:
    """Open the page behind a card as this person."""
    page = URL(card.raw["url"])
    api = page.origin() / "api/v1"
    async with http.get(api / "web-login", params={"path": page.path}) as answer:
        asked = await answer.json()
    landed = URL(await person.phone.open(asked["url"]))
    session = {**landed.query, "path": landed.path}
    async with http.post(api / "web-session", json=session) as answer:
        headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
    return Page(api, page.name, headers)
