"""Making the table: coarser, shifted, scrubbed, checked, and written as Parquet. Runs in a process of its own.

Every person gets a number that is drawn by lot and a number of days by which all their dates are moved. Both live in
this function alone: nothing that could lead back is kept, not even under a key.
"""

import hashlib
import io
import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from backend.deidentification import scrub
from backend.research.anonymity import Column, Demand, Solution, Unreachable, generalise
from backend.research.hierarchies import HIERARCHIES
from backend.research.rules import TEXTS, MadeTable, RefusedTable, SourceCase, Wish
from data.research import QuasiIdentifier, ResearchRules, research_rules

_SHIFT = 365
_CHANCE = secrets.SystemRandom()


def make_table(cases: Sequence[SourceCase], wish: Wish) -> MadeTable | RefusedTable:
    """Give the table of `cases`, or why there can be none."""
    rules = research_rules()
    quasi = [one for one in rules.quasi_identifiers if one.name != "month" or wish.with_months]
    columns = [_column(one, cases) for one in quasi]
    demand = Demand(wish.k, rules.sensitive, rules.different_at_least, rules.suppressed_at_most)
    solution = generalise([case.patient for case in cases], columns, demand)
    if isinstance(solution, Unreachable):
        return RefusedTable(_refusal(solution, wish, rules), solution.people, solution.suppressed)
    rows = _rows(cases, columns, solution, wish, rules)
    content = _parquet(rows)
    names = [column.name for column in columns]
    _check(content, names, demand)
    told = {one.name: one.levels[level] for one, level in zip(quasi, solution.levels, strict=True)}
    return MadeTable(
        content,
        {
            "rows": len(rows),
            "people": len({row["person"] for row in rows}),
            "suppressed_rows": len(cases) - len(rows),
            "k": wish.k,
            "l": demand.different,
            "smallest_class": solution.smallest_class,
            "classes": solution.classes,
            "levels": told,
            "columns": list(rows[0]),
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        },
    )


def _column(one: QuasiIdentifier, cases: Sequence[SourceCase]) -> Column:
    field = {"age": "age_months", "diagnosis": "icd10", "month": "opened_on"}.get(one.name, one.name)
    values = [getattr(case, field) for case in cases]
    known = [{value: HIERARCHIES[one.name](level, value) for value in set(values)} for level in one.levels]
    return Column(one.name, [[of_level[value] for value in values] for of_level in known])


def _refusal(found: Unreachable, wish: Wish, rules: ResearchRules) -> str:
    if found.people < wish.k:
        return f"符合条件、又同意用于研究的只有{found.people}人，少于要求的{wish.k}人，不能导出。请把日期范围放宽一些。"
    left, most = round(100 * found.suppressed), round(100 * rules.suppressed_at_most)
    return (
        f"年龄、性别、地区、诊断都合并到最粗以后，还有约{left}%的病例与它相像的不足{wish.k}人，"
        f"超过了允许舍去的{most}%，不能导出。请把日期范围放宽一些。"
    )


def _rows(
    cases: Sequence[SourceCase], columns: Sequence[Column], solution: Solution, wish: Wish, rules: ResearchRules
) -> list[dict[str, Any]]:
    kept = [at for at, stays in enumerate(solution.kept) if stays]
    _CHANCE.shuffle(kept)  # the order of the cases would tell when they were
    people = sorted({cases[at].patient for at in kept})
    _CHANCE.shuffle(people)
    number = {patient: f"P{place:06}" for place, patient in enumerate(people, 1)}
    shift = {patient: timedelta(days=_CHANCE.choice((-1, 1)) * _CHANCE.randint(1, _SHIFT)) for patient in people}
    rows = []
    for at in kept:
        case = cases[at]
        levels = zip(columns, solution.levels, strict=True)
        row: dict[str, Any] = {"person": number[case.patient]}
        row |= {column.name: column.levels[level][at] for column, level in levels}
        if not wish.with_months:
            row["opened_on"] = case.opened_on + shift[case.patient]
        row |= {
            "urgency": case.urgency,
            "answer_minutes": case.answer_minutes,
            "consultation_minutes": case.consultation_minutes,
            "agreed": case.agreed,
            "stars": case.stars,
            "red_flags": case.red_flags,
            "symptoms": list(case.symptoms),
        }
        row |= {code: case.vitals.get(code) for code in rules.vital_signs}
        if wish.with_text:
            row |= {name: scrub(case.texts.get(name, ""), case.known, case.opened_on).text for name in TEXTS}
        rows.append(row)
    return rows


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    # Imported in the process that makes tables alone: it is large.
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole, number, yes, words = pa.int32(), pa.float32(), pa.bool_(), pa.string()
    types = {
        "opened_on": pa.date32(),
        "answer_minutes": whole,
        "consultation_minutes": whole,
        "agreed": yes,
        "stars": whole,
        "red_flags": whole,
        "symptoms": pa.list_(words),
    } | dict.fromkeys(research_rules().vital_signs, number)
    schema = pa.schema([(name, types.get(name, words)) for name in rows[0]])
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), written, compression="zstd")
    return written.getvalue()


def _check(content: bytes, names: Sequence[str], demand: Demand) -> None:
    """See, by counting what is in the file, that what was demanded holds.

    Raises:
        RuntimeError: it does not, so the table must not leave.
    """
    import pyarrow.parquet as pq

    people: dict[tuple[str, ...], set[str]] = defaultdict(set)
    kinds: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in pq.read_table(io.BytesIO(content), columns=["person", *names]).to_pylist():
        people[tuple(row[name] for name in names)].add(row["person"])
        kinds[tuple(row[name] for name in names if name != demand.sensitive)].add(row[demand.sensitive])
    if min(map(len, people.values())) < demand.k or min(map(len, kinds.values())) < demand.different:
        raise RuntimeError("the table does not hold what was found for it")
