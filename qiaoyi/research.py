"""`qiaoyi export-research`: a table for research as a file, with the checks and the proof of the console."""

import argparse
import asyncio
import json
import sys
from datetime import timedelta

from backend.errors import DomainError
from backend.research import Wish
from backend.security.policy import Actor, Role
from qiaoyi.house import open_house
from qiaoyi.settings import Settings

# Who has the machine has the administrator's right; that it was nobody of the console, the missing name tells.
_OPERATOR = Actor("", frozenset({Role.ADMINISTRATOR}))


async def export_research(settings: Settings, options: argparse.Namespace) -> int:
    """Write the table and print its manifest; 1 where there can be none."""
    if options.file.exists():
        print(f"{options.file} is there already", file=sys.stderr)
        return 1
    async with open_house(settings) as house:
        until = options.until or house.clock.today().date()
        since = options.since or until - timedelta(days=364)
        wish = Wish(since, until, options.k or settings.research_k, options.months, options.with_text)
        try:
            asked = await house.exports.ask(_OPERATOR, options.purpose, wish)
            made = await house.exports.make(asked.id)
            if made.refusal:
                print(made.refusal, file=sys.stderr)
                return 1
            content = await house.exports.take(_OPERATOR, asked.id)
        except DomainError as refusal:
            print(refusal.sentence, file=sys.stderr)
            return 1
    await asyncio.to_thread(options.file.write_bytes, content)
    print(json.dumps({"id": made.id, "purpose": made.purpose, **(made.manifest or {})}, ensure_ascii=False))
    return 0
