"""What a client writes behind the question mark, read as a search. Pure.

Source: FHIR R4, section 3.1.1. A parameter that is not known is refused or left out, as the client prefers
(`Prefer: handling`); a modifier, a chain or a value that is not understood is always refused, for leaving it out would
find more than was asked for.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime, timedelta

from backend.clock import LOCAL_ZONE
from backend.errors import InvalidInput
from backend.fhir.searching import (
    Criterion,
    Moment,
    ParameterType,
    Position,
    Prefix,
    Search,
    SearchParameter,
    Token,
    TooCostly,
    Value,
)
from backend.records.facade.outcomes import Unsupported

USUAL_COUNT, MOST_COUNT = 20, 100
IDENTIFIER = re.compile(r"[A-Za-z0-9\-.]{1,64}")

_MOST_PARAMETERS, _MOST_VALUES, _LONGEST_VALUE = 30, 50, 500
_SPOKEN = {"_format", "_pretty"}  # of the answer's form, read elsewhere
_COMMA = re.compile(r"(?<!\\),")
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([\\,|$])")
_DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb)?(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,9})?)?"
    r"(?P<zone>Z|[+ -][0-9]{2}:[0-9]{2})?)?)?)?"
)


@dataclass(frozen=True)
class SearchRequest:
    """A search as it came.

    Args:
        parameters: names and values in their order. strict: a parameter that is not known is refused.
    """

    type: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    strict: bool = False


@dataclass(frozen=True)
class Understood:
    """A search that was understood: with the parameters that were used, and the names of those that were left out."""

    search: Search
    used: tuple[tuple[str, str], ...] = field(repr=False)
    ignored: tuple[str, ...]


def understand(
    request: SearchRequest,
    known: Mapping[str, SearchParameter],
    orders: Sequence[str],
    base: str,
    after: Position | None = None,
) -> Understood:
    """Read a search.

    Args:
        known: the parameters of its type. orders: what it can be sorted by, the usual one first.
        base: our own address, below which references may be written in full.

    Raises:
        InvalidInput: a value that cannot be. Unsupported: something that is not offered. TooCostly: too much at once.
    """
    if len(request.parameters) > _MOST_PARAMETERS:
        raise TooCostly
    criteria: list[Criterion] = []
    used: list[tuple[str, str]] = []
    ignored: list[str] = []
    count, order, descending = USUAL_COUNT, orders[0], True
    for name, raw in request.parameters:
        if name in _SPOKEN:
            continue
        if name == "_count":
            count = _count(raw)
        elif name == "_sort" and raw.removeprefix("-") in orders:
            order, descending = raw.removeprefix("-"), raw.startswith("-")
        elif name in known:
            criteria.append(Criterion(name, tuple(_values(known[name], raw, base))))
        else:
            _refuse_half_known(name, known)
            if request.strict:
                raise Unsupported(f"不支持参数“{name[:40]}”。", field=name[:40])
            ignored.append(name)
            continue
        used.append((name, raw))
    search = Search(tuple(criteria), order, descending, after, count)
    _require_patient(search, known)
    return Understood(search, tuple(used), tuple(ignored))


def _count(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise InvalidInput("_count 要填一个数。", field="_count")
    return min(int(raw), MOST_COUNT)


def _refuse_half_known(name: str, known: Mapping[str, SearchParameter]) -> None:
    base = re.split(r"[:.]", name, maxsplit=1)[0]
    if base != name and base in known:
        raise Unsupported(f"不支持“{name[:40]}”这种写法。", field=name[:40])


def _require_patient(search: Search, known: Mapping[str, SearchParameter]) -> None:
    for criterion in search.criteria:
        if known[criterion.name].needs_patient and not search.patients and not search.values("_id"):
            raise InvalidInput(f"按“{criterion.name}”找的时候，还要写明是哪位患者（patient）。", field=criterion.name)


def _values(parameter: SearchParameter, raw: str, base: str) -> Iterable[Value]:
    parts = [part for part in _COMMA.split(raw) if part]
    if len(parts) > _MOST_VALUES or len(raw) > _MOST_VALUES * _LONGEST_VALUE:
        raise TooCostly
    if not parts:
        raise InvalidInput(f"参数“{parameter.name}”没有写值。", field=parameter.name)
    for part in parts:
        if parameter.type is ParameterType.TOKEN:
            yield _token(parameter, part)
        elif parameter.type is ParameterType.DATE:
            yield read_moment(part, parameter.name)
        else:
            yield _reference(parameter, part, base)


def _token(parameter: SearchParameter, text: str) -> Token:
    parts = [_ESCAPED.sub(r"\1", part) for part in _BAR.split(text)]
    system, code = (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    if len(parts) > 2 or not code or len(code) > _LONGEST_VALUE or "\x00" in text:
        raise InvalidInput(f"参数“{parameter.name}”的值不对。", field=parameter.name)
    return Token(system, code)


def _reference(parameter: SearchParameter, text: str, base: str) -> str:
    local = text.removeprefix(f"{base}/")
    type_, _, identifier = local.rpartition("/")
    if type_ not in ("", parameter.target) or IDENTIFIER.fullmatch(identifier) is None:
        raise InvalidInput(f"参数“{parameter.name}”要写成 {parameter.target}/编号。", field=parameter.name)
    return identifier


def read_moment(text: str, name: str) -> Moment:
    """Read a date of a search; one without a zone is of China.

    Raises:
        InvalidInput: it is none.
    """
    parts = _DATE.fullmatch(text)
    wrong = InvalidInput(f"参数“{name}”的日期不对，要像 2026-11-20 或 ge2026-11 这样。", field=name)
    if parts is None or int(parts["year"]) >= MAXYEAR:
        raise wrong
    zone = (parts["zone"] or "").replace(" ", "+")  # a plus sign that the client did not escape
    fraction = (parts["fraction"] or "")[1:7]
    written = (
        f"{parts['year']}-{parts['month'] or '01'}-{parts['day'] or '01'}T{parts['hour'] or '00'}:"
        f"{parts['minute'] or '00'}:{parts['second'] or '00'}.{fraction:0<6}{zone}"
    )
    try:
        start = datetime.fromisoformat(written)
        start = start.replace(tzinfo=LOCAL_ZONE) if start.tzinfo is None else start
        end = _end(start, parts)
    except (ValueError, OverflowError):
        raise wrong from None
    return Moment(Prefix(parts["prefix"] or "eq"), start, end)


def _end(start: datetime, parts: re.Match[str]) -> datetime:
    """Give the moment before which the stretch ends that is written so exactly, or so roughly."""
    if parts["fraction"]:
        return start + timedelta(microseconds=10 ** max(0, 6 - len(parts["fraction"][1:])))
    for name, length in (
        ("second", timedelta(seconds=1)),
        ("minute", timedelta(minutes=1)),
        ("day", timedelta(days=1)),
    ):
        if parts[name]:
            return start + length
    if parts["month"]:
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start.replace(year=start.year + 1)
