"""How characters sound, and which look alike: the slips of those who type by sound or write by hand."""

from collections import defaultdict
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from data.errors import DataError
from data.files import ROOT, Row, read_json, read_object, validate

SOUNDS = ROOT / "nlu/sounds.json"
SHAPES = ROOT / "nlu/shapes.json"


class Shapes(Row):
    """Characters that are taken for one another: the first of a group is the right one in a medical word."""

    groups: tuple[str, ...]


@cache
def pinyin(sounds: Path = SOUNDS) -> dict[str, tuple[str, ...]]:
    """The toneless pinyin of each character of GB 2312, with v for ü; most have one, some have several.

    ``DataError`` where the file is missing or wrong.
    """
    by_syllable = validate(sounds, read_json(sounds), TypeAdapter(dict[str, str]))
    if not by_syllable:
        raise DataError(f"{sounds}: holds no sounds")
    found: dict[str, list[str]] = defaultdict(list)
    for syllable, characters in by_syllable.items():
        for character in characters:
            found[character].append(syllable)
    return {character: tuple(syllables) for character, syllables in found.items()}


@cache
def readings(sounds: Path = SOUNDS, shapes: Path = SHAPES) -> dict[str, tuple[str, ...]]:
    """The toneless pinyin of each character of GB 2312, and for one that looks like another that one's as well.

    ``DataError`` where a file is missing or wrong.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for character, syllables in pinyin(sounds).items():
        found[character] += map(merged, syllables)
    for group in read_object(shapes, Shapes).groups:
        for similar in group[1:]:
            found[similar] += found[group[0]]
    return {character: tuple(dict.fromkeys(syllables)) for character, syllables in found.items()}


def merged(syllable: str) -> str:
    """The syllable as many people speak and type it: zh, ch, sh like z, c, s, and -eng, -ing like -en, -in.

    These are the fuzzy sounds that Chinese input methods offer; -ang is left alone, it would make 痒 of 炎.
    """
    for one, other in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if syllable.startswith(one):
            syllable = other + syllable.removeprefix(one)
    return syllable.removesuffix("g") if syllable.endswith(("eng", "ing")) else syllable
