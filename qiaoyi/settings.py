"""Every setting of the product: one typed object from the environment and a file, checked before anything starts.

`QIAOYI_PORT=9000` in the environment wins over `port = 9000` in the file (`qiaoyi.toml` in the working folder, or the
one that `QIAOYI_SETTINGS` names). Groups are written `QIAOYI_WECHAT__APP_ID` or `[wechat] app_id = …`.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, HttpUrl, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.wechat.settings import WechatSettings


class SettingsError(Exception):
    """A setting that stops the start; its text is one line that names the setting and what is wrong with it."""


class ServeRole(StrEnum):
    """What one process does; `all` is the default and enough for a county."""

    ALL = "all"
    WEB = "web"  # callbacks of WeChat, the mini-program's API, pages
    WORKER = "worker"  # events, timers, delivery, the audit log's seal


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
        mini_app_id, mini_app_secret: the mini-program that logs in; none where there is no mini-program.
    """

    model_config = SettingsConfigDict(
        env_prefix="QIAOYI_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data: Path = Path("var")
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    public_url: str = ""
    role: ServeRole = ServeRole.ALL
    database_url: str = ""
    database_pool_size: int = Field(8, ge=1, le=200)
    redis_url: str = ""
    clock_url: str = ""
    mini_app_id: str = ""
    mini_app_secret: str = Field("", repr=False)
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    wechat: WechatSettings | None = None

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

    @field_validator("public_url", "clock_url")
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
        file = TomlConfigSettingsSource(settings_cls, Path(os.environ.get("QIAOYI_SETTINGS", "qiaoyi.toml")))
        return init_settings, env_settings, file


def load(**given: Any) -> Settings:
    """Read the settings; `given` (from the command line, None where nothing was said) wins over everything else.

    Raises:
        SettingsError: one line that says which setting is wrong, and why.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {name or 'file'}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"settings cannot be read: {error}") from None
