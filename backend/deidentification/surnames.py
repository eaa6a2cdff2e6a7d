"""Chinese family names, and what follows them."""

from data.naming import naming

COMPOUND = frozenset(naming().compound_surnames)
COMMON = frozenset(naming().surnames)
UNMISTAKABLE = COMMON - frozenset(naming().words_before_titles)
"""Those that before a title are nothing else: 和医生 is no doctor's name."""

TITLES = "|".join(sorted(naming().titles, key=len, reverse=True))
"""A pattern of what follows a family name."""
