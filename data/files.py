"""Reading the reference files: UTF-8 JSON, validated, each fault told in one line."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from data.errors import DataError

T = TypeVar("T")

ROOT = Path(__file__).parent
"""The folder that the shipped files lie in."""


class Row(BaseModel):
    """Base of every row of a reference file: immutable, and an unknown field is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_rows(path: Path, row: type[T]) -> tuple[T, ...]:
    """The rows of the JSON array in ``path``, each validated as ``row``.

    Raises ``DataError`` where the file is missing, unreadable, no JSON, empty, or a row does not fit.
    """
    rows = validate(path, read_json(path), TypeAdapter(tuple[row, ...]))  # type: ignore[valid-type]
    if not rows:
        raise DataError(f"{path}: holds no rows")
    return rows


def read_object(path: Path, model: type[T]) -> T:
    """The one JSON value in ``path``, validated as ``model``; ``DataError`` as in ``read_rows``."""
    return validate(path, read_json(path), TypeAdapter(model))


def read_json(path: Path) -> Any:
    """The JSON value in ``path``; ``DataError`` where it is missing, unreadable or no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: not JSON at line {error.lineno}: {error.msg}") from error


def validate(path: Path, value: Any, adapter: TypeAdapter[T]) -> T:
    """``value`` as the adapter's type; ``DataError`` that names the first field that does not fit."""
    try:
        return adapter.validate_python(value, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise DataError(f"{path}: {place}: {first['msg']}") from error


def require_unique(path: Path, what: str, values: list[str]) -> None:
    """``DataError`` where a value comes twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise DataError(f"{path}: {what} {value!r} comes twice")
        seen.add(value)
