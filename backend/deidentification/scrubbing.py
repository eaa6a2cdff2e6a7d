"""Taking out of a text whatever names a person."""

import unicodedata
from collections.abc import Iterable
from datetime import date

from backend.deidentification.known import Identifiers, find_known
from backend.deidentification.patterns import find_patterns
from backend.deidentification.recogniser import find_unknown
from backend.deidentification.rules import Scrubbed, Span, without


def scrub(text: str, known: Identifiers, visit: date | None = None) -> Scrubbed:
    """Give `text` without names, numbers, contacts, places, institutions and dates; ages become bands.

    What is `known` goes wherever it stands, also spaced, hyphenated, in full width or with Chinese digits; whatever
    else looks like it goes too, so that rather a word too many goes than one too few.

    Args:
        known: what names those of the case.
        visit: the day from which dates are counted; without it they become a placeholder.
    """
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return without(visible, _spans(visible, known, visit))


def scrub_all(texts: Iterable[str], known: Identifiers, visit: date | None = None) -> list[Scrubbed]:
    """Scrub several texts of one case, as `scrub`."""
    return [scrub(text, known, visit) for text in texts]


def _spans(text: str, known: Identifiers, visit: date | None) -> list[Span]:
    return [*find_known(text, known), *find_patterns(text, visit), *find_unknown(text)]
