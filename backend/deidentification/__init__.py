"""Text without what names a person: what is known of a case and what looks like a name, number, place or date goes.

Pure functions; `scrub` asks a recogniser of names that takes a second to load and some milliseconds a sentence, so
services call it in a thread.
"""

from backend.deidentification.ages import age_band
from backend.deidentification.clinical_words import clinical_words
from backend.deidentification.dates import relative_day
from backend.deidentification.known import Directory, Identifiers
from backend.deidentification.rules import Kind, Removal, Scrubbed
from backend.deidentification.scrubbing import scrub, scrub_all

__all__ = [
    "Directory",
    "Identifiers",
    "Kind",
    "Removal",
    "Scrubbed",
    "age_band",
    "clinical_words",
    "relative_day",
    "scrub",
    "scrub_all",
]
