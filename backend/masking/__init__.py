"""A masked copy of the database for those who test and develop: the same shapes and relations, and nobody in it."""

from backend.masking.checking import Leak, MaskingRefused
from backend.masking.service import MaskedCopies

__all__ = ["Leak", "MaskedCopies", "MaskingRefused"]
