"""Customer-service messages and the typing indicator.

Source: developers.weixin.qq.com, 公众号 / 客服消息 (发送客服消息, 客服输入状态).
"""

from collections.abc import Callable
from typing import Any

from sandbox.errors import JsonObject
from sandbox.wechat.account import Account
from sandbox.wechat.envelope import MAX_TEXT_BYTES
from sandbox.wechat.errors import WechatError
from sandbox.wechat.platform.calls import OK, Call, Endpoint


def _bounded(text: Any) -> str:
    if not isinstance(text, str) or not text:
        raise WechatError(44004)
    if len(text.encode(errors="replace")) > MAX_TEXT_BYTES:
        raise WechatError(45002)
    return text


def _text(_account: Account, part: JsonObject) -> JsonObject:
    return {"text": _bounded(part.get("content"))}


def _media(kind: str) -> Callable[[Account, JsonObject], JsonObject]:
    return lambda account, part: account.media_content(kind, part.get("media_id"))


def _news(_account: Account, part: JsonObject) -> JsonObject:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles:
        raise WechatError(44003)
    if len(articles) > 1:
        raise WechatError(45008)
    article = articles[0]
    if not isinstance(article, dict) or not isinstance(article.get("title"), str):
        raise WechatError(47001)
    texts = {name: str(article.get(name) or "") for name in ("title", "description", "url")}
    return {**texts, "pic_url": str(article.get("picurl") or "")}


def _message_menu(_account: Account, part: JsonObject) -> JsonObject:
    entries = part.get("list")
    if not isinstance(entries, list) or not entries:
        raise WechatError(44004)
    items = []
    for entry in entries:
        if not isinstance(entry, dict) or not str(entry.get("id") or ""):
            raise WechatError(47001)
        items.append({"id": str(entry["id"]), "text": _bounded(entry.get("content"))})
    head, tail = str(part.get("head_content") or ""), str(part.get("tail_content") or "")
    if len((head + tail + "".join(item["text"] for item in items)).encode(errors="replace")) > MAX_TEXT_BYTES:
        raise WechatError(45002)
    return {"text": head, "items": items, "tail": tail}


def _mini_program_page(account: Account, part: JsonObject) -> JsonObject:
    medium = account.media.get(part.get("thumb_media_id"))
    texts = {name: str(part.get(name) or "") for name in ("title", "appid", "pagepath")}
    if not all(texts.values()):
        raise WechatError(44004)
    return {**texts, "pic_url": account.media_url(medium.media_id)}


# WeChat's kind -> the phone's kind, and how its part of the body becomes the content of the bubble
KINDS: dict[str, tuple[str, Callable[[Account, JsonObject], JsonObject]]] = {
    "text": ("text", _text),
    "image": ("image", _media("image")),
    "voice": ("voice", _media("voice")),
    "news": ("news", _news),
    "msgmenu": ("menu", _message_menu),
    "miniprogrampage": ("miniprogrampage", _mini_program_page),
}


def send(call: Call) -> JsonObject:
    """POST /cgi-bin/message/custom/send."""
    phone = call.follower()
    wechat_kind = str(call.body.get("msgtype") or "")
    if wechat_kind not in KINDS:
        raise WechatError(40008)
    part = call.body.get(wechat_kind)
    if not isinstance(part, dict):
        raise WechatError(44002)
    kind, build = KINDS[wechat_kind]
    content = build(call.account, part)
    phone.ledger.spend(call.account.clock.now())
    call.account.push(phone, kind, content)
    return OK


def typing(call: Call) -> JsonObject:
    """POST /cgi-bin/message/custom/typing."""
    phone = call.follower()
    command = call.body.get("command")
    if command == "Typing":
        phone.ledger.start_typing(call.account.clock.now())
    elif command == "CancelTyping":
        phone.ledger.stop_typing()
    else:
        raise WechatError(47001)
    call.account.stream.publish({"openid": phone.openid, "typing": command == "Typing"})
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/message/custom/send", send),
    Endpoint("/cgi-bin/message/custom/typing", typing),
]
