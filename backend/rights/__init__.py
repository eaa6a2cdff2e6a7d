"""What a person can ask of the platform about their own data: who saw it, a copy of it, that it is put right or
destroyed (docs/governance.md)."""

from backend.rights.accesses import Access, AccessHistory
from backend.rights.amendment_rules import (
    AmendmentState,
    AmendmentView,
    Part,
    PartView,
    WaitingAmendment,
)
from backend.rights.amendments import Amendments
from backend.rights.copies import DataCopies
from backend.rights.erasures import Erasures
from backend.rights.rules import Blocker, Overview

__all__ = [
    "Access",
    "AccessHistory",
    "AmendmentState",
    "AmendmentView",
    "Amendments",
    "Blocker",
    "DataCopies",
    "Erasures",
    "Overview",
    "Part",
    "PartView",
    "WaitingAmendment",
]
