"""Words by which people, places and institutions are named, and words that only look like it."""

from functools import cache
from pathlib import Path

from data.files import ROOT, Row, read_object, require_unique

PATH = ROOT / "naming.json"


class Naming(Row):
    """The whole file.

    Attributes:
        surnames, compound_surnames: Chinese family names of one and of two characters, as far as they are common.
        words_before_titles: family names that are as often another word before a title (和医生, 向医生).
        titles: what follows a family name (医生, 阿姨). not_names: signs, scores and diseases that bear a name, and
            words of case histories that a dictionary takes for names. plain_places: words before 医院 or 镇 that name
            no place (县, 当地).
    """

    surnames: tuple[str, ...]
    compound_surnames: tuple[str, ...]
    words_before_titles: tuple[str, ...]
    titles: tuple[str, ...]
    not_names: tuple[str, ...]
    plain_places: tuple[str, ...]


def load_naming(path: Path = PATH) -> Naming:
    """Read and check the file; ``DataError`` where it is missing or wrong, or has a word twice."""
    read = read_object(path, Naming)
    for field, words in read:
        require_unique(path, field, list(words))
    return read


@cache
def naming() -> Naming:
    """The shipped words."""
    return load_naming()
