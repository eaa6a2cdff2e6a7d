"""One language provider for all tests: it keeps no state, and reading its dictionaries takes a second."""

from functools import cache

from nlu.embedded import EmbeddedProvider


@cache
def shared_provider() -> EmbeddedProvider:
    """The shipped provider, built on first use."""
    return EmbeddedProvider()
