"""Temporary media: three days, with limits by kind. Source: developers.weixin.qq.com, 公众号 / 新增临时素材."""

import secrets
from dataclasses import dataclass, field

from sandbox.clock import MovableClock
from sandbox.wechat.errors import WechatError

LIFETIME_SECONDS = 3 * 86400
LIMITS = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "thumb": 64 << 10}
SUFFIXES = {
    "image": {"bmp", "png", "jpeg", "jpg", "gif"},
    "voice": {"amr", "mp3", "speex", "silk"},
    "video": {"mp4"},
    "thumb": {"jpg", "jpeg"},
}
MAX_KEPT_BYTES = 256 << 20


@dataclass(slots=True)
class Medium:
    """A stored file. WeChat gives it out until ``expires_at``; a phone shows what it once received."""

    media_id: str
    kind: str
    content_type: str
    filename: str
    created_at: float
    data: bytes

    @property
    def expires_at(self) -> float:
        """Seconds since the epoch."""
        return self.created_at + LIFETIME_SECONDS


def check_upload(kind: str | None, filename: str, data: bytes) -> str:
    """The kind of an upload; 40004 for an unknown kind, 40005 for a wrong file type, 40006 for a wrong size."""
    if kind not in LIMITS:
        raise WechatError(40004)
    if filename.rpartition(".")[2].lower() not in SUFFIXES[kind]:
        raise WechatError(40005)
    if not data or len(data) > LIMITS[kind]:
        raise WechatError(40006)
    return kind


@dataclass(slots=True)
class MediaStore:
    """Media in memory, the oldest let go when there is too much."""

    clock: MovableClock
    kept: dict[str, Medium] = field(default_factory=dict)
    size: int = 0

    def add(self, kind: str, content_type: str, filename: str, data: bytes) -> Medium:
        """Store a file under a new media id."""
        medium = Medium(secrets.token_urlsafe(48), kind, content_type, filename, self.clock.now(), data)
        self.put(medium)
        return medium

    def put(self, medium: Medium) -> None:
        """Take in a medium as it is."""
        self.kept[medium.media_id] = medium
        self.size += len(medium.data)
        while self.size > MAX_KEPT_BYTES:
            self.size -= len(self.kept.pop(next(iter(self.kept))).data)

    def get(self, media_id: object) -> Medium:
        """The medium; 40007 when it is unknown or its three days are over."""
        medium = self.kept.get(media_id) if isinstance(media_id, str) else None
        if medium is None or self.clock.now() >= medium.expires_at:
            raise WechatError(40007)
        return medium
