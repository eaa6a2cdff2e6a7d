"""What the product knows of diseases and medicines, for people who look it up: read only, each fact with its source."""

from backend.knowledge.browsing import Entry, EntryPage, Statement
from backend.knowledge.diseases import browse_diseases
from backend.knowledge.medicines import browse_medicines

__all__ = ["Entry", "EntryPage", "Statement", "browse_diseases", "browse_medicines"]
