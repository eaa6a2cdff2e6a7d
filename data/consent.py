"""The consent documents that people are asked to agree to, in versions: to care `consent/1.md`, `consent/2.md`, …, to
teaching with their images `consent/teaching/1.md`, …, to teaching with their case `consent/cases/1.md`, …, to research
`consent/research/1.md`, …"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from data.errors import DataError
from data.files import ROOT

FOLDER = ROOT / "consent"


class ConsentKind(StrEnum):
    """What people are asked to agree to."""

    CARE = "care"  # to what the platform itself does; nothing goes without it
    TEACHING = "teaching"  # that de-identified copies of their images are given to those who teach
    RESEARCH = "research"  # that their cases, in which nobody can be found, are given to those who do research
    CASES = "cases"  # that their case, de-identified, is read by doctors who learn from it


@dataclass(frozen=True)
class ConsentDocument:
    """One version: its title and its text, plain and without markup."""

    version: str
    title: str
    text: str


def load_consent_documents(folder: Path = FOLDER) -> tuple[ConsentDocument, ...]:
    """Read all versions, oldest first. Each file: a heading with the title, an empty line, the text.

    Raises:
        DataError: the folder or a file is missing or wrong; versions must count up from 1 without a gap.
    """
    paths = sorted(folder.glob("*.md"), key=lambda path: (len(path.stem), path.stem))
    if not paths:
        raise DataError(f"{folder}: holds no consent document")
    documents = tuple(map(_load, paths))
    for number, path in enumerate(paths, 1):
        if path.stem != str(number):
            raise DataError(f"{path}: version {number} is missing")
    return documents


def _load(path: Path) -> ConsentDocument:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    match = re.fullmatch(r"# (?P<title>[^\n]+)\n\n(?P<text>.+)", content.strip(), re.DOTALL)
    if match is None:
        raise DataError(f"{path}: does not begin with a heading, an empty line and a text")
    return ConsentDocument(path.stem, match["title"].strip(), match["text"].strip())


@cache
def consent_document(kind: ConsentKind = ConsentKind.CARE) -> ConsentDocument:
    """Give the present version, the newest one that is shipped."""
    return load_consent_documents(FOLDER if kind is ConsentKind.CARE else FOLDER / kind.value)[-1]
