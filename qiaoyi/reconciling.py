"""The command that compares a day's ledger with the insurer's list and the provider's bill."""

import argparse
from datetime import timedelta

from backend.clock import local
from backend.security.policy import SYSTEM
from qiaoyi.house import House
from qiaoyi.settings import SettingsError


async def compare(house: House, options: argparse.Namespace) -> None:
    """Compare a day and print what was found in each book; what needs a person is kept for one.

    Raises:
        SettingsError: nothing is charged here.
    """
    if house.reconciliation is None:
        raise SettingsError("setting payment: nothing is charged here, so there is nothing to compare")
    day = options.day or local(house.clock.now()).date() - timedelta(days=1)
    for report in await house.reconciliation.reconcile(SYSTEM, day):
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(report.differences.items())) or "no difference"
        whole = "" if report.complete else "; the other side gave no whole answer, to be repeated"
        print(
            f"{report.day} {report.book}: {report.entries} entries, {kinds}, {report.for_a_person} for a person{whole}"
        )
