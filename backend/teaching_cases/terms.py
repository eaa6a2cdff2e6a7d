"""The terms by which a case is found: words of Chinese medicine, each in one of its spellings, and codes.

BM25 as Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), give it.
"""

import math
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from backend.deidentification import clinical_words
from backend.teaching_cases.views import Content
from data.clinical_language import clinical_language
from data.dictionary import tokenizer
from data.icd10 import parents

K1, B = 1.2, 0.75
USUAL_LENGTH = 100
LONGEST_TERM = 48
MOST_WORDS = 40
TITLE_WEIGHT = 3
ICD, TAG, DEPARTMENT, SIGN = "icd:", "tag:", "dep:", "sign:"

_WORD_FREQUENCY = 20_000
_COMMON = frozenset({
    "患者", "病人", "出现", "未见", "明显", "可见", "给予", "建议", "考虑", "目前", "现在", "左右",
    "伴有", "否认", "提供", "未提供", "情况", "就诊", "复查", "注意", "一般", "正常", "进行", "治疗",
    "检查", "以及", "没有", "医生", "医院", "姓名", "机构", "地名", "日期", "号码", "联系方式", "年龄",
})  # fmt: skip
"""Words that stand in nearly every record, and those of placeholders."""


def words_of(text: str) -> list[str]:
    """Give the words of a text that it can be found by, in order; what means the same is the same word."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    with _lock:
        cut = list(_tokenizer().cut_for_search(folded))
    words = (_canonical().get(word, word) for word in cut)
    return [word[:LONGEST_TERM] for word in words if _says_something(word)]


def terms_of(content: Content, department_code: str) -> Counter[str]:
    """Give the terms of a case and how often each stands there."""
    terms = Counter(words_of("\n".join((*content.sections.values(), *content.diseases))))
    for word in words_of(content.title):
        terms[word] += TITLE_WEIGHT
    terms.update(code_terms(content.codes))
    terms.update([f"{TAG}{tag}" for tag in content.tags])
    terms.update([f"{SIGN}{sign}" for sign in content.signs])
    terms[f"{DEPARTMENT}{department_code}"] += 1
    return terms


def code_terms(codes: Iterable[str]) -> set[str]:
    """Give the terms of ICD-10 codes: themselves, their categories, blocks and chapters."""
    return {f"{ICD}{one}" for code in codes for one in (code, *parents(code))}


def length_of(terms: Counter[str]) -> int:
    """Give how many words a case has, for BM25; codes and tags are none."""
    return sum(count for term, count in terms.items() if is_word(term))


def impact(term: str, count: int, length: int) -> float:
    """Give what a term adds to the score of a case, but for the term's own weight: BM25's saturation of how often it
    stands in so many words. The usual length of a case stands for the mean, so that it holds however the library
    grows. A code or a sign is there or not.
    """
    if not is_word(term):
        return 1.0
    return count * (K1 + 1) / (count + K1 * (1 - B + B * length / USUAL_LENGTH))


def is_word(term: str) -> bool:
    """Tell whether a term is a word, not a code, a tag, a department or a sign."""
    return not term.startswith((ICD, TAG, DEPARTMENT, SIGN))


def rarity(documents: int, holding: int) -> float:
    """Give the weight of a term that `holding` of `documents` hold, always above 0."""
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5))


def _says_something(word: str) -> bool:
    stripped = word.strip()
    return len(stripped) > 1 and stripped not in _COMMON and any(one.isalpha() for one in stripped)


_lock = threading.Lock()


@cache
def _tokenizer() -> Any:
    made = tokenizer()
    for word in clinical_words():
        made.add_word(word.casefold(), freq=_WORD_FREQUENCY)
    return made


@cache
def _canonical() -> dict[str, str]:
    """For every way of saying a symptom, disease, medicine or examination its name."""
    language = clinical_language()
    names: dict[str, str] = {}
    for symptom in language.symptoms:
        names |= dict.fromkeys((symptom.record, *symptom.synonyms), symptom.name)
    for disease in language.diseases:
        names |= dict.fromkeys(disease.synonyms, disease.name)
    for thing in (*language.findings, *language.drugs, *language.examinations, *language.operations):
        names |= dict.fromkeys(thing.synonyms, thing.name)
    return {word.casefold(): name for word, name in names.items() if len(word) > 1}
