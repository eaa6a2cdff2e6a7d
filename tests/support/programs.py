"""Foreign programs, as a modality's or another house's."""

import asyncio
from pathlib import Path

from tests.support.requirements import require_program


async def run_program(program: str, *arguments: str | Path) -> tuple[int, str]:
    """Run a program; give its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        require_program(program), *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
