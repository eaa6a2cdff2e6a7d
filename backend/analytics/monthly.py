"""The report of a month: figures against their targets with the month before beside, by place and department. Pure."""

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from backend.analytics import rules
from backend.analytics.definitions import Definition
from backend.analytics.rules import Sums
from backend.monthly_page import MonthlyPage, Table

_NOTHING = "暂无"
_FIGURES = ("指标", "本月", "上月", "变化", "目标", "是否达到")
_FIGURE_SHARES = (0.22, 0.19, 0.19, 0.13, 0.14, 0.13)
_PARTS = ("名称", "会诊数", "上月", "平均应答", "符合率", "满意率", "少走的路", "省下的钱")
_PART_SHARES = (0.27, 0.09, 0.09, 0.12, 0.11, 0.11, 0.105, 0.105)


@dataclass(frozen=True)
class Part:
    """A part of the figures: what people call it, its sums, and those of the month before."""

    name: str
    now: Sums
    before: Sums


@dataclass(frozen=True)
class Month:
    """What a report tells.

    Attributes:
        scope: whose figures they are. made: when, for whom.
        now, before: the sums of the month and of the one before. in_year: asked in the year until the month's end.
        by_day: the sums of each day that has any. parts: the tables, by their titles.
    """

    first: date
    scope: str
    made: str
    now: Sums
    before: Sums
    in_year: int
    by_day: Mapping[date, Sums]
    parts: Mapping[str, Sequence[Part]]


def month_of(day: date) -> tuple[date, date]:
    """Give the first and the last day of the month of a day."""
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def month_before(first: date) -> tuple[date, date]:
    """Give the first and the last day of the month before that of `first`."""
    return month_of(first.replace(day=1) - timedelta(days=1))


def page_of(month: Month, definitions: Sequence[Definition]) -> MonthlyPage:
    """Give the report as it is printed."""
    _, last = month_of(month.first)
    return MonthlyPage(
        title="远程会诊月报",
        scope=month.scope,
        month=f"{month.first.year}年{month.first.month}月",
        made=month.made,
        figures=Table("主要指标", _FIGURES, _FIGURE_SHARES, tuple(_figures(month)), verdict=5),
        days=tuple(
            (str(number), month.by_day.get(month.first.replace(day=number), Sums()).asked)
            for number in range(1, last.day + 1)
        ),
        tables=tuple(_table(title, parts) for title, parts in month.parts.items()),
        texts=(("指标是怎么算的", tuple(_explained(month, definitions))),),
    )


@dataclass(frozen=True)
class _Line:
    """A figure: its value, how that is said, how a difference of it is, and whether a value meets the target."""

    title: str
    value: Callable[[Sums], float | None]
    said: Callable[[float], str]
    differs: Callable[[float], str]
    goal: str = ""
    meets: Callable[[float], bool] | None = None
    of: Callable[[Sums], int] | None = None


def _times(value: float) -> str:
    return f"{value:.1f}分钟"


def _share(value: float) -> str:
    return f"{value * 100:.1f}%"


def _points(value: float) -> str:
    return f"{value * 100:+.1f}个百分点"


_LINES = (
    _Line("会诊数", lambda one: one.asked, "{:,}例".format, "{:+,}例".format),
    _Line("其中已完成", lambda one: one.completed, "{:,}例".format, "{:+,}例".format),
    _Line(
        "平均应答时间",
        lambda one: one.mean_minutes,
        _times,
        lambda value: f"{value:+.1f}分钟",
        "少于15分钟",
        lambda value: value < rules.ANSWER_TARGET_MINUTES,
        lambda one: one.answered,
    ),
    _Line("90%应答时间", lambda one: one.p90_minutes, _times, lambda value: f"{value:+.1f}分钟"),
    _Line(
        "诊断符合率",
        lambda one: one.agreement,
        _share,
        _points,
        "超过95%",
        lambda value: value > rules.AGREEMENT_TARGET,
        lambda one: one.compared,
    ),
    _Line(
        "满意率",
        lambda one: one.satisfaction,
        _share,
        _points,
        "超过90%",
        lambda value: value > rules.SATISFACTION_TARGET,
        lambda one: one.rated,
    ),
    _Line(
        "少走的路",
        lambda one: one.distance_saved,
        _share,
        _points,
        "超过30%",
        lambda value: value > rules.SAVING_TARGET,
        lambda one: one.reckoned,
    ),
    _Line(
        "省下的钱",
        lambda one: one.cost_saved,
        _share,
        _points,
        "超过30%",
        lambda value: value > rules.SAVING_TARGET,
        lambda one: one.reckoned,
    ),
)


def _figures(month: Month) -> list[tuple[str, ...]]:
    rows = [_row(line, month.now, month.before) for line in _LINES]
    reached = "达到" if month.in_year > rules.CONSULTATIONS_TARGET else ""
    year = (f"{month.first.year}年累计会诊数", f"{month.in_year:,}例", "", "", "超过10万例", reached)
    return [*rows[:2], year, *rows[2:]]


def _row(line: _Line, now: Sums, before: Sums) -> tuple[str, ...]:
    value, earlier = line.value(now), line.value(before)
    change = "" if value is None or earlier is None else _change(line, value - earlier)
    met = "" if value is None or line.meets is None else "达到" if line.meets(value) else "没达到"
    return (line.title, _said(line, now), _said(line, before), change, line.goal, met)


def _change(line: _Line, by: float) -> str:
    said = line.differs(by)
    return said if any(mark in "123456789" for mark in said) else "持平"


def _said(line: _Line, sums: Sums) -> str:
    """Say a figure, with how many cases it rests on."""
    value = line.value(sums)
    if value is None:
        return _NOTHING
    return line.said(value) + (f"（{line.of(sums):,}例）" if line.of else "")


def _table(title: str, parts: Sequence[Part]) -> Table:
    rows = tuple(
        (
            one.name,
            f"{one.now.asked:,}",
            f"{one.before.asked:,}",
            _or_nothing(one.now.mean_minutes, _times),
            _or_nothing(one.now.agreement, _share),
            _or_nothing(one.now.satisfaction, _share),
            _or_nothing(one.now.distance_saved, _share),
            _or_nothing(one.now.cost_saved, _share),
        )
        for one in parts
    )
    return Table(title, _PARTS, _PART_SHARES, rows)


def _or_nothing(value: float | None, said: Callable[[float], str]) -> str:
    return _NOTHING if value is None else said(value)


def _explained(month: Month, definitions: Sequence[Definition]) -> list[tuple[str, str]]:
    texts = [(one.title, f"{one.text}{one.target}。") for one in definitions]
    unknown = f"这个月已完成的会诊里，有{month.now.completed - month.now.reckoned:,}例算不出来。"
    notes = dict.fromkeys(note for one in definitions for note in one.notes)
    return [*texts, ("节省按什么算", unknown), *(("", f"· {note}") for note in notes)]
