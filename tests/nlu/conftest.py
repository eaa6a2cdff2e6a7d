"""The shipped provider, built once."""

from collections.abc import Callable

import pytest

from nlu.embedded import EmbeddedProvider
from nlu.types import Asked, Context, Understanding
from tests.support.language import shared_provider

Understand = Callable[..., Understanding]


@pytest.fixture(scope="session")
def provider() -> EmbeddedProvider:
    return shared_provider()


@pytest.fixture(scope="session")
def understand(provider: EmbeddedProvider) -> Understand:
    """``understand("没有", asked=Asked(...))``: what the shipped provider makes of a message."""

    def call(text: str, asked: Asked | None = None, context: Context | None = None) -> Understanding:
        return provider.understand(text, context or Context(asked=asked))

    return call
