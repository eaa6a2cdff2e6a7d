"""An official account that says what a test tells it to: the other end of the chats on the phones page."""

import asyncio
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.settings import Settings
from tests.support.sandbox import RunningSandbox

JsonObject = dict[str, Any]


class LocalAccount:
    """Takes every callback with ``success`` and sends over WeChat's own platform API, as the product does."""

    def __init__(self, running: RunningSandbox) -> None:
        self._base_url = running.base_url
        self._settings: Settings = running.settings
        self._session = aiohttp.ClientSession()
        self._token = ""
        self._runner: web.AppRunner | None = None
        # While cleared, callbacks wait for their answer.
        self.answering = asyncio.Event()
        self.answering.set()

    async def start(self) -> str:
        """Serve the callback on a free port; gives its address."""
        app = web.Application()
        app.router.add_post("/callback", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        answer = await self._post_json(
            "/cgi-bin/stable_token",
            {
                "grant_type": "client_credential",
                "appid": self._settings.app_id,
                "secret": self._settings.app_secret,
            },
        )
        self._token = answer["access_token"]
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/callback"

    async def close(self) -> None:
        """Stop serving."""
        await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, _request: web.Request) -> web.Response:
        await self.answering.wait()
        return web.Response(text="success")

    async def _post_json(self, path: str, body: Any) -> JsonObject:
        async with self._session.post(
            self._base_url + path, params={"access_token": self._token}, json=body
        ) as response:
            answer: JsonObject = await response.json(content_type=None)
        assert not answer.get("errcode"), answer
        return answer

    async def send(self, openid: str, kind: str, part: JsonObject) -> None:
        """A customer-service message of WeChat's ``kind`` with its ``part`` of the body."""
        await self._post_json("/cgi-bin/message/custom/send", {"touser": openid, "msgtype": kind, kind: part})

    async def say(self, openid: str, text: str) -> None:
        """A text."""
        await self.send(openid, "text", {"content": text})

    async def offer(self, openid: str, head: str, items: dict[str, str], tail: str = "") -> None:
        """A msgmenu with items by id."""
        entries = [{"id": item_id, "content": text} for item_id, text in items.items()]
        await self.send(openid, "msgmenu", {"head_content": head, "list": entries, "tail_content": tail})

    async def card(self, openid: str, template_id: str, data: dict[str, str], url: str = "") -> None:
        """A template message."""
        values = {key: {"value": value} for key, value in data.items()}
        body = {"touser": openid, "template_id": template_id, "url": url, "data": values}
        await self._post_json("/cgi-bin/message/template/send", body)

    async def notify(self, openid: str, template_id: str, data: dict[str, str], page: str = "") -> None:
        """A subscribe notification; needs the person's consent."""
        values = {key: {"value": value} for key, value in data.items()}
        body = {"touser": openid, "template_id": template_id, "page": page, "data": values}
        await self._post_json("/cgi-bin/message/subscribe/bizsend", body)

    async def set_menu(self, buttons: list[JsonObject]) -> None:
        """The default menu."""
        await self._post_json("/cgi-bin/menu/create", {"button": buttons})

    async def show_typing(self, openid: str) -> None:
        """The typing indicator."""
        await self._post_json("/cgi-bin/message/custom/typing", {"touser": openid, "command": "Typing"})

    async def make_qr_code(self, scene: str) -> None:
        """A permanent QR code with a scene."""
        body = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}
        await self._post_json("/cgi-bin/qrcode/create", body)

    async def upload_picture(self, data: bytes) -> str:
        """Upload a picture; gives its media id."""
        form = aiohttp.FormData()
        form.add_field("media", data, filename="picture.png", content_type="image/png")
        query = {"access_token": self._token, "type": "image"}
        async with self._session.post(self._base_url + "/cgi-bin/media/upload", params=query, data=form) as response:
            answer: JsonObject = await response.json(content_type=None)
        media_id: str = answer["media_id"]
        return media_id
