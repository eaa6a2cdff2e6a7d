"""What a person can ask of the platform about their own data: who saw it, a copy of it, that it is destroyed
(docs/governance.md)."""

from backend.rights.accesses import Access, AccessHistory
from backend.rights.copies import DataCopies
from backend.rights.erasures import Erasures
from backend.rights.rules import Blocker, Overview

__all__ = ["Access", "AccessHistory", "Blocker", "DataCopies", "Erasures", "Overview"]
