"""More people are ill somewhere than is usual: administrators hear of it, with counts and places and nobody's name."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.cards.notices import notice
from bot.messages import Text
from bot.notifications.notifier import Notifier
from data.surveillance import syndromes

_LISTED = 5


async def alarmed(notifier: Notifier) -> None:
    """Every administrator hears of the alarms that were found together."""
    alarms = notifier.payload["alarms"]
    lines = [_line(alarm) for alarm in alarms[:_LISTED]]
    if len(alarms) > _LISTED:
        lines.append(f"另外还有{len(alarms) - _LISTED}条。")
    words = "\n".join(
        [
            "疾病监测发现病例比平时多：",
            *lines,
            "这只是提醒，不等于已经暴发疫情。请在电脑上打开管理台的“疾病监测”，核实后写明情况。",
        ]
    )
    note = notice("task", "疾病监测有新预警", None, notifier.now, status="待核实", button="待处理事项")
    await notifier.tell_administrators(Text(words, notice=note))


def _line(alarm: Mapping[str, Any]) -> str:
    day = date.fromisoformat(alarm["day"])
    name = syndromes()[alarm["syndrome"]].name
    return f"{day.month}月{day.day}日，{alarm['area'] or '全部地区'}，{name}，{alarm['count']}例"


HANDLERS = {"surveillance.alarmed": alarmed}
