"""A sandbox with a tiny product behind it, and a caller of its platform side."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.client import Phone, SandboxClient
from tests.support.echo_product import EchoProduct, running_product
from tests.support.sandbox import RunningSandbox, running_sandbox

SHORT_DEADLINE_SECONDS = 0.5


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker of this folder known."""
    config.addinivalue_line("markers", "impatient: the sandbox cuts a callback off after half a second")


class Platform:
    """Calls api.weixin.qq.com as a product does: with a stable token."""

    def __init__(self, running: RunningSandbox) -> None:
        self.client: SandboxClient = running.client
        self.settings = running.settings
        self.token = ""

    async def stable_token(self, force: bool = False, **changes: Any) -> Any:
        """The answer of /cgi-bin/stable_token."""
        body = {
            "grant_type": "client_credential",
            "appid": self.settings.app_id,
            "secret": self.settings.app_secret,
            "force_refresh": force,
        }
        return await self.client.call("POST", "/cgi-bin/stable_token", body | changes)

    async def post(self, path: str, body: Any) -> Any:
        """POST with the token."""
        return await self.client.call("POST", path, body, access_token=await self._token())

    async def get(self, path: str, **query: Any) -> Any:
        """GET with the token."""
        return await self.client.call("GET", path, access_token=await self._token(), **query)

    async def send(self, phone: Phone, kind: str = "text", **part: Any) -> int:
        """The errcode of a customer-service message."""
        body = {"touser": phone.openid, "msgtype": kind, kind: part or {"content": "您好"}}
        code: int = (await self.post("/cgi-bin/message/custom/send", body))["errcode"]
        return code

    async def tag(self, phone: Phone, name: str) -> int:
        """Give a phone a new tag; its id."""
        tag_id: int = (await self.post("/cgi-bin/tags/create", {"tag": {"name": name}}))["tag"]["id"]
        body = {"tagid": tag_id, "openid_list": [phone.openid]}
        assert (await self.post("/cgi-bin/tags/members/batchtagging", body))["errcode"] == 0
        return tag_id

    async def _token(self) -> str:
        self.token = self.token or (await self.stable_token())["access_token"]
        return self.token


@pytest.fixture
async def product() -> AsyncIterator[EchoProduct]:
    """A product that says back what it is told."""
    async with running_product() as running:
        yield running


@pytest.fixture
async def sandbox(request: pytest.FixtureRequest, product: EchoProduct) -> AsyncIterator[RunningSandbox]:
    """A sandbox that calls the product back.

    A test marked ``impatient`` has one that cuts off soon, so that redeliveries come soon too.
    """
    impatient = request.node.get_closest_marker("impatient") is not None
    deadline = {"reply_deadline_seconds": SHORT_DEADLINE_SECONDS} if impatient else {}
    async with running_sandbox(callback_url=product.url, **deadline) as running:
        yield running


@pytest.fixture
def platform(sandbox: RunningSandbox) -> Platform:
    """The platform side of the sandbox."""
    return Platform(sandbox)


@pytest.fixture
async def phone(sandbox: RunningSandbox) -> Phone:
    """A user who followed long ago."""
    return await sandbox.client.phone("王阿姨", following=True)
