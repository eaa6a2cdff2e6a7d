"""One official account: all that WeChat knows of it, and what ends up on the phones of its users."""

import re
from html import unescape
from urllib.parse import unquote

from sandbox.clock import MovableClock
from sandbox.errors import JsonObject
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.stream import Stream
from sandbox.wechat.courier import Courier
from sandbox.wechat.envelope import PassiveReply
from sandbox.wechat.errors import WechatError
from sandbox.wechat.logins import Logins
from sandbox.wechat.media import MediaStore
from sandbox.wechat.menus import Menus
from sandbox.wechat.phones import Message, Phone, Phones
from sandbox.wechat.qr_codes import QrCodes
from sandbox.wechat.tags import Tags
from sandbox.wechat.templates import Templates
from sandbox.wechat.tokens import Tokens

OUT_OF_SERVICE = "该公众号暂时无法提供服务，请稍后再试"
MAX_ARTICLES_AFTER_EVENT = 8
# The clickable sentence inside a text. Source: 公众号 / 客服消息 (msgmenu), and the community's documented link form.
TEXT_ITEM = re.compile(
    r"""<a\s+href=["']weixin://bizmsgmenu\?msgmenucontent=([^"'&]*)&(?:amp;)?msgmenuid=([^"'&]*)["'][^>]*>(.*?)</a>""",
    re.DOTALL,
)


class Account:
    """The stores of one account, and the two ways in which something reaches a phone: reply and push."""

    def __init__(
        self, settings: Settings, clock: MovableClock, stream: Stream, journal: Journal, faults: Faults
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.stream = stream
        self.journal = journal
        self.faults = faults
        self.public_url = settings.public_url
        self.courier = Courier(settings, clock, journal, faults, self.show_reply)
        self.clear()

    def clear(self) -> None:
        """Start anew: an account without users, menus, tags, codes and media."""
        self.phones = Phones(self.clock, self.stream)
        self.tokens = Tokens(self.clock)
        self.menus = Menus()
        self.tags = Tags()
        self.templates = Templates(self.clock)
        self.media = MediaStore(self.clock)
        self.qr_codes = QrCodes(self.clock)
        self.logins = Logins(self.clock)
        self.web_codes = Logins(self.clock)

    def media_url(self, media_id: str) -> str:
        """Where a phone loads a medium from."""
        return f"{self.public_url}/api/media/{media_id}"

    def push(self, phone: Phone, kind: str, content: JsonObject) -> Message:
        """Show a message that the product sent through the platform."""
        phone.ledger.stop_typing()
        return self.phones.add_message(phone, "account", kind, with_items(kind, content), via="push")

    def show_reply(self, phone: Phone, reply: PassiveReply | None, after_message: bool) -> Message:
        """Show a passive reply, or the notice where it is None or makes no sense."""
        phone.ledger.stop_typing()
        content = self._content(reply, after_message) if reply else None
        if reply is None or content is None:
            return self.phones.add_message(phone, "system", "notice", {"text": OUT_OF_SERVICE}, via="reply")
        return self.phones.add_message(phone, "account", reply.kind, with_items(reply.kind, content), via="reply")

    def media_content(self, kind: str, media_id: object) -> JsonObject:
        """The content of a bubble with a medium; raises 40007 when it is unknown, too old or of another kind."""
        medium = self.media.get(media_id)
        if medium.kind != kind:
            raise WechatError(40007)
        return {"media_id": medium.media_id, "url": self.media_url(medium.media_id)}

    def _content(self, reply: PassiveReply, after_message: bool) -> JsonObject | None:
        """The content of the bubble of a reply; None where WeChat would not show it."""
        if reply.kind in ("image", "voice"):
            try:
                return self.media_content(reply.kind, reply.content["media_id"])
            except WechatError:
                return None
        if reply.kind == "news":
            articles = reply.content["articles"]
            if len(articles) > (1 if after_message else MAX_ARTICLES_AFTER_EVENT):
                return None
            return {**articles[0], **({"articles": articles} if len(articles) > 1 else {})}
        return reply.content


def with_items(kind: str, content: JsonObject) -> JsonObject:
    """The content of a text with the tappable sentences in it listed as ``items``."""
    if kind != "text" or "weixin://bizmsgmenu" not in content["text"]:
        return content
    items = [
        {"id": unquote(menu_id), "text": unescape(label), "content": unquote(unescape(sent))}
        for sent, menu_id, label in TEXT_ITEM.findall(content["text"])
    ]
    return {**content, "items": items} if items else content
