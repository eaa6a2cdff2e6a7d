"""What a doctor's ranking of diseases needs beyond their findings: how long they last, and which must not be missed."""

from functools import cache
from pathlib import Path

from pydantic import Field

from data.clinical_language import FOLDER
from data.errors import DataError
from data.files import Row, read_object, require_unique
from data.knowledge import knowledge_base

PATH = FOLDER / "differential.json"


class Course(Row):
    """Diseases that are mostly over after so many ``days``, and where that is written."""

    days: int = Field(gt=0)
    diseases: tuple[str, ...] = Field(min_length=1)
    source: str = Field(min_length=4)


class DifferentialKnowledge(Row):
    """``lasts``: the acute diseases by how long they last; ``must_exclude``: what kills or maims when it is missed."""

    lasts: tuple[Course, ...]
    must_exclude: tuple[str, ...] = Field(min_length=1)


def load_differential_knowledge(path: Path = PATH) -> DifferentialKnowledge:
    """What ``path`` holds; ``DataError`` where it is missing, wrong, or names what the knowledge base lacks."""
    read = read_object(path, DifferentialKnowledge)
    timed = [name for course in read.lasts for name in course.diseases]
    require_unique(path, "disease", timed)
    require_unique(path, "disease to exclude", list(read.must_exclude))
    known = {disease.name for disease in knowledge_base()}
    for name in (*timed, *read.must_exclude):
        if name not in known:
            raise DataError(f"{path}: unknown disease {name!r}")
    return read


@cache
def differential_knowledge() -> DifferentialKnowledge:
    """The shipped knowledge."""
    return load_differential_knowledge()
