"""Every setting of the product: one typed object from the environment and a file, checked before anything starts.

`QIAOYI_PORT=9000` in the environment wins over `port = 9000` in the file (`qiaoyi.toml` in the working folder, or the
one that `QIAOYI_SETTINGS` names). Groups are written `QIAOYI_WECHAT__APP_ID` or `[wechat] app_id = …`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, HttpUrl, IPvAnyNetwork, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as EnvironmentSourceError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from backend.imaging.retention import REJECTED_KEPT
from backend.insurance.settings import InsurerSettings
from backend.lossless import Method
from backend.payment.settings import WeChatPaySettings
from backend.prescription import VALID_DAYS, Limits
from backend.signing import Algorithm
from backend.video.desk import KEPT
from bot.wechat.settings import WechatSettings
from media.load import ROOMS_A_PROCESS
from qiaoyi.roles import ServeRole

_OTHER_NAMES = {
    "QIAOYI_SETTINGS",
    "QIAOYI_SANDBOX_URL",
    "QIAOYI_CACHE",
}  # which file to read; where the development server of the pages looks; where `make rasa` keeps what it makes


MEDIA_PATH = "/media/v1/socket"
"""Where the WebSocket of the video rooms is, on every process that carries some."""

TurnUrl = Annotated[str, Field(pattern="^turns?:.+")]
_SHORTEST_SECRET = 16


class SettingsError(Exception):
    """A setting that stops the start; its text is one line that names the setting and what is wrong with it."""


class NluProvider(StrEnum):
    """Who understands what patients write."""

    EMBEDDED = "embedded"  # this process
    RASA = "rasa"  # a Rasa server for intents, and this process for everything else


class Compression(StrEnum):
    """How images are stored; each of the methods gives every bit back."""

    JPEG_LS = Method.JPEG_LS.value
    JPEG_2000 = Method.JPEG_2000.value
    HTJ2K = Method.HTJ2K.value
    NONE = "none"


class Settings(BaseSettings):
    """All settings with their defaults.

    Attributes:
        data: folder of everything that is kept: database, keys, pictures.
        host, port: where the product listens.
        public_url: how phones reach the product; links in cards begin with it.
        database_url: an SQLAlchemy address; SQLite in the data folder unless told otherwise.
        redis_url: where locks, limits and the token cache live when several processes run; in this process when empty.
        clock_url: a local WeChat's clock to follow; empty in production.
        wechat: the official account and the platform's limits; the product serves nobody without it.
        framed_by: the origin of a local WeChat, which shows pages in a frame; empty in production, where nobody may.
        recording_days: how many days a recording of a video room is kept (`backend.video.desk.KEPT` says why so many).
        nlu_provider: who understands what patients write; the embedded provider serves whenever Rasa does not.
        rasa_url: where the Rasa server of `make rasa` listens. It reads what patients write: loopback or a private
            network.
        rasa_timeout: how long it may take over one message, in seconds of the five that WeChat waits.
        media_url: where pages reach the WebSocket of this process's video rooms; made from `public_url` where empty.
        media_region: the beginning of the names of the regions that this process is near to; empty: of all.
        media_capacity: video rooms that this process carries at most.
        media_stun_url: who tells this process its own public address, where it is behind address translation.
        trusted_proxies: the networks of the proxies before us, which tell whom they were asked by.
        turn_urls, turn_secret: the TURN servers for pages, and the secret that they share with us.
        imaging_store: where images lie, such as `s3://bucket/folder` (its keys come from the environment, AWS_…); a
            folder beside the database when empty.
        imaging_compression: how they are compressed without loss; as they came when `none`.
        imaging_rejected_days: how many days a study is kept that a person in quarantine rejected.
        dicom_host, dicom_port: where machines of the township centres send by C-STORE; not served when the port is 0.
        dicom_title: the AE title that they have to call.
        signing_algorithm: how prescriptions are signed; SM2 is refused, docs/dependencies.md says why.
        prescription_days: how many days a prescription can be used, the day of its issue counted; the law allows three
            (处方管理办法 第18条).
        insurer: where claims are settled (`backend.insurance.settings`); nothing is claimed where there is none.
        audit_heads: the folder outside the database where signed heads of the audit log are kept; in the data folder
            when empty.
        metrics_host, metrics_port: where `/metrics` listens, for Prometheus; not at all while the port is 0.
        metrics_token: what Prometheus has to bring as a bearer token; nothing when empty.
        research_k: how many people have to be alike at least in a table for research.
        traces_url: where a collector takes traces by OTLP over HTTP; nothing is measured when empty.
        traces_ratio: the share of traces that are kept, from 0 to 1.
        prescribing: how many medicines, how long, how old a value may be; stricter than the law alone.
        payment: the merchant account at WeChat Pay; nothing is charged without it.
        mini_app_id, mini_app_secret: the mini-program that logs in; none where there is no mini-program.
    """

    model_config = SettingsConfigDict(
        env_prefix="QIAOYI_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data: Path = Path("var")
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8080, ge=1, le=65535)
    public_url: str = ""
    role: ServeRole = ServeRole.ALL
    database_url: str = Field("", repr=False)
    database_pool_size: int = Field(8, ge=1, le=200)
    redis_url: str = Field("", repr=False)
    clock_url: str = ""
    framed_by: str = ""
    recording_days: int = Field(KEPT.days, ge=1, le=36_525)
    nlu_provider: NluProvider = NluProvider.EMBEDDED
    rasa_url: str = "http://127.0.0.1:5005"
    rasa_timeout: float = Field(0.8, gt=0, le=2)
    media_url: str = Field("", pattern="^(wss?://[^/]+.*)?$")
    media_region: str = Field("", max_length=64)
    media_capacity: int = Field(ROOMS_A_PROCESS, ge=1, le=1000)
    media_stun_url: str = Field("", pattern="^(stun:.+)?$")
    turn_urls: Annotated[tuple[TurnUrl, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    turn_secret: str = Field("", repr=False)
    imaging_store: str = Field("", repr=False, pattern="^(s3://.+)?$")
    imaging_compression: Compression = Compression.JPEG_LS
    imaging_rejected_days: int = Field(REJECTED_KEPT.days, ge=1, le=36_525)
    dicom_host: str = Field("127.0.0.1", min_length=1)
    dicom_port: int = Field(0, ge=0, le=65535)
    dicom_title: str = Field("QIAOYI", pattern="^[A-Za-z0-9_.-]{1,16}$")
    signing_algorithm: Algorithm = Algorithm.ECDSA_P256
    prescription_days: int = Field(VALID_DAYS, ge=1, le=VALID_DAYS)
    audit_heads: Path | None = None
    metrics_host: str = Field("127.0.0.1", min_length=1)
    metrics_port: int = Field(0, ge=0, le=65535)
    metrics_token: str = Field("", repr=False)
    research_k: int = Field(5, ge=3, le=1000)
    traces_url: str = ""
    traces_ratio: float = Field(1.0, ge=0, le=1)
    prescribing: Limits = Limits()
    mini_app_id: str = ""
    mini_app_secret: str = Field("", repr=False)
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    wechat: WechatSettings | None = None
    insurer: InsurerSettings | None = None
    payment: WeChatPaySettings | None = None

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value:
            return value
        try:
            driver = make_url(value).drivername
        except ArgumentError:
            raise ValueError("is no database address") from None
        if driver not in ("sqlite+aiosqlite", "mysql+asyncmy"):
            raise ValueError("begins with sqlite+aiosqlite:// or mysql+asyncmy://")
        return value

    @field_validator("wechat", "payment", mode="before")
    @classmethod
    def _group_from_text(cls, value: Any, info: ValidationInfo) -> Any:
        """Read what the environment can only say as text: JSON objects, and durations in seconds."""
        if not isinstance(value, dict):
            return value
        group = WechatSettings if info.field_name == "wechat" else WeChatPaySettings
        kinds = {field.name: field for field in fields(group)}
        unknown = sorted(set(value) - set(kinds))
        if unknown:
            raise ValueError(f"{unknown[0]} is no setting of the account")
        return {name: _from_text(text, kinds[name].default) for name, text in value.items()}

    @field_validator("prescribing", mode="before")
    @classmethod
    def _known_limits(cls, value: Any) -> Any:
        if isinstance(value, dict):
            unknown = sorted(set(value) - {field.name for field in fields(Limits)})
            if unknown:
                raise ValueError(f"{unknown[0]} is no limit of prescribing")
        return value

    @field_validator("turn_urls", "trusted_proxies", mode="before")
    @classmethod
    def _several_from_text(cls, value: Any) -> Any:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("turn_secret")
    @classmethod
    def _secret_of_turn(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("turn_urls") and len(value) < _SHORTEST_SECRET:
            raise ValueError(f"the TURN servers share a secret of at least {_SHORTEST_SECRET} characters")
        return value

    @field_validator("signing_algorithm")
    @classmethod
    def _trusted_algorithm(cls, value: Algorithm) -> Algorithm:
        if value is Algorithm.SM2:
            raise ValueError("sm2 needs a certified signing service or device; none is built in (docs/dependencies.md)")
        return value

    @field_validator("imaging_compression")
    @classmethod
    def _installed_compression(cls, value: Compression) -> Compression:
        if value is not Compression.NONE and not Method(value.value).is_installed:
            raise ValueError("needs the package imagecodecs, which is not installed (docs/operations.md, Images)")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("begins with redis://, rediss:// or unix://")
        return value

    @field_validator("public_url", "clock_url", "framed_by", "rasa_url", "traces_url")
    @classmethod
    def _http_address(cls, value: str) -> str:
        if value:
            HttpUrl(value)
        return value.rstrip("/")

    @property
    def database(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data.absolute()}/qiaoyi.db"

    @property
    def key_file(self) -> Path:
        """Where the key ring lies."""
        return self.data / "keys.json"

    @property
    def audit_heads_folder(self) -> Path:
        """Where signed heads of the audit log are kept."""
        return self.audit_heads or self.data / "audit-heads"

    @property
    def media_socket(self) -> str:
        """Where pages reach the WebSocket of this process's video rooms."""
        return self.media_url or self.public.replace("http", "ws", 1) + MEDIA_PATH

    @property
    def public(self) -> str:
        """The address that links begin with."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the command line first, then the environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, _file())
        return init_settings, env_settings, file


def _from_text(value: Any, default: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(default, timedelta):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _require_known_names(environment: Mapping[str, str]) -> None:
    """Refuse a misspelt name, which would otherwise silently set nothing."""
    known = {f"QIAOYI_{name}".upper() for name in Settings.model_fields} | _OTHER_NAMES
    for name in sorted(environment):
        if name.startswith("QIAOYI_") and name.partition("__")[0].upper() not in known:
            raise SettingsError(f"setting {name}: there is no setting of this name")


def _file() -> Path:
    named = os.environ.get("QIAOYI_SETTINGS")
    if named and not Path(named).is_file():
        raise SettingsError(f"setting QIAOYI_SETTINGS: there is no file {named}")
    return Path(named or "qiaoyi.toml")


def load(**given: Any) -> Settings:
    """Read the settings; `given` (from the command line, None where nothing was said) wins over everything else.

    Raises:
        SettingsError: one line that says which setting is wrong, and why.
    """
    _require_known_names(os.environ)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"setting {name or 'file'}: {reason}") from None
    except (OSError, ValueError, EnvironmentSourceError) as error:
        raise SettingsError(f"settings cannot be read: {error}") from None
