"""jieba's dictionary: how frequent Chinese words are, and what part of speech they are.

jieba's own reader keeps the rare half as well and takes three times as long; it also leaves a cache of marshalled data
under a predictable name in the shared temporary folder, which anyone there could replace.
"""

import importlib
import logging
import warnings
from typing import Any

with warnings.catch_warnings():
    # jieba 0.42.1 has invalid escapes in its source and imports pkg_resources: both warn, neither concerns us.
    warnings.simplefilter("ignore")
    # Imported by name because it has no types at all.
    jieba: Any = importlib.import_module("jieba")

logging.getLogger("jieba").setLevel(logging.WARNING)

_RARE = 4


def tokenizer() -> Any:
    """Give a `jieba.Tokenizer` of its own with the words that are not rare; takes some tenths of a second and writes
    nothing to disk."""
    made = jieba.Tokenizer()
    made.FREQ, made.total = _frequencies(made)
    made.initialized = True
    return made


def _frequencies(made: Any) -> tuple[dict[str, int], int]:
    """The word frequencies with an entry 0 for every beginning of a word, and their sum."""
    frequencies: dict[str, int] = {}
    total = 0
    with made.get_dict_file() as file:
        lines = file.read().decode("utf-8").splitlines()
    for line in lines:
        word, frequency_text, _tag = line.split(" ")
        frequency = int(frequency_text)
        if frequency < _RARE:
            continue
        frequencies[word] = frequency
        total += frequency
        for end in range(1, len(word)):
            frequencies.setdefault(word[:end], 0)
    return frequencies, total


def pos_tokenizer() -> Any:
    """Give a `jieba.posseg.POSTokenizer` of its own, which also says what part of speech a word is; takes a second."""
    return importlib.import_module("jieba.posseg").POSTokenizer(tokenizer())
