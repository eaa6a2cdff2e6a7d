"""Who understands what patients write in this process, as the settings say."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from nlu import differential
from nlu.embedded import EmbeddedProvider
from nlu.rasa_client import RasaClient
from nlu.rasa_provider import Counts, RasaProvider
from nlu.types import Provider
from qiaoyi.settings import NluProvider, Settings


@dataclass(frozen=True)
class Language:
    """The provider with what surrounds it.

    Attributes:
        state: gives one word for those who look after the process.
        loops: what has to run beside it, by name.
    """

    provider: Provider
    state: Callable[[], str]
    loops: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)


def make_language(settings: Settings, http: aiohttp.ClientSession, counts: Counts) -> Language:
    """Give the provider that `settings` name; a Rasa server is looked for by its loop, and need not be there yet.

    Whatever else reads language data is loaded too, so that a damaged file stops the start.
    """
    embedded = EmbeddedProvider()
    differential.prepare()
    if settings.nlu_provider is NluProvider.EMBEDDED:
        return Language(embedded, lambda: "embedded")
    rasa = RasaProvider(RasaClient(http, settings.rasa_url, settings.rasa_timeout), embedded, counts)
    return Language(rasa, lambda: f"rasa {rasa.state}", {"language server": rasa.run})
