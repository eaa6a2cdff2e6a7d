"""What a person can ask of the platform about their own data: who saw it, and a copy of it (docs/governance.md)."""

from backend.rights.accesses import Access, AccessHistory
from backend.rights.copies import DataCopies

__all__ = ["Access", "AccessHistory", "DataCopies"]
