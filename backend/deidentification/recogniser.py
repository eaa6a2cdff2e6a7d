"""Names of people, places and institutions that nobody told of, recognised by parts of speech (jieba's hidden Markov
model) and by the words around them."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from backend.deidentification.clinical_words import clinical_words
from backend.deidentification.rules import Kind, Span, span
from backend.deidentification.surnames import COMMON, COMPOUND, TITLES, UNMISTAKABLE
from data.dictionary import pos_tokenizer
from data.naming import naming

_WORD_FREQUENCY = 20_000
_MEDICAL = "med"
_LONGEST_NAME = 4

_SURNAME = "|".join([*sorted(COMPOUND), f"[{''.join(sorted(UNMISTAKABLE))}]"])
_TITLED = re.compile(rf"(?<!主)(?:{_SURNAME})(?:{TITLES})")
_NICKNAME = re.compile(rf"(?:老|小|阿)(?:{_SURNAME})(?=[，。；、！？,.;\s）)]|说|的|和|来|带|家|称|诉|$)")
_CALLED = re.compile(
    rf"(?:姓名|名叫|叫做|患者|患儿|病人|家属|联系人|监护人|陪护|丈夫|妻子|儿子|女儿|父亲|母亲|爱人|老伴|孙子|孙女|哥哥|姐姐|弟弟|妹妹)"
    rf"(?:是|为|叫)?\s*[:：]?\s*(?P<name>(?:{_SURNAME})[\u4e00-\u9fff]{{1,2}})(?=[，。；、！？,.;\s（()）]|$)"
)
_LIVES = re.compile(
    r"(?:家住|现住|居住于|住址|地址|户籍(?:地|所在地)?|籍贯|老家在?|来自|工作单位|单位)\s*[:：为是在]?\s*(?P<place>[^，。；,;\n]{2,40})"
)

_INSTITUTION = re.compile(
    "(?:医院|卫生院|卫生室|卫生所|卫生站|服务站|服务中心|诊所|门诊部|药房|药店|保健院|疾控中心|急救中心|学校|小学|中学|高中|大学|学院|幼儿园|公司|工厂|"
    "[^方]厂|养老院|敬老院|福利院|派出所|居委会|村委会|合作社|监狱|工地|矿|集团|银行|饭店|超市)$"
)
_ADMINISTRATIVE = re.compile(
    "(?:省|市|县|区|旗|镇|乡|村|屯|庄|社区|街道|街|路|大道|巷|弄|胡同|组|里|湾|寨|坪|坝|沟|州)$"
)
_VILLAGE = re.compile("[村屯庄寨坪坝沟湾]")
_HOUSE = re.compile(r"\s*[0-9一二三四五六七八九十]+(?:号楼?|栋|幢|单元|室|组|队|弄)(?:[0-9-]+(?:号|室|单元)?)*")
_PLAIN = frozenset(naming().plain_places)
_LEADING = ("ns", "nr", "nz", "nt", "n", "j", "m", "f", "zg", "s", "g")


@dataclass(frozen=True)
class _Token:
    word: str
    tag: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.word)


def find_unknown(text: str) -> Iterator[Span]:
    """Give what in `text` looks like a person's name, a place or an institution."""
    tokens = _tokens(text)
    yield from _institutions(tokens)
    yield from _places(text, tokens)
    yield from _names(tokens)
    for pattern in (_TITLED, _NICKNAME):
        for found in pattern.finditer(text):
            yield span(*found.span(), Kind.NAME, guessed=True)
    for found in _CALLED.finditer(text):
        if not _is_medical(found["name"]):
            yield span(*found.span("name"), Kind.NAME, guessed=True)
    for found in _LIVES.finditer(text):
        yield span(*found.span("place"), Kind.PLACE, guessed=True)


def _names(tokens: list[_Token]) -> Iterator[Span]:
    for position, token in enumerate(tokens):
        if token.tag != "nr" and token.word not in COMPOUND:
            continue
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if following is not None and _is_surname(token.word) and _can_be_given(following, tokens[position + 2 :]):
            yield span(token.start, following.end, Kind.NAME, guessed=True)
        elif 1 < len(token.word) <= _LONGEST_NAME and _bears_surname(token.word):
            yield span(token.start, token.end, Kind.NAME, guessed=True)


def _can_be_given(token: _Token, after: list[_Token]) -> bool:
    if token.tag == _MEDICAL or not 1 <= len(token.word) <= 2 or not re.fullmatch("[\u4e00-\u9fff]+", token.word):
        return False
    titled = bool(after) and re.match(f"(?:{TITLES})", after[0].word) is not None
    return titled or token.tag in ("nr", "nz", "ns", "nrt")


def _bears_surname(word: str) -> bool:
    return (word[:2] in COMPOUND and len(word) > len("欧阳")) or word[0] in UNMISTAKABLE


def _is_surname(word: str) -> bool:
    return word in COMPOUND or word in COMMON


def _institutions(tokens: list[_Token]) -> Iterator[Span]:
    for position, token in enumerate(tokens):
        if _INSTITUTION.search(token.word) is None:
            continue
        leading = _before(tokens, position)
        if leading and not all(one.word in _PLAIN for one in leading):
            yield span(leading[0].start, token.end, Kind.INSTITUTION, guessed=True)
        elif token.tag == "nt" and len(token.word) > len("卫生院"):
            yield span(token.start, token.end, Kind.INSTITUTION, guessed=True)


def _before(tokens: list[_Token], position: int) -> list[_Token]:
    """Give the tokens before one that belong to the same name of an institution."""
    first = position
    while first > 0 and tokens[first - 1].tag.startswith(_LEADING) and tokens[first - 1].tag != _MEDICAL:
        first -= 1
    return tokens[first:position]


def _places(text: str, tokens: list[_Token]) -> Iterator[Span]:
    for position, token in enumerate(tokens):
        end = token.end
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        named = token.tag == "ns" and len(token.word) > 1 and token.word not in COMPOUND
        suffix = _suffix_after(token, following)
        if not named and not suffix and token.tag not in ("nr", "nz", "ns"):
            continue
        if suffix and following is not None:
            named, end = True, following.end
        elif token.tag in ("nr", "nz") and len(token.word) > 2 and _ADMINISTRATIVE.search(token.word):
            named = True
        if named:
            house = _HOUSE.match(text, end)
            yield span(token.start, house.end() if house is not None else end, Kind.PLACE, guessed=True)


def _suffix_after(token: _Token, following: _Token | None) -> bool:
    """Tell whether the next token says that this one is a place: 石桥 镇; 王家 村, where any word may come before."""
    if following is None or token.tag == _MEDICAL or token.word in _PLAIN:
        return False
    if token.tag in ("n", "nrt", "i", "l") and len(token.word) > 1:
        return _VILLAGE.fullmatch(following.word) is not None
    return token.tag in ("nr", "nz", "ns") and _ADMINISTRATIVE.fullmatch(following.word) is not None


def _is_medical(text: str) -> bool:
    return any(text[start:end] in clinical_words() for start in range(2) for end in range(start + 2, len(text) + 2))


def _tokens(text: str) -> list[_Token]:
    tokens, start = [], 0
    with _lock:
        pairs = [(pair.word, pair.flag) for pair in _tagger().cut(text)]
    for word, tag in pairs:
        tokens.append(_Token(word, _MEDICAL if word in clinical_words() else tag, start))
        start += len(word)
    return tokens


_lock = threading.Lock()
"""The tagger keeps tables that it fills while it cuts."""


@cache
def _tagger() -> Any:
    made = pos_tokenizer()
    for word in clinical_words():
        made.tokenizer.add_word(word, freq=_WORD_FREQUENCY, tag=_MEDICAL)
    return made
