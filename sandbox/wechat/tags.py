"""User tags. Source: developers.weixin.qq.com, 公众号 / 用户标签管理."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.wechat.errors import WechatError

MAX_TAGS = 100
MAX_NAME_BYTES = 30
MAX_TAGS_OF_A_USER = 20
MAX_USERS_AT_ONCE = 50
RESERVED_IDS = (0, 1, 2)


@dataclass(slots=True)
class Tags:
    """The tags that exist: id to name."""

    names: dict[int, str] = field(default_factory=dict)
    _ids: "count[int]" = field(default_factory=lambda: count(100))

    def create(self, name: Any) -> int:
        """A new tag's id; 45157 for a name that is taken, 45158 for one too long, 45056 for too many tags."""
        self._check_name(name)
        if len(self.names) >= MAX_TAGS:
            raise WechatError(45056)
        tag_id = next(self._ids)
        self.names[tag_id] = name
        return tag_id

    def rename(self, tag_id: Any, name: Any) -> None:
        """Give a tag another name."""
        self.check_id(tag_id)
        self._check_name(name)
        self.names[tag_id] = name

    def delete(self, tag_id: Any) -> None:
        """Delete a tag."""
        self.check_id(tag_id)
        del self.names[tag_id]

    def check_id(self, tag_id: Any) -> int:
        """The id of a tag that exists; 45058 for WeChat's own, 45159 for an unknown one."""
        if tag_id in RESERVED_IDS:
            raise WechatError(45058)
        if not isinstance(tag_id, int) or tag_id not in self.names:
            raise WechatError(45159)
        return tag_id

    def skip_ids(self, last: int) -> None:
        """Let new tags get ids above ``last``."""
        self._ids = count(max(last + 1, next(self._ids)))

    def _check_name(self, name: Any) -> None:
        if not isinstance(name, str) or not name or name in self.names.values():
            raise WechatError(45157)
        if len(name.encode(errors="replace")) > MAX_NAME_BYTES:
            raise WechatError(45158)
