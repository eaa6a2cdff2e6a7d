"""The XML of callbacks and passive replies.

Source: developers.weixin.qq.com, 公众号 / 接收普通消息, 接收事件推送, 被动回复用户消息.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.errors import JsonObject
from sandbox.wechat.crypto import CryptoError, SafeMode

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
TAG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_TEXT_BYTES = 2048


class AbnormalReplyError(ValueError):
    """A reply that WeChat does not understand; the user sees the notice that the account is out of service."""


@dataclass(frozen=True, slots=True)
class PassiveReply:
    """A passive reply: its WeChat kind, and its content in the words of the phone's messages."""

    kind: str
    content: JsonObject = field(default_factory=dict)


def cdata(text: str) -> str:
    """A CDATA section that holds any text: what XML 1.0 cannot hold is left out, ``]]>`` is split over two sections."""
    return f"<![CDATA[{NOT_XML.sub('', text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def render(fields: dict[str, Any]) -> str:
    """Callback fields as XML: numbers bare, texts in CDATA, objects nested, lists as repeated elements."""
    return f"<xml>{_render_fields(fields)}</xml>"


def _render_fields(fields: dict[str, Any]) -> str:
    parts = []
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                inner = _render_fields(item)
            elif isinstance(item, int):
                inner = str(item)
            else:
                inner = cdata(str(item))
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)


def seal(cipher: SafeMode, original_id: str, xml: str, timestamp: str, nonce: str) -> tuple[str, str]:
    """A callback body in safe mode, and its ``msg_signature``."""
    encrypted = cipher.encrypt(xml.encode())
    body = f"<xml><ToUserName>{cdata(original_id)}</ToUserName><Encrypt>{cdata(encrypted)}</Encrypt></xml>"
    return body, cipher.sign_message(timestamp, nonce, encrypted)


def open_reply(cipher: SafeMode, body: bytes, openid: str, original_id: str) -> PassiveReply | None:
    """The passive reply in an answer to a callback; None for ``success`` or nothing. Raises AbnormalReplyError."""
    if body.strip() in (b"", b"success"):
        return None
    outer = _parse(body)
    encrypted, given = _text(outer, "Encrypt"), _text(outer, "MsgSignature")
    try:
        cipher.check_message(given, _text(outer, "TimeStamp"), _text(outer, "Nonce"), encrypted)
        inner = _parse(cipher.decrypt(encrypted))
    except CryptoError as error:
        raise AbnormalReplyError(str(error)) from error
    if _text(inner, "ToUserName") != openid or _text(inner, "FromUserName") != original_id:
        raise AbnormalReplyError("addressee")
    return _read_reply(inner)


def _parse(body: bytes) -> Element:
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise AbnormalReplyError("not XML") from error
    if root.tag != "xml":
        raise AbnormalReplyError("root")
    return root


def _text(parent: Element, path: str) -> str:
    found = parent.findtext(path)
    if found is None:
        raise AbnormalReplyError(f"{path} is missing")
    return found


def _read_reply(root: Element) -> PassiveReply | None:
    kind = _text(root, "MsgType")
    _ = _text(root, "CreateTime")
    if kind == "transfer_customer_service":
        return None
    if kind == "text":
        text = _text(root, "Content")
        if not text or len(text.encode()) > MAX_TEXT_BYTES:
            raise AbnormalReplyError("Content")
        return PassiveReply("text", {"text": text})
    if kind in ("image", "voice"):
        return PassiveReply(kind, {"media_id": _text(root, f"{kind.capitalize()}/MediaId")})
    if kind == "music":
        music = root.find("Music")
        if music is None:
            raise AbnormalReplyError("Music")
        title, url = music.findtext("Title") or "", music.findtext("MusicUrl") or ""
        return PassiveReply("music", {"title": title, "description": music.findtext("Description") or "", "url": url})
    if kind == "news":
        return PassiveReply("news", {"articles": _read_articles(root)})
    raise AbnormalReplyError("MsgType")


def _read_articles(root: Element) -> list[JsonObject]:
    articles = [
        {
            "title": _text(item, "Title"),
            "description": item.findtext("Description") or "",
            "url": item.findtext("Url") or "",
            "pic_url": item.findtext("PicUrl") or "",
        }
        for item in root.findall("Articles/item")
    ]
    if not articles or str(len(articles)) != _text(root, "ArticleCount").strip():
        raise AbnormalReplyError("Articles")
    return articles
