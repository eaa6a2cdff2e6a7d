"""Draw how far the stated probabilities hold: ``python -m benchmarks.nlu.reliability [--data FOLDER] [--out FILE]``.

The bins of the trained model are those of its cross-validation, stored beside it. With ``--data`` (the folder of the
public sets) the whole ranking is drawn too, on the dev rows of mz4 and mz10, which nothing was trained on.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.nlu.tasks.diagnosis import first_with_probability
from nlu.learned_ranking import MODEL
from nlu.models import FOLDER

OUT = Path("docs/images/differential-reliability.svg")
_BINS = 10
_SIDE = 220
_LEFT, _TOP, _GAP = 52, 46, 70
_COLOURS = {"axis": "#555", "diagonal": "#bbb", "bar": "#4c78a8", "grid": "#eee"}


@dataclass(frozen=True)
class Bin:
    """Cases whose first disease had about the same probability: how many, the mean stated, the share that was right."""

    cases: int
    stated: float
    right: float


@dataclass(frozen=True)
class Panel:
    """One diagram: its title, how many cases, and their bins."""

    title: str
    bins: tuple[Bin, ...]

    @property
    def cases(self) -> int:
        """Cases in all bins."""
        return sum(one.cases for one in self.bins)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error (Guo et al. 2017): the mean distance of stated and right, weighted by cases."""
        return sum(one.cases * abs(one.stated - one.right) for one in self.bins) / max(self.cases, 1)


def binned(pairs: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    """Pairs of the stated probability and whether it was right, in ten equal bins; empty ones are left out."""
    groups: dict[int, list[tuple[float, bool]]] = {}
    for stated, right in pairs:
        groups.setdefault(min(int(stated * _BINS), _BINS - 1), []).append((stated, right))
    return tuple(
        Bin(len(group), sum(stated for stated, _ in group) / len(group), sum(right for _, right in group) / len(group))
        for _, group in sorted(groups.items())
    )


def svg(panels: Sequence[Panel]) -> str:
    """The diagrams side by side as an SVG document."""
    width = _LEFT + len(panels) * (_SIDE + _GAP)
    height = _TOP + _SIDE + 56
    size = f'width="{width}" height="{height}"'
    font = f'font-family="sans-serif" font-size="12" fill="{_COLOURS["axis"]}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" {font}>',
        f'<rect {size} fill="white"/>',
    ]
    for place, panel in enumerate(panels):
        parts += _panel(panel, _LEFT + place * (_SIDE + _GAP))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, left: int) -> list[str]:
    bottom = _TOP + _SIDE
    fifths = [step / 5 for step in range(6)]
    parts = [f'<text x="{left}" y="18" font-weight="bold">{panel.title}</text>']
    parts.append(f'<text x="{left}" y="36">{panel.cases} cases, calibration error {panel.calibration_error:.1%}</text>')
    for fifth in fifths:
        x, y = left + fifth * _SIDE, bottom - fifth * _SIDE
        parts.append(f'<path d="M{left} {y:g}h{_SIDE}M{x:g} {_TOP}v{_SIDE}" stroke="{_COLOURS["grid"]}"/>')
        parts.append(f'<text x="{x:g}" y="{bottom + 16}" text-anchor="middle">{fifth:.0%}</text>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:g}" text-anchor="end">{fifth:.0%}</text>')
    parts += [_bar(one, left, panel.cases) for one in panel.bins]
    parts.append(
        f'<path d="M{left} {bottom}L{left + _SIDE} {_TOP}" stroke="{_COLOURS["diagonal"]}" stroke-dasharray="4 3"/>'
    )
    middle = left + _SIDE / 2
    parts.append(f'<text x="{middle:g}" y="{bottom + 38}" text-anchor="middle">stated probability</text>')
    turned = f'transform="translate({left - 40} {_TOP + _SIDE / 2:g}) rotate(-90)"'
    parts.append(f'<text {turned} text-anchor="middle">share that was right</text>')
    return parts


def _bar(one: Bin, left: int, cases: int) -> str:
    """A point at what was stated and what was right, its area by the number of cases."""
    x, y = left + one.stated * _SIDE, _TOP + _SIDE - one.right * _SIDE
    radius = 3 + 12 * (one.cases / cases) ** 0.5
    label = f"{one.cases} cases: {one.stated:.0%} stated, {one.right:.0%} right"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_COLOURS["bar"]}" fill-opacity="0.75">'
        f"<title>{label}</title></circle>"
    )


def trained_panels() -> list[Panel]:
    """The two parts of the trained model in cross-validation."""
    unseen = json.loads((FOLDER / f"{MODEL}.json").read_text(encoding="utf-8"))["unseen"]
    titles = {"findings": "Trained on findings (5-fold)", "words": "Trained on words (5-fold)"}
    return [Panel(title, tuple(Bin(**one) for one in unseen[part]["bins"])) for part, title in titles.items()]


def ranking_panel(data: Path) -> Panel:
    """The whole ranking on the dev rows of mz4 and mz10."""
    lines = (data / "diagnosis_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line]
    pairs = []
    for row in rows:
        if row["source"] != "dxy":
            first, probability = first_with_probability(row)
            pairs.append((probability, first == row["disease"]))
    return Panel("Whole ranking, mz4 and mz10 dev", binned(pairs))


def main() -> None:
    """Draw and say the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nlu.reliability", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the public sets")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    panels = trained_panels() + ([ranking_panel(arguments.data)] if arguments.data else [])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(svg(panels), encoding="utf-8")
    for panel in panels:
        print(f"{panel.title}: {panel.cases} cases, calibration error {panel.calibration_error:.1%}")


if __name__ == "__main__":
    main()
