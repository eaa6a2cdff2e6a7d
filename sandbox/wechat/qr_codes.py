"""QR codes with a scene. Source: developers.weixin.qq.com, 公众号 / 生成带参数的二维码."""

import io
import secrets
from dataclasses import dataclass, field
from typing import Any

import segno

from sandbox.clock import MovableClock, iso
from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError

MAX_EXPIRE_SECONDS = 30 * 86400
DEFAULT_EXPIRE_SECONDS = 60
MAX_PERMANENT = 100_000
MAX_KEPT = 200_000
MAX_SCENE_CHARACTERS = 64


@dataclass(slots=True)
class QrCode:
    """A code; ``expires_at`` None for a permanent one."""

    scene: str
    ticket: str
    url: str
    created_at: float
    expires_at: float | None

    def to_json(self) -> JsonObject:
        """The code as the sandbox's API lists it."""
        return {
            "scene": self.scene,
            "ticket": self.ticket,
            "url": self.url,
            "created_at": iso(self.created_at),
            "expires_at": iso(self.expires_at) if self.expires_at else None,
        }


def _scene(action: str, info: Any) -> str:
    scene = info.get("scene") if isinstance(info, dict) else None
    if not isinstance(scene, dict):
        raise WechatError(40053)
    if action.endswith("STR_SCENE"):
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= MAX_SCENE_CHARACTERS:
            raise WechatError(40053)
        return text
    number = scene.get("scene_id")
    highest = 100_000 if "LIMIT" in action else 2**32 - 1
    if not isinstance(number, int) or not 1 <= number <= highest:
        raise WechatError(40053)
    return str(number)


@dataclass(slots=True)
class QrCodes:
    """The codes made so far, by ticket and by scene (the last one made for a scene)."""

    clock: MovableClock
    by_ticket: dict[str, QrCode] = field(default_factory=dict)
    by_scene: dict[str, QrCode] = field(default_factory=dict)

    def create(self, body: JsonObject) -> JsonObject:
        """Make a code as POST /cgi-bin/qrcode/create does; 40053 for a wrong action or scene."""
        action = body.get("action_name")
        if action not in ("QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"):
            raise WechatError(40053)
        scene = _scene(action, body.get("action_info"))
        now = self.clock.now()
        seconds = body.get("expire_seconds", DEFAULT_EXPIRE_SECONDS)
        temporary = "LIMIT" not in action
        if temporary and (not isinstance(seconds, int) or not 1 <= seconds <= MAX_EXPIRE_SECONDS):
            raise WechatError(40053, "expire_seconds")
        ticket = "gQ" + secrets.token_urlsafe(68)
        url = "http://weixin.qq.com/q/" + secrets.token_urlsafe(16)
        self.put(QrCode(scene, ticket, url, now, now + seconds if temporary else None))
        answer: JsonObject = {"ticket": ticket, "url": url}
        if temporary:
            answer["expire_seconds"] = seconds
        return answer

    def put(self, code: QrCode) -> None:
        """Take in a code, letting the oldest go when there are too many."""
        self.by_ticket[code.ticket] = code
        self.by_scene[code.scene] = code
        if len(self.by_ticket) > MAX_KEPT:
            oldest = self.by_ticket.pop(next(iter(self.by_ticket)))
            if self.by_scene.get(oldest.scene) is oldest:
                del self.by_scene[oldest.scene]

    def is_expired(self, code: QrCode) -> bool:
        """Whether a code's time is over."""
        return code.expires_at is not None and self.clock.now() >= code.expires_at

    def picture(self, ticket: str) -> bytes | None:
        """The code as PNG; None for a ticket that is unknown or expired."""
        code = self.by_ticket.get(ticket)
        if code is None or self.is_expired(code):
            return None
        picture = io.BytesIO()
        segno.make(code.url, error="m").save(picture, kind="png", scale=8, border=4)
        return picture.getvalue()
