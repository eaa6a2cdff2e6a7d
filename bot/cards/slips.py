"""A laboratory slip as it was read, for whoever photographed it to look over."""

from backend.records import Mark, mark
from backend.records.slips.reading import Doubt, SlipRow
from backend.records.slips.rules import SlipView, kind_of
from backend.records.views import printed_range
from bot.messages import Choice, Menu
from bot.wording import lines

_DOUBTS = {
    Doubt.IMPOSSIBLE: "不太可能，先不记",
    Doubt.BOUND: "测不出准数，不记",
    Doubt.UNIT: "单位看不明白，先不记",
    Doubt.UNSURE: "没看太清，请核对",
    Doubt.LEFT_OUT: "不记",
}
_MOST_ROWS = 40


def slip_card(slip: SlipView, whose: str) -> Menu:
    """Show a slip with what can be done with it.

    Args:
        whose: the relative in whose name it would be kept; "" for the reader.
    """
    shown = [_row(number, row, slip) for number, row in enumerate(slip.rows[:_MOST_ROWS], 1)]
    left = len(slip.rows) - len(shown)
    day = f"（{slip.taken_on.month}月{slip.taken_on.day}日）" if slip.taken_on else ""
    head = lines(
        f"{whose + '的' if whose else ''}化验单{day}，我读到的是：",
        *shown,
        f"还有{left}项没有列出来。" if left > 0 else "",
        f"另外有{slip.unknown}项我不认识，没有记。" if slip.unknown else "",
        _other_name(slip.name, slip.patient_name),
        _how_to_correct(slip),
        "↑是偏高，↓是偏低，要不要紧请问医生。",
    )
    return Menu(head, (Choice(f"slip.keep:{slip.id}", "都对，记下"), Choice(f"slip.drop:{slip.id}", "不记")))


def _row(number: int, row: SlipRow, slip: SlipView) -> str:
    kind = kind_of(row)
    healthy = printed_range(row.reference) or kind.reference(slip.sex, slip.age_months)
    found = mark(kind, row.value, healthy) if row.value else None
    doubt = f"（{_DOUBTS[row.doubt]}）" if row.doubt else ""
    return f"{number}. {kind.name} {row.printed}{_sign(found)}{doubt}"


def _sign(found: Mark | None) -> str:
    return f" {found.sign}{found.label}" if found else ""


def _other_name(printed: str, known: str) -> str:
    if not printed or not known or printed == known:
        return ""
    return f"化验单上的名字是“{printed}”，和“{known}”不一样。不是同一个人的，请点“不记”。"


def _how_to_correct(slip: SlipView) -> str:
    number = next((number for number, row in enumerate(slip.rows, 1) if row.doubt), 1)
    return f"请对着单子看一遍。哪项不对就告诉我，比如“第{number}项是5.2”；不要的，说“第{number}项不要”。"
