"""From what the bot says to WeChat's XML and JSON."""

import re
from typing import Any

from wechatpy.replies import ArticlesReply, TextReply

from bot.messages import Link, Menu, Message, Text

# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# WeChat makes links of <a …> in a text; our texts are plain words, and those of a stranger must not become links.
_ANCHOR = re.compile(r"<(?=\s*/?\s*a\b)", re.IGNORECASE)
_ITEM_ID_BYTES = 128


def plain(text: str) -> str:
    """Give `text` as WeChat shows it unchanged: without control characters, and with nothing that becomes a link."""
    return _ANCHOR.sub("＜", _NOT_XML.sub("", text))


def can_be_passive(message: Message, text_bytes: int) -> bool:
    """Tell whether `message` can be the direct answer of a callback: WeChat takes no menu there, and no long text."""
    if isinstance(message, Text):
        return 0 < len(plain(message.text).encode()) <= text_bytes and bool(plain(message.text).strip())
    return isinstance(message, Link)


def passive_xml(message: Message, openid: str, account: str, created_at: int) -> str:
    """Render the direct answer to a callback, not yet sealed.

    Raises:
        TypeError: this kind cannot be one (see `can_be_passive`).
    """
    values = {"source": account, "target": openid, "time": created_at}
    if isinstance(message, Text):
        return str(TextReply(content=_cdata(message.text), **values).render())
    if isinstance(message, Link):
        reply = ArticlesReply(**values)
        reply.add_article(
            {
                "title": _cdata(message.title),
                "description": _cdata(message.description),
                "image": _cdata(message.picture_url),
                "url": _cdata(message.url),
            }
        )
        return str(reply.render())
    raise TypeError(f"{type(message).__name__} cannot be a direct answer")


def _cdata(text: str) -> str:
    # wechatpy puts texts into CDATA as they are; "]]>" would end it.
    return plain(text).replace("]]>", "]]]]><![CDATA[>")


def customer_service(message: Message, openid: str, *, menus: bool, media_id: str = "") -> dict[str, Any]:
    """Give the body of a customer-service message.

    Args:
        menus: whether the account may send `msgmenu`; elsewhere its answers are numbered lines.
        media_id: of the uploaded picture, where the message is one.
    """
    if isinstance(message, Menu) and not menus:
        message = Text(message.as_text())
    body: dict[str, Any] = {"touser": openid}
    if isinstance(message, Text):
        return body | {"msgtype": "text", "text": {"content": plain(message.text)}}
    if isinstance(message, Menu):
        items = [{"id": choice.id[:_ITEM_ID_BYTES], "content": plain(choice.text)} for choice in message.choices]
        menu = {"head_content": plain(message.head), "list": items, "tail_content": plain(message.tail)}
        return body | {"msgtype": "msgmenu", "msgmenu": menu}
    if isinstance(message, Link):
        article = {
            "title": plain(message.title),
            "description": plain(message.description),
            "url": message.url,
            "picurl": message.picture_url,
        }
        return body | {"msgtype": "news", "news": {"articles": [article]}}
    return body | {"msgtype": "image", "image": {"media_id": media_id}}
