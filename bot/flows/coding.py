"""Finding a department or an ICD-10 code from what a doctor typed."""

import re

from bot.messages import Choice
from data.departments import Department, departments
from data.icd10 import Disease, lookup, search

_CANDIDATES = 6
_LONGEST_LABEL = 14
_LONGEST_SEARCH = 60
_SHORTEST_NAME = 2
_PUNCTUATION = re.compile(r"[\s、，,；;。/]+")


def department_name(code: str) -> str:
    """Give the Chinese name of a department, or its code where no such department is known."""
    known = departments().get(code)
    return known.name if known else code


def find_departments(words: str) -> list[Department]:
    """Give the departments whose name, other name or subjects hold `words`, best first; at most six."""
    words = words.strip().removesuffix("科")
    if not words:
        return []
    by_name = [row for row in departments().values() if any(words in name for name in (row.name, *row.aliases))]
    by_subject = [row for row in departments().values() if row not in by_name and words in "".join(row.keywords)]
    return [*by_name, *by_subject][:_CANDIDATES]


def disease_choices(words: str, verb: str) -> tuple[Choice, ...]:
    """Give the diseases that `words` may mean, as answers `verb:code`; at most six.

    Args:
        words: Chinese names or codes, several with punctuation between them. Where a name as a whole is unknown, what
            it ends with is looked for, because the kind of a disease stands last: 社区获得性肺炎 is a kind of 肺炎.
    """
    found: dict[str, Disease] = {}
    for part in _PUNCTUATION.split(words[:_LONGEST_SEARCH]):
        found |= {row.code: row for row in _search(part)}
    return tuple(Choice(f"{verb}:{row.code}", _label(row.code, row.name)) for row in list(found.values())[:_CANDIDATES])


def _search(name: str) -> list[Disease]:
    for start in range(max(1, len(name) - _SHORTEST_NAME + 1)):
        ending = name[start:]
        # 性 joins to what stands before it: 性肺炎 would find every kind of pneumonia but the general one.
        found = [] if ending.startswith("性") else search(ending, _CANDIDATES)
        if found:
            return found
    return []


def disease_name(code: str) -> str:
    """Give the Chinese name of an ICD-10 code, empty where the table does not know it."""
    row = lookup(code) if code else None
    return row.name if row else ""


def coded(code: str) -> str:
    """Give a code with its name: “I10 原发性高血压”; empty for no code."""
    return f"{code} {disease_name(code)}".strip()


def _label(code: str, name: str) -> str:
    label = f"{code} {name}"
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
