"""Statements as a table for a spreadsheet (RFC 4180). Pure."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from backend.remuneration.rules import Payee
from backend.remuneration.views import StatementView

HEADINGS = ("月份", "状态", "类别", "姓名", "机构", "会诊编号", "项目", "金额（元）", "办法", "怎么算的")
PAYEES = {Payee.EXPERT: "专家", Payee.INSTITUTION: "机构"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(statements: Iterable[StatementView]) -> str:
    """Give the statements as comma-separated values, as `rows` are.

    No text in it is run as a formula by a spreadsheet (CWE-1236): such a cell begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    writer.writerows([_safe(cell) for cell in row] for row in rows(statements))
    return out.getvalue()


def rows(statements: Iterable[StatementView]) -> Iterator[tuple[str | Decimal, ...]]:
    """Give a row for each amount of the statements, then one for what is carried and one for what is paid."""
    for statement in statements:
        yield from _rows(statement)


def _rows(statement: StatementView) -> Iterator[tuple[str | Decimal, ...]]:
    state = "已结" if statement.closed_at is not None else "未结"
    common = (statement.month, state, PAYEES[statement.payee], statement.name, statement.institution_name)
    for entry in statement.entries:
        why = " ".join(entry.lines)
        yield *common, entry.consultation_number, entry.kind.label, entry.amount, entry.formula, why
    for name, amount in (("上月结转", statement.carried_in), ("转入下月", statement.carried_out)):
        if amount:
            yield *common, "", name, amount, "", ""
    yield *common, "", "应发", statement.payable, "", ""


def _safe(cell: str | Decimal) -> str:
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
