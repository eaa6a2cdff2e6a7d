"""The short forms that reach somebody whose window is closed: our kinds, WeChat's field names, WeChat's limits.

Source: developers.weixin.qq.com, 公众号 / 模板消息, 订阅通知参数值内容限制.
"""

import re
from datetime import datetime

from backend.clock import local
from bot.messages import Notice

TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "task": {
        "thing1": ("title",),
        "thing2": ("action", "number"),
        "phrase3": ("urgency", "status"),
        "time4": ("time",),
    },
    "offer": {
        "thing1": ("action", "title"),
        "phrase2": ("urgency", "status"),
        "thing3": ("department", "number"),
        "thing4": ("institution", "title"),
        "time5": ("time",),
    },
    "reminder": {"name1": ("patient",), "thing2": ("expert", "title"), "time3": ("time",), "thing4": ("way", "number")},
    "result": {
        "character_string1": ("number",),
        "thing2": ("guidance", "title"),
        "thing3": ("expert", "title"),
        "time4": ("time",),
    },
    "progress": {
        "character_string1": ("number",),
        "phrase2": ("status",),
        "thing3": ("guidance", "title"),
        "time4": ("time",),
    },
}
"""By our kinds: WeChat's field names, whose letters name the type, and which of our fields may stand there, best first.

What each of ours means, and which every notice has, stands in `bot/cards/notices.py`.
"""

PURPOSES: dict[str, str] = {
    "task": "提醒基层医生和管理员：有一件事等着处理",
    "offer": "请专家接受一次会诊邀请",
    "reminder": "提醒患者、医生和专家：约好的会诊快到时间了",
    "result": "告诉患者和医生：会诊结果出来了",
    "progress": "告诉患者和医生：会诊有了新进展",
}
"""What each kind is for, in the words of an administrator who has to choose a template at WeChat."""

_HAN = "\u3400-\u9fff"
_TIME = re.compile(r"\d{4}(年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}) ?([01]?\d|2[0-3]):[0-5]\d")
FILLERS = {"thing": "请点开查看", "phrase": "待查看", "name": "患者", "character_string": "-"}
"""What stands where a notice says nothing: WeChat takes no empty value. A notice of ours never needs one."""


def fill(notice: Notice, now: datetime) -> dict[str, dict[str, str]]:
    """Give the `data` of a template message, every value within WeChat's limits.

    Raises:
        KeyError: there is no such kind of notice.
    """
    data = {}
    for key, names in TEMPLATES[notice.kind].items():
        value = next((notice.fields[name] for name in names if notice.fields.get(name)), "")
        data[key] = {"value": _fit(key, value, now)}
    return data


def _fit(key: str, value: str, now: datetime) -> str:
    kind = key.rstrip("0123456789")
    flat = " ".join(value.split())
    if kind == "time":
        found = _TIME.search(flat)
        return found.group() if found else local(now).strftime("%Y-%m-%d %H:%M")
    return _FITTERS[kind](flat) or FILLERS[kind]


def _thing(value: str) -> str:
    return value if len(value) <= 20 else value[:19] + "…"


def _phrase(value: str) -> str:
    return re.sub(f"[^{_HAN}]", "", value)[:5]


def _name(value: str) -> str:
    chinese = re.sub(f"[^{_HAN}·]", "", value)[:10]
    return chinese or re.sub(r"[^A-Za-z .·'-]", "", value)[:20].strip()


def _characters(value: str) -> str:
    return re.sub(r"[^!-~ ]", "", value)[:32].strip()


_FITTERS = {"thing": _thing, "phrase": _phrase, "name": _name, "character_string": _characters}
