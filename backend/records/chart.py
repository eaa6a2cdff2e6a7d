"""A trend as a small picture for a phone: large figures, few lines, and what is usual. Pure but for the font."""

import io
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from backend.clock import local
from backend.photographs import CleanPicture
from backend.records.trend import Series, Trend

FONT = Path(__file__).parent.parent.parent / "data" / "fonts" / "NotoSansSC-Regular.ttf"

_WIDTH, _HEIGHT = 1080, 840
_LEFT, _RIGHT, _TOP, _BOTTOM = 130, 60, 230, 110
_SCALE = 2  # drawn larger and made smaller again: smooth lines
_INK, _FAINT, _GRID, _PAPER = "#1f2933", "#52606d", "#d9e2ec", "#ffffff"
_BAND, _BAND_INK = "#dff3e4", "#2f6f44"
_COLOURS = ("#b42318", "#175cd3", "#6b4f00")
_LEGIBLE_POINTS = 8  # so many values can carry their figures
_TITLE, _LABEL, _SMALL = 54, 40, 34
_MOST_LINES = 6
_STEPS = (Decimal("0.1"), Decimal("0.2"), Decimal("0.5"), *map(Decimal, (1, 2, 5, 10, 20, 50, 100)))

Box = tuple[float, float, float, float]


def draw(trend: Trend, whose: str = "") -> CleanPicture:
    """Draw a trend.

    Args:
        whose: the name that stands before the title; "" for the reader's own.
    """
    return _Chart(trend).draw(f"{whose}的{trend.subject.label}" if whose else f"我的{trend.subject.label}")


class _Chart:
    def __init__(self, trend: Trend) -> None:
        self.trend = trend
        size = (_WIDTH * _SCALE, _HEIGHT * _SCALE)
        self.image = Image.new("RGB", size, _PAPER)
        self.pen = ImageDraw.Draw(self.image)
        moments = [point.at for point in trend.points]
        self.first, self.last = min(moments), max(moments)
        self.ticks = _ticks(trend)

    def draw(self, title: str) -> CleanPicture:
        banded = [series for series in self.trend.series if series.band]
        if len(banded) == 1:
            self._band(banded[0])
        self._grid()
        self._days()
        coloured = list(zip(self.trend.series, _COLOURS, strict=False))
        if len(banded) > 1:
            for series, colour in coloured:
                self._limit(series, colour)
        for series, colour in coloured:
            self._line(series, colour)
        self._figures(coloured)
        self._head(title, coloured, len(banded))
        small = self.image.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)
        written = io.BytesIO()
        small.quantize(128).save(written, "PNG", optimize=True)
        return CleanPicture(written.getvalue(), "image/png", _WIDTH, _HEIGHT)

    def x(self, at: datetime) -> float:
        span = (self.last - self.first) / timedelta(seconds=1)
        share = 0.5 if not span else (at - self.first) / timedelta(seconds=1) / span
        inner = _WIDTH - _LEFT - _RIGHT - 80
        return _LEFT + 40 + inner * share

    def y(self, value: Decimal) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return float(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * float((value - low) / (high - low)))

    def _band(self, series: Series) -> None:
        band, low, high = series.band, self.ticks[0], self.ticks[-1]
        if band is not None:
            bottom = low if band.low is None else max(low, min(band.low, high))
            top = high if band.high is None else min(high, max(band.high, low))
            self._box((_LEFT, self.y(top), _WIDTH - _RIGHT, self.y(bottom)), _BAND)

    def _limit(self, series: Series, colour: str) -> None:
        """Draw the upper end of what is usual: bands of several series would hide each other."""
        high = series.band.high if series.band else None
        if high is None or not self.ticks[0] <= high <= self.ticks[-1]:
            return
        y, right = self.y(high), _WIDTH - _RIGHT
        for start in range(_LEFT, right, 28):
            self._stroke([(start, y), (min(start + 16, right), y)], colour, 3)

    def _grid(self) -> None:
        for tick in self.ticks:
            y = self.y(tick)
            self._stroke([(_LEFT, y), (_WIDTH - _RIGHT, y)], _GRID, 2)
            self._text((_LEFT - 16, y), f"{tick.normalize():f}", _SMALL, _FAINT, "rm")

    def _days(self) -> None:
        y = _HEIGHT - _BOTTOM + 18
        marks = [self.first] if self.first == self.last else [self.first, self.last]
        same_day = local(self.first).date() == local(self.last).date()
        if not same_day and self.last - self.first > timedelta(days=2):
            marks.insert(1, self.first + (self.last - self.first) / 2)
        for at in marks:
            there = local(at)
            words = (
                f"{there.hour}:{there.minute:02d}" if same_day and len(marks) > 1 else f"{there.month}月{there.day}日"
            )
            self._text((self.x(at), y), words, _SMALL, _FAINT, "ma")

    def _line(self, series: Series, colour: str) -> None:
        places = [(self.x(point.at), self.y(point.value)) for point in series.points]
        if len(places) > 1:
            self._stroke(places, colour, 6)
        few = len(places) <= _LEGIBLE_POINTS
        for x, y in places:
            self._dot(x, y, 11 if few else 6, colour)

    def _figures(self, coloured: list[tuple[Series, str]]) -> None:
        """Write values at their points, the newest first; where two would lie upon each other, the newer is written."""
        wanted = [
            (point, series, colour)
            for series, colour in coloured
            for point in (series.points if len(series.points) <= _LEGIBLE_POINTS else series.points[-1:])
        ]
        written: list[Box] = []
        for point, series, colour in sorted(wanted, key=lambda one: one[0].at, reverse=True):
            words, place = series.kind.show(point.value), (self.x(point.at), self.y(point.value) - 18)
            half = self.pen.textlength(words, font=_font(_LABEL * _SCALE)) / _SCALE / 2 + 6
            box = (place[0] - half, place[1] - _LABEL, place[0] + half, place[1])
            if not any(_overlap(box, other) for other in written):
                written.append(box)
                self._text(place, words, _LABEL, colour, "mb", halo=True)

    def _head(self, title: str, coloured: list[tuple[Series, str]], banded: int) -> None:
        self._text((48, 34), title, _TITLE, _INK, "la")
        self._text((_WIDTH - 48, 46), f"单位 {self.trend.unit}", _SMALL, _FAINT, "ra")
        x = 48.0
        for series, colour in coloured:
            self._dot(x + 12, 150, 12, colour)
            x = self._text((x + 36, 150), series.name, _LABEL, _INK, "lm") + 44
        if banded == 1:
            self._box((x, 132, x + 52, 168), _BAND, outline=_BAND_INK)
            self._text((x + 66, 150), "一般人的范围", _LABEL, _BAND_INK, "lm")
        elif banded:
            for start in (x, x + 24):
                self._stroke([(start, 150), (start + 14, 150)], _FAINT, 3)
            self._text((x + 54, 150), "一般不超过这条线", _LABEL, _FAINT, "lm")

    def _box(self, box: Box, fill: str, outline: str | None = None) -> None:
        self.pen.rectangle([side * _SCALE for side in box], fill=fill, outline=outline, width=3)

    def _stroke(self, places: list[tuple[float, float]], colour: str, width: int) -> None:
        scaled = [(x * _SCALE, y * _SCALE) for x, y in places]
        self.pen.line(scaled, fill=colour, width=width * _SCALE, joint="curve")

    def _dot(self, x: float, y: float, radius: float, colour: str) -> None:
        box = [(x - radius) * _SCALE, (y - radius) * _SCALE, (x + radius) * _SCALE, (y + radius) * _SCALE]
        self.pen.ellipse(box, fill=colour, outline=_PAPER, width=2 * _SCALE)

    def _text(
        self, place: tuple[float, float], words: str, size: int, colour: str, anchor: str, halo: bool = False
    ) -> float:
        """Write words; give where they end."""
        font = _font(size * _SCALE)
        at = (place[0] * _SCALE, place[1] * _SCALE)
        stroke = 4 * _SCALE if halo else 0
        self.pen.text(at, words, font=font, fill=colour, anchor=anchor, stroke_width=stroke, stroke_fill=_PAPER)
        return place[0] + self.pen.textlength(words, font=font) / _SCALE


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _ticks(trend: Trend) -> list[Decimal]:
    """Give where the lines of the scale are: round figures around all values and a part of what is usual."""
    values = [point.value for point in trend.points]
    ends = [end for one in trend.series if one.band for end in (one.band.low, one.band.high) if end is not None]
    low, high = min(values), max(values)
    reach = max(high - low, abs(high) / 10, Decimal("0.5"))
    low = min([low, *(end for end in ends if end >= low - reach)])
    high = max([high, *(end for end in ends if end <= high + reach)])
    low, high = low - reach / 10, high + reach / 5
    step = next((step for step in _STEPS if (high - low) / step <= _MOST_LINES), _STEPS[-1])
    start = low // step * step
    ticks = [start]
    while ticks[-1] < high:
        ticks.append(ticks[-1] + step)
    return ticks


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size)
