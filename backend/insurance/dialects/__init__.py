"""How provinces speak the national platform's language: one small file each, named in the settings."""

from backend.insurance.dialects.dialect import Dialect
from backend.insurance.dialects.example import EXAMPLE
from backend.insurance.dialects.national import NATIONAL

DIALECTS = {one.name: one for one in (NATIONAL, EXAMPLE)}
"""By name; another province's is added here."""

__all__ = ["DIALECTS", "Dialect"]
