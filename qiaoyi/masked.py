"""`qiaoyi export-masked`: a copy of the database with nobody in it, for those who test and develop."""

import argparse
import getpass
import sys

from backend import migrations
from backend.errors import DomainError
from backend.masking import MaskedCopies, MaskingRefused
from backend.security.policy import Actor, Role
from qiaoyi.house import open_house
from qiaoyi.settings import Settings

# Who has the machine has the administrator's right; by which name they are known there, the entry says.
_OPERATOR = Actor("", frozenset({Role.ADMINISTRATOR}))


async def export_masked(settings: Settings, options: argparse.Namespace) -> int:
    """Make the copy and say what is in it; 1 where there can be none."""
    migrations.import_tables()
    async with open_house(settings) as house:
        copies = MaskedCopies(house.database, house.ring, house.audit)
        try:
            counts = await copies.make(_OPERATOR, options.purpose, options.folder, getpass.getuser())
        except DomainError as refusal:
            print(refusal.sentence, file=sys.stderr)
            return 1
        except MaskingRefused as refusal:
            print(f"refused: {refusal}", file=sys.stderr)
            return 1
        finally:
            await house.audit.seal()  # no serving process may follow that would
    print(f"{sum(counts.values())} rows, nobody among them; start on it with `qiaoyi --data {options.folder} serve`")
    return 0
