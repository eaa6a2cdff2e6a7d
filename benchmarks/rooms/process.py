"""What a process has used, from ``/proc``."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def core_seconds(pid: int) -> float:
    """Seconds of a core, user and system, of all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Resident memory now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def open_files(pid: int) -> int:
    """Descriptors, sockets among them."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
