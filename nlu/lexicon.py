"""Finds the words of patients in normalised text: symptoms, body part with sensation, drugs, diseases."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from data.clinical_language import Anatomy, ClinicalLanguage

Kind = Literal["symptom", "drug", "disease", "examination", "operation", "treatment"]


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of normalised text that stands for ``name``; ``negated`` where the words deny it themselves."""

    kind: Kind
    name: str
    start: int
    end: int
    body_part: str | None = None
    negated: bool = False


class Lexicon:
    """All words and patterns, ready to search. ``find`` takes some 50 µs for a sentence."""

    def __init__(self, language: ClinicalLanguage) -> None:
        self._words: dict[str, tuple[Kind, str]] = {}
        self._lengths: dict[str, list[int]] = {}
        for kind, rows in _rows(language):
            for name, words in rows:
                for word in words:
                    self._words.setdefault(word.lower(), (kind, name))
        for word in self._words:
            self._lengths.setdefault(word[0], []).append(len(word))
        for first, lengths in self._lengths.items():
            self._lengths[first] = sorted(set(lengths), reverse=True)
        self._patterns = [(row.name, re.compile(pattern)) for row in language.symptoms for pattern in row.patterns]
        self._compound = _Compound(language.anatomy)
        self._rank = {row.name: ("event", "sign", "symptom").index(row.kind) for row in language.symptoms}

    @property
    def words(self) -> Iterable[str]:
        """Every literal word of two characters or more."""
        return (word for word in self._words if len(word) > 1)

    def find(self, text: str, is_free: Callable[[int], bool]) -> list[Match]:
        """The matches in order, none overlapping within a kind, the longest first.

        ``is_free(position)`` tells whether the single character at ``position`` stands by itself and is no part of a
        longer word (麻 in 麻将): words of one character count only where it does.
        """
        # Of equally long ones the first counts: a pattern (剧烈头痛) says more than part and sensation (头痛).
        found = [*self._literal(text, is_free), *self._by_pattern(text), *self._compound.find(text)]
        return self._without_overlaps(found, text)

    def find_places(self, text: str) -> list[Match]:
        """Body parts named as the place of a pain, each as the pain there."""
        return self._compound.find_places(text)

    def _literal(self, text: str, is_free: Callable[[int], bool]) -> list[Match]:
        """The longest word that begins at each place; within a word that was found only words that reach beyond it."""
        found: list[Match] = []
        covered = 0
        for position, character in enumerate(text):
            for length in self._lengths.get(character, ()):
                end = position + length
                if end > len(text) or end <= covered:
                    continue
                entry = self._words.get(text[position:end])
                if entry is None or _inside_latin_word(text, position, end) or _is_cut_pressure(text, position, end):
                    continue
                if length > 1 or is_free(position):
                    found.append(Match(entry[0], entry[1], position, end))
                    # After 没 or 不 a longer word may begin: 没心跳 is the end, 没心跳快 only no fast one.
                    covered = covered if character in _NEGATORS else end
                    break
        return found

    def _by_pattern(self, text: str) -> list[Match]:
        return [
            Match("symptom", name, match.start(), match.end(), negated=bool(match.groupdict().get("negation")))
            for name, pattern in self._patterns
            for match in pattern.finditer(text)
            if match.end() > match.start()
        ]

    def _without_overlaps(self, found: list[Match], text: str) -> list[Match]:
        """Of matches that overlap the longer one, of equally long ones the graver; at most ``MOST_MATCHES``."""
        kept: list[Match] = []
        taken = bytearray(len(text))
        furthest: dict[int, int] = {}
        for match in found:
            furthest[match.start] = max(match.end, furthest.get(match.start, 0))
        found = [match for match in found if not _cut_short(match, furthest, text)]
        for match in sorted(found, key=lambda m: (m.start - m.end, self._rank.get(m.name, 3), m.start)):
            if not any(taken[match.start : match.end]):
                taken[match.start : match.end] = b"\1" * (match.end - match.start)
                kept.append(match)
        return sorted(kept, key=lambda m: m.start)[:MOST_MATCHES]


MOST_MATCHES = 60
"""What is taken of one message: nobody tells more, but who pastes a page must not keep others waiting."""
_NEGATORS = "没不"


def _is_cut_pressure(text: str, start: int, end: int) -> bool:
    """Whether 血压高 only cuts into 血压高压150: that is a value, no complaint."""
    return text.startswith("压", end) and text[start:end] in ("血压高", "血压低")


_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def _inside_latin_word(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` begins or ends within a longer word of Latin letters (ct in fact)."""
    begins = text[start] in _LATIN and start > 0 and text[start - 1] in _LATIN
    ends = text[end - 1] in _LATIN and end < len(text) and text[end] in _LATIN
    return begins or ends


def _cut_short(match: Match, furthest: dict[int, int], text: str) -> bool:
    """Whether a word that begins with 没 or 不 only cuts into a longer word that is itself denied (没有|心跳快).

    ``furthest`` tells where the longest match that begins at a place ends.
    """
    if text[match.start] not in _NEGATORS:
        return False
    inner = match.start + (2 if text.startswith("没有", match.start) else 1)
    return furthest.get(inner, 0) > match.end


_FILLER = (
    "一直|有点儿?|有些|有时候?|偶尔|很|特别|非常|好|就|也|还|都|总是|总|老是|老|经常|时不时|一阵阵的?|一阵|阵阵|隐隐|开始|突然|最近|"
    "这几天|又|感觉到?|觉得|有|里面|里|上面?|两边|左边|右边|部位?|那里|那块|附近|下面|的|得|在|发|会|还是|更|越来越|持续|跟|像|说|稍微|轻微|"
    "中间|正中间?|偏左|偏右|今天|昨天|现在|晚上|早上|上下楼|走路|活动|睡觉|吃饭|时候?|的时候|钻心地?|火辣辣地?|抽着|一跳一跳地?|胀胀的|热热的|,|"
    "剧烈[地的]?|强烈[地的]?|猛烈[地的]?|严重[地的]?|厉害[地的]?|狠狠[地的]?|猛地?|突发|阵发性|持续性|压榨[样性]?|撕裂样|刀割样|"
    "(?:像?被?(?:针扎|刀割|刀绞|火烧|电击|石头压着?|撕开)[了似]?(?:一?样|一般|似)?[地的]?)|"
    "超级|超|巨|贼|老是|死|相当|极其|极度|异常|蛮|怪|可|真|实在|那个?|这个?|一抽一抽地?|一下一下地?|一直在|一个劲地?|不停地?"
)
_INNER_NEGATION = "并不|也不|都不|不再|不怎么|不太|不会|不|没有|没|倒不|一点也不|一点都不|还不"


class _Compound:
    """Body part, perhaps a filler or a negation, then a sensation: "肚子一直有点疼", "头不晕", "腰和腿疼"."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._parts = {word: part for part in anatomy.parts for word in part.synonyms}
        self._sensations = {word: row.name for row in anatomy.sensations for word in row.synonyms}
        parts = _alternation(self._parts)
        self._head = re.compile(rf"(?=({parts}))")
        filler = f"(?:{_FILLER}){{0,4}}?"
        self._tail = re.compile(
            rf"(?:[、和跟与及](?:{parts})){{0,3}}{filler}(?P<negation>{_INNER_NEGATION})?{filler}"
            rf"(?P<sensation>{_alternation(self._sensations)})"
        )

    def find(self, text: str) -> list[Match]:
        """Every body part that has a sensation, the longest name of the part at each place."""
        found: list[Match] = []
        covered = 0
        for head in self._head.finditer(text):
            word = head.group(1)
            start = head.start()
            if start < covered:
                continue
            covered = start + len(word)
            match = self._tail.match(text, covered)
            if match is None:
                continue
            part = self._parts[word]
            symptom = part.symptoms.get(self._sensations[match.group("sensation")])
            if symptom is not None:
                negated = match.group("negation") is not None
                found.append(Match("symptom", symptom, start, match.end(), part.name, negated))
        return found

    def find_places(self, text: str) -> list[Match]:
        """Body parts named alone, each as the pain that it can have."""
        found: list[Match] = []
        covered = 0
        for head in self._head.finditer(text):
            part = self._parts[head.group(1)]
            if head.start() >= covered and "痛" in part.symptoms:
                covered = head.start() + len(head.group(1))
                found.append(Match("symptom", part.symptoms["痛"], head.start(), covered, part.name))
        return found


def _rows(language: ClinicalLanguage) -> Iterable[tuple[Kind, list[tuple[str, tuple[str, ...]]]]]:
    yield "symptom", [(row.name, (row.name, *row.synonyms)) for row in language.symptoms]
    yield "operation", [(row.name, (row.name, *row.synonyms)) for row in language.operations]
    yield "treatment", [(row.name, (row.name, *row.synonyms)) for row in language.treatments]
    yield "examination", [(row.name, (row.name, *row.synonyms)) for row in language.examinations]
    # What an examination found is said more exactly than the disease that it may mean: 心肌缺血 is not yet 冠心病.
    diseases = [row for row in language.diseases if row.spoken]
    yield "disease", [(row.name, (row.name, *row.synonyms)) for row in (*language.findings, *diseases)]
    yield "drug", [(row.name, (row.name, *row.synonyms)) for row in language.drugs]


def _alternation(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
