"""Directions: the fields of work within the departments, and the words by which a triage nurse knows them."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from data.clinical_language import FOLDER as LANGUAGE
from data.departments import departments
from data.errors import DataError
from data.files import Row, read_rows, require_unique

FOLDER = LANGUAGE / "directions"

Strength = Literal["decisive", "strong", "usual", "faint"]


class Direction(Row):
    """A field of work such as 甲状腺 or 小儿消化: who belongs there, and the words that point to it.

    ``departments`` gives the share of each department that sees it, adding up to 1; ``ages`` are the years from and
    below which it has patients; ``like`` names the directions for adults whose words count here as well, a little
    less. ``cues`` are everyday words, diseases, body parts, examinations, operations and drugs by how much they say:
    a *decisive* one settles it where nothing speaks against it, a *faint* one merely fits.
    """

    code: str
    name: str
    departments: dict[str, float] = Field(min_length=1)
    patients: Literal["adults", "children", "all"] = "all"
    sex: Literal["female", "male", "all"] = "all"
    ages: tuple[int, int] = (0, 121)
    like: tuple[str, ...] = ()
    cues: dict[Strength, tuple[str, ...]] = Field(min_length=1)
    source: str = Field(min_length=4)


def load_directions(folder: Path = FOLDER) -> tuple[Direction, ...]:
    """All directions in ``folder``.

    Raises ``DataError`` where a file is missing or wrong, a code or a cue of one direction comes twice, or a
    department or direction is named that there is not.
    """
    rows = tuple(row for path in sorted(folder.glob("*.json")) for row in read_rows(path, Direction))
    if not rows:
        raise DataError(f"{folder}: holds no directions")
    require_unique(folder, "code", [row.code for row in rows])
    codes = {row.code for row in rows}
    for row in rows:
        require_unique(folder, f"cue of {row.code}", [word for words in row.cues.values() for word in words])
        _check(folder, row, codes)
    return rows


def _check(folder: Path, row: Direction, codes: set[str]) -> None:
    unknown = [code for code in row.departments if code not in departments()]
    unknown += [code for code in row.like if code not in codes]
    if unknown:
        raise DataError(f"{folder}: {row.code} names {unknown[0]!r}, which there is not")
    if abs(sum(row.departments.values()) - 1) > 1e-6:
        raise DataError(f"{folder}: the shares of {row.code} do not add up to 1")


@cache
def directions() -> dict[str, Direction]:
    """The shipped directions by code."""
    return {row.code: row for row in load_directions()}
