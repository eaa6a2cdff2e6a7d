"""The command that gives a month's pay as a table."""

import argparse
import sys

from backend.errors import InvalidInput
from backend.remuneration.export import as_csv
from backend.security.policy import SYSTEM
from qiaoyi.house import House
from qiaoyi.settings import SettingsError

_SPREADSHEET = "utf-8-sig"
"""With the mark by which Excel knows UTF-8."""


async def export(house: House, options: argparse.Namespace) -> None:
    """Write everybody's statement of a month as comma-separated values, to a file where one is named.

    Raises:
        InvalidInput: it is no month, or the file cannot be written. SettingsError: nothing is charged here.
    """
    if house.remuneration is None:
        raise SettingsError("setting payment: nothing is charged here, so there is no pay to state")
    table = as_csv(await house.remuneration.statements(SYSTEM, options.month))
    if options.out is None:
        sys.stdout.write(table)
        return
    try:
        options.out.write_text(table, encoding=_SPREADSHEET, newline="")
    except OSError as error:
        raise InvalidInput(f"写不了文件：{error.strerror}。", field="out") from None
    print(f"{options.out}")
