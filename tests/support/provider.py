"""One language provider for all tests: it keeps no state, and reading its dictionary takes a second."""

from nlu.embedded import EmbeddedProvider

PROVIDER = EmbeddedProvider()
