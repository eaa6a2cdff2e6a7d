"""What a report goes through, and what is looked at before it is signed. Pure functions."""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from json import dumps
from typing import Any


class ReportState(StrEnum):
    """Where a version of a report stands."""

    DRAFT = "draft"  # seen by its author alone
    SIGNED = "signed"  # the report
    SUPERSEDED = "superseded"  # a later version was signed; it stays readable


class Slip(StrEnum):
    """What may be a slip of the pen; the author looks again and says that it is meant."""

    OTHER_SEX = "other_sex"  # an organ that this patient does not have
    OTHER_SIDE = "other_side"  # the impression names a side that the findings do not


SLIP_SENTENCES = {
    Slip.OTHER_SEX: "报告里写到的器官和患者的性别不符。",
    Slip.OTHER_SIDE: "印象里写的左右和所见里写的不一致。",
}

REMIND_AFTER = timedelta(minutes=5)
"""A critical value that nobody has confirmed is told again after so long, each time to more people."""

MOST_REMINDERS = 3
"""How often it is told again. Both numbers are our own judgement: the ten safety goals of the Chinese Hospital
Association ask for timely reporting of critical values and a receipt, without a number for images."""

_BLANK = re.compile(r"[_＿]{2,}")
_AROUND_BLANK = 8

_ORGANS = {"male": ("子宫", "卵巢", "输卵管", "宫颈", "阴道"), "female": ("前列腺", "精囊", "睾丸", "附睾", "阴茎")}
_NEGATED = re.compile(r"(未见|无|不见|缺如|已?切除)")
_LEFT, _RIGHT, _BOTH = re.compile(r"左(?!右)"), re.compile(r"(?<!左)右"), re.compile(r"双|两侧|左右|两肺|两肾")


def slips_in(findings: str, impression: str, sex: str) -> list[Slip]:
    """Give what may be a slip of the pen.

    Args:
        findings: 所见. impression: 印象. sex: of the patient, male, female or unknown.
    """
    found = []
    organs = _ORGANS.get(sex, ())
    clauses = re.split(r"[，。；、\n,;]", f"{findings}\n{impression}")
    if any(organ in clause and not _NEGATED.search(clause) for organ in organs for clause in clauses):
        found.append(Slip.OTHER_SEX)
    if not _BOTH.search(findings):
        for side in (_LEFT, _RIGHT):
            if side.search(impression) and not side.search(findings):
                found.append(Slip.OTHER_SIDE)
                break
    return found


def blank_in(text: str) -> str:
    """Give the first place of a template that is not filled in, with the words before it; empty where none is left."""
    found = _BLANK.search(text)
    if found is None:
        return ""
    before = re.split(r"[，。；、\n,;]", text[: found.start()])[-1]
    return before[-_AROUND_BLANK:] + found.group()


def blanks_in(text: str) -> int:
    """Give how many places of a template are not filled in."""
    return len(_BLANK.findall(text))


def fill_blank(text: str, words: str) -> str:
    """Give `text` with `words` in the first place that is not filled in."""
    return _BLANK.sub(lambda _: words, text, count=1)


def canonical(content: Mapping[str, Any]) -> str:
    """Give frozen content as one text, the same for the same content: what a seal is taken of."""
    return dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
