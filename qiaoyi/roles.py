"""What a process of the product does."""

from enum import StrEnum


class ServeRole(StrEnum):
    """What one process does; `all` is the default and enough for a county."""

    ALL = "all"
    WEB = "web"  # callbacks of WeChat, the mini-program's API, pages
    WORKER = "worker"  # events, timers, delivery, the audit log's seal
    MEDIA = "media"  # video rooms, and nothing of WeChat
