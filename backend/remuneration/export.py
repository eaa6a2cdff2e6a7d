"""Statements as a table for a spreadsheet (RFC 4180). Pure."""

import csv
import io
from collections.abc import Iterable, Iterator

from backend.remuneration.rules import Payee
from backend.remuneration.views import StatementView

_HEAD = ("月份", "状态", "类别", "姓名", "机构", "会诊编号", "项目", "金额（元）", "办法", "怎么算的")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_PAYEES = {Payee.EXPERT: "专家", Payee.INSTITUTION: "机构"}


def as_csv(statements: Iterable[StatementView]) -> str:
    """Give the statements as comma-separated values: a line for each amount, then one for what is carried and paid.

    No text in it is run as a formula by a spreadsheet (CWE-1236): such a cell begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    for statement in statements:
        writer.writerows(_rows(statement))
    return out.getvalue()


def _rows(statement: StatementView) -> Iterator[list[str]]:
    state = "已结" if statement.closed_at is not None else "未结"
    common = [
        statement.month,
        state,
        _PAYEES[statement.payee],
        *map(_safe, (statement.name, statement.institution_name)),
    ]
    for entry in statement.entries:
        why = _safe(" ".join(entry.lines))
        yield [*common, _safe(entry.consultation_number), entry.kind.label, f"{entry.amount:.2f}", entry.formula, why]
    for name, amount in (("上月结转", statement.carried_in), ("转入下月", statement.carried_out)):
        if amount:
            yield [*common, "", name, f"{amount:.2f}", "", ""]
    yield [*common, "", "应发", f"{statement.payable:.2f}", "", ""]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
