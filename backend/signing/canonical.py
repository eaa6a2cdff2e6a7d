"""One text for one JSON value: the JSON Canonicalization Scheme (RFC 8785), for what signatures are made of. Pure."""

import json
from typing import Any

_LARGEST = 2**53 - 1  # beyond it a number of ECMAScript is not exact (RFC 8785, section 3.2.2.3)


def canonical_json(value: Any) -> bytes:
    """Give `value` in canonical form as UTF-8.

    Numbers are whole ones alone: what is measured is written as text, so that no digit depends on who prints it.

    Raises:
        ValueError: a number that is not whole or too large, a key that is no text, half of a surrogate pair, or
            something that JSON does not know.
    """
    return _written(value).encode()


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{_written(value[key])}" for key in sorted(value, key=_order)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_written(one) for one in value) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return str(value)
    raise ValueError(f"a {type(value).__name__} has no canonical form here")


def _text(text: str) -> str:
    text.encode()  # half of a pair raises UnicodeEncodeError, a ValueError
    return json.dumps(text, ensure_ascii=False)


def _order(key: str) -> bytes:
    """Order keys by their UTF-16 code units (section 3.2.3)."""
    if not isinstance(key, str):
        raise ValueError("a key is a text")
    return key.encode("utf-16-be")
