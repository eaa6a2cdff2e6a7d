"""Who understands what patients write, as the settings say."""

import aiohttp
import pytest

from bot.metrics import Metrics
from nlu import differential
from nlu.embedded import EmbeddedProvider
from nlu.models import ModelError
from nlu.rasa_provider import RasaProvider
from qiaoyi.language import make_language
from qiaoyi.settings import SettingsError, load


async def test_this_process_understands_by_itself_unless_told_otherwise() -> None:
    async with aiohttp.ClientSession() as http:
        language = make_language(load(), http, Metrics())
    assert isinstance(language.provider, EmbeddedProvider)
    assert language.state() == "embedded"
    assert not language.loops


async def test_a_rasa_server_is_looked_for_by_a_loop_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAOYI_NLU_PROVIDER", "rasa")
    async with aiohttp.ClientSession() as http:
        language = make_language(load(), http, Metrics())
    assert isinstance(language.provider, RasaProvider)
    assert language.state() == "rasa starting"
    assert list(language.loops) == ["language server"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NLU_PROVIDER", "chatbot"),
        ("RASA_URL", "localhost:5005"),
        ("RASA_TIMEOUT", "0"),
        ("RASA_TIMEOUT", "60"),
        ("RASA_TIMEOUT", "soon"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"QIAOYI_{name}", value)
    with pytest.raises(SettingsError, match=name.lower()):
        load()


async def test_a_damaged_ranking_model_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise ModelError("differential.onnx: the model file is damaged")

    monkeypatch.setattr(differential, "learned_ranking", damaged)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ModelError, match="differential"):
            make_language(load(), http, Metrics())
