"""The phones' HTTP API: what a user does and sees. Documented in docs/sandbox.md."""

import asyncio
import base64
import binascii

from aiohttp import web
from aiohttp.multipart import BodyPartReader

from sandbox.clock import iso
from sandbox.errors import JsonObject, bad_request, not_found
from sandbox.requests import (
    MAX_WAIT_SECONDS,
    json_response,
    number_field,
    number_query,
    read_body,
    read_part,
    text_field,
)
from sandbox.wechat import actions
from sandbox.wechat.account import Account
from sandbox.wechat.courier import Round
from sandbox.wechat.errors import WechatError
from sandbox.wechat.media import LIMITS, Medium, check_upload
from sandbox.wechat.phones import MAX_MESSAGES, MAX_NICKNAME, Phone
from sandbox.wechat.platform.calls import ACCOUNT

MAX_TEXT = 20_000
MAX_SCENE = 64
PICTURE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "bmp": "image/bmp"}

routes = web.RouteTableDef()


def _here(request: web.Request) -> tuple[Account, Phone]:
    account = request.app[ACCOUNT]
    return account, account.phones.get(request.match_info["openid"])


async def _answer(request: web.Request, turn: Round, more: JsonObject | None = None) -> web.Response:
    """The answer of an action; with ``?wait=reply`` only when its round is over."""
    finished = request.query.get("wait") == "reply"
    if finished and turn.task is not None:
        await asyncio.wait([turn.task])
    return json_response({**turn.to_json(finished), **(more or {})})


@routes.get("/api/phones")
async def list_phones(request: web.Request) -> web.Response:
    """All phones, a page at a time: ``?offset=&limit=``."""
    offset = int(number_query(request, "offset", 0, 0, 1e9))
    limit = int(number_query(request, "limit", 1000, 1, 10_000))
    phones = list(request.app[ACCOUNT].phones)[offset : offset + limit]
    return json_response([phone.to_json() for phone in phones])


@routes.post("/api/phones")
async def create_phone(request: web.Request) -> web.Response:
    """A new phone, or the one with the openid given."""
    body = await read_body(request)
    account = request.app[ACCOUNT]
    openid = text_field(body, "openid", 64, required=False) or None
    phone = account.phones.create(text_field(body, "nickname", MAX_NICKNAME), openid)
    if body.get("following") is True and not phone.following:
        phone.following, phone.followed_at = True, account.clock.now()
        account.phones.changed(phone)
    return json_response({"openid": phone.openid})


@routes.get("/api/phones/{openid}")
async def show_phone(request: web.Request) -> web.Response:
    """One phone."""
    _, phone = _here(request)
    return json_response(phone.to_json())


@routes.get("/api/phones/{openid}/messages")
async def list_messages(request: web.Request) -> web.Response:
    """Messages after a number; waits for the first one where asked to."""
    _, phone = _here(request)
    after = int(number_query(request, "after", 0, 0, 1e15))
    limit = int(number_query(request, "limit", MAX_MESSAGES, 1, MAX_MESSAGES))
    wait = number_query(request, "wait", 0, 0, MAX_WAIT_SECONDS)
    if wait:
        await phone.signal.wait_until(lambda: phone.last_seq > after, wait)
    return json_response([message.to_json() for message in phone.messages_after(after, limit)])


@routes.post("/api/phones/{openid}/follow")
async def follow(request: web.Request) -> web.Response:
    """Follow the account, with a scene where a QR code was scanned."""
    account, phone = _here(request)
    scene = text_field(await read_body(request), "scene", MAX_SCENE, required=False)
    return await _answer(request, actions.follow(account, phone, scene or None))


@routes.post("/api/phones/{openid}/unfollow")
async def unfollow(request: web.Request) -> web.Response:
    """Leave the account."""
    account, phone = _here(request)
    return await _answer(request, actions.unfollow(account, phone))


@routes.post("/api/phones/{openid}/text")
async def say(request: web.Request) -> web.Response:
    """Send a text."""
    account, phone = _here(request)
    text = text_field(await read_body(request), "text", MAX_TEXT)
    return await _answer(request, actions.say(account, phone, text))


@routes.post("/api/phones/{openid}/tap")
async def tap(request: web.Request) -> web.Response:
    """Tap an item of a message."""
    account, phone = _here(request)
    body = await read_body(request)
    seq = int(number_field(body, "message_seq", 1, 1e15))
    return await _answer(request, actions.tap(account, phone, seq, str(body.get("item", ""))))


@routes.get("/api/phones/{openid}/menu")
async def show_menu(request: web.Request) -> web.Response:
    """The menu that this phone shows: a conditional one by tag, else the default; no buttons where there is none."""
    account, phone = _here(request)
    menu = account.menus.resolve(phone.tag_ids) if phone.following else None
    return json_response({"button": menu.buttons if menu else [], "menuid": menu.id if menu else None})


@routes.post("/api/phones/{openid}/menu")
async def press_menu(request: web.Request) -> web.Response:
    """Press a button of the menu."""
    account, phone = _here(request)
    turn, target = actions.press_menu(account, phone, text_field(await read_body(request), "key", 1024))
    return await _answer(request, turn, target)


@routes.post("/api/phones/{openid}/scan")
async def scan(request: web.Request) -> web.Response:
    """Scan the QR code with a scene."""
    account, phone = _here(request)
    scene = text_field(await read_body(request), "scene", MAX_SCENE)
    return await _answer(request, actions.scan(account, phone, scene))


@routes.post("/api/phones/{openid}/image")
async def send_image(request: web.Request) -> web.Response:
    """Send a picture: multipart, the file in any field."""
    account, phone = _here(request)
    return await _answer(request, actions.send_image(account, phone, await _read_picture(request, account)))


async def _read_picture(request: web.Request, account: Account) -> Medium:
    if not request.content_type.startswith("multipart/"):
        raise bad_request("picture_missing", "请选择一张图片。")
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.filename:
                data = await read_part(part, LIMITS["image"])
                check_upload("image", part.filename, data)
                suffix = part.filename.rpartition(".")[2].lower()
                return account.media.add("image", PICTURE_TYPES[suffix], part.filename, data)
    except (ValueError, WechatError) as error:
        raise bad_request("picture_invalid", "图片要是 10 MB 以内的 png、jpg、gif 或 bmp 文件。") from error
    raise bad_request("picture_missing", "请选择一张图片。")


@routes.post("/api/phones/{openid}/voice")
async def send_voice(request: web.Request) -> web.Response:
    """Send a voice message: what was recognised, and the recording in base64 where there is one."""
    account, phone = _here(request)
    body = await read_body(request)
    try:
        recording = base64.b64decode(text_field(body, "media", 3 << 20, required=False), validate=True)
    except binascii.Error as error:
        raise bad_request("media_invalid", "录音要用 base64 编码。") from error
    recognition = text_field(body, "recognition", MAX_TEXT, required=False)
    return await _answer(request, actions.send_voice(account, phone, recognition, recording or None))


@routes.post("/api/phones/{openid}/location")
async def send_location(request: web.Request) -> web.Response:
    """Send a place."""
    account, phone = _here(request)
    body = await read_body(request)
    latitude, longitude = number_field(body, "lat", -90, 90), number_field(body, "lon", -180, 180)
    label = text_field(body, "label", 200, required=False)
    return await _answer(request, actions.send_location(account, phone, latitude, longitude, label))


@routes.post("/api/phones/{openid}/raw")
async def send_raw(request: web.Request) -> web.Response:
    """Deliver a callback of any kind."""
    account, phone = _here(request)
    fields = (await read_body(request)).get("fields")
    if not isinstance(fields, dict):
        raise bad_request("fields_invalid", "缺少 fields。")
    return await _answer(request, actions.send_raw(account, phone, fields))


@routes.post("/api/phones/{openid}/consent")
async def consent(request: web.Request) -> web.Response:
    """Answer whether a subscribe notification may come."""
    account, phone = _here(request)
    body = await read_body(request)
    template_id = text_field(body, "template_id", 64)
    return await _answer(request, actions.consent(account, phone, template_id, body.get("accept") is True))


@routes.post("/api/phones/{openid}/read")
async def mark_read(request: web.Request) -> web.Response:
    """Mark all messages up to a number as read."""
    account, phone = _here(request)
    seq = int(number_field(await read_body(request), "seq", 0, 1e15))
    if seq > phone.read_seq:
        phone.read_seq = min(seq, phone.last_seq)
        account.phones.changed(phone)
    return json_response({"unread": phone.unread(), "read_seq": phone.read_seq})


@routes.post("/api/phones/{openid}/login-code")
async def login_code(request: web.Request) -> web.Response:
    """A login code of the mini-program: five minutes, single use."""
    account, phone = _here(request)
    return json_response({"code": account.logins.issue(phone.openid)})


@routes.post("/api/phones/{openid}/interaction")
async def open_window(request: web.Request) -> web.Response:
    """Open the window for sending as a message or a click would, without any callback: for load tests."""
    account, phone = _here(request)
    kind = (await read_body(request)).get("kind")
    if kind == "message":
        phone.ledger.user_wrote(account.clock.now())
    elif kind == "action":
        phone.ledger.user_acted(account.clock.now())
    else:
        raise bad_request("field_invalid", "kind 只能是 message 或 action。")
    return json_response({"openid": phone.openid})


@routes.get("/api/media/{media_id}")
async def show_media(request: web.Request) -> web.Response:
    """A medium as the phones show it: also after its three days."""
    medium = request.app[ACCOUNT].media.kept.get(request.match_info["media_id"])
    if medium is None:
        raise not_found("media_unknown", "没有这个文件。")
    headers = {"Content-Type": medium.content_type, "X-Content-Type-Options": "nosniff"}
    headers |= {"Cache-Control": "max-age=86400", "Content-Security-Policy": "sandbox"}
    return web.Response(body=medium.data, headers=headers)


@routes.get("/api/qrcodes")
async def list_qr_codes(request: web.Request) -> web.Response:
    """The QR codes made, the newest first; ``?limit=``."""
    codes = request.app[ACCOUNT].qr_codes
    limit = int(number_query(request, "limit", 200, 1, 10_000))
    newest = list(codes.by_ticket.values())[::-1][:limit]
    url = request.app[ACCOUNT].public_url + "/cgi-bin/showqrcode?ticket="
    return json_response(
        [code.to_json() | {"expired": codes.is_expired(code), "picture_url": url + code.ticket} for code in newest]
    )


@routes.get("/api/account")
async def show_account(request: web.Request) -> web.Response:
    """The account that is played, and its templates. No secrets."""
    account = request.app[ACCOUNT]
    settings = account.settings

    return json_response(
        {
            "app_id": settings.app_id,
            "original_id": settings.original_id,
            "mini_app_id": settings.mini_app_id,
            "callback_url": account.courier.client.url,
            "public_url": account.public_url,
            "templates": [template.to_json() for template in account.templates.template.values()],
            "subscribe_templates": [
                template.to_json() | {"long_term": template.long_term}
                for template in account.templates.subscribe.values()
            ],
            "now": iso(account.clock.now()),
        }
    )


@routes.post("/api/callback")
async def set_callback(request: web.Request) -> web.Response:
    """Enter the callback address, as in WeChat's console, and have it answer the echo: ``{ok, status, answer}``."""
    account = request.app[ACCOUNT]
    body = await read_body(request)
    url = text_field(body, "url", 2048, required=False)
    if url:
        if not url.startswith(("http://", "https://")):
            raise bad_request("url_invalid", "回调地址要以 http:// 或 https:// 开头。")
        account.courier.client.url = url
    verified = await account.courier.verify() if body.get("verify", True) else {}
    return json_response({"url": account.courier.client.url, **verified})


@routes.post("/api/tokens/expire")
async def expire_tokens(request: web.Request) -> web.Response:
    """Let every access token run out now."""
    request.app[ACCOUNT].tokens.expire_all()
    return json_response({})
