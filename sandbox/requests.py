"""Reading requests to the sandbox's own API: every field checked, every error with a code and a sentence."""

import json
from typing import Any

from aiohttp import web
from aiohttp.multipart import BodyPartReader

from sandbox.errors import JsonObject, bad_request

MAX_WAIT_SECONDS = 60.0
MAX_BODY_BYTES = 16 << 20


async def read_body(request: web.Request) -> JsonObject:
    """The JSON object in the body; an empty body is an empty object."""
    try:
        raw = await request.text()
        body = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError) as error:
        raise bad_request("body_invalid", "请求内容不是 JSON。") from error
    if not isinstance(body, dict):
        raise bad_request("body_invalid", "请求内容要是一个 JSON 对象。")
    return body


async def read_part(part: BodyPartReader, limit: int) -> bytes:
    """The bytes of a file in a multipart body, at most one more than ``limit``: the caller sees that it is too much."""
    data = bytearray()
    while len(data) <= limit and (chunk := await part.read_chunk(1 << 16)):
        data += chunk
    return bytes(data[: limit + 1])


def text_field(body: JsonObject, name: str, limit: int, *, required: bool = True) -> str:
    """A text of at most ``limit`` characters; empty only where it is not required."""
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value) or len(value) > limit:
        raise bad_request("field_invalid", f"{name} 要是 1 到 {limit} 个字的文字。")
    return value


def number_field(body: JsonObject, name: str, low: float, high: float) -> float:
    """A number within bounds."""
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise bad_request("field_invalid", f"{name} 要是 {low:g} 到 {high:g} 的数。")
    return float(value)


def number_query(request: web.Request, name: str, default: float, low: float, high: float) -> float:
    """A number of the query string within bounds."""
    text = request.query.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise bad_request("query_invalid", f"参数 {name} 要是 {low:g} 到 {high:g} 的数。")
    return value


def json_response(content: Any, status: int = 200) -> web.Response:
    """JSON, readable as it is."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        body=text.encode(errors="replace"), status=status, content_type="application/json", charset="utf-8"
    )
