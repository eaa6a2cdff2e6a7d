"""Clinical departments after 《医疗机构诊疗科目名录》 (卫医发〔1994〕第27号 and its amendments)."""

from functools import cache
from pathlib import Path
from typing import Literal

from data.files import ROOT, Row, read_rows, require_unique

PATH = ROOT / "departments.json"


class Department(Row):
    """A department: our code, its number in the national catalogue, name, other names, what it sees, and whom.

    ``patients`` says of which age, ``sex`` whether it is for women alone.
    """

    code: str
    catalogue: str
    name: str
    aliases: tuple[str, ...]
    keywords: tuple[str, ...]
    patients: Literal["adults", "children", "all"]
    sex: Literal["female", "all"] = "all"


def load_departments(path: Path = PATH) -> tuple[Department, ...]:
    """All departments in the order of the catalogue; ``DataError`` where the file is missing or wrong."""
    rows = read_rows(path, Department)
    require_unique(path, "code", [row.code for row in rows])
    require_unique(path, "name or alias", [name for row in rows for name in (row.name, *row.aliases)])
    return rows


@cache
def departments() -> dict[str, Department]:
    """The shipped departments by code."""
    return {row.code: row for row in load_departments()}
