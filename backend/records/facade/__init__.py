"""The FHIR R4 façade over what the platform holds: sources, search, paging, errors (docs/fhir.md)."""

from backend.records.facade.outcomes import Expired, UnknownType, Unsupported, outcome, status_of
from backend.records.facade.parameters import SearchRequest
from backend.records.facade.service import Facade

__all__ = ["Expired", "Facade", "SearchRequest", "UnknownType", "Unsupported", "outcome", "status_of"]
