"""`qiaoyi doctor`: looks at a set-up without starting it, and says what is wrong in sentences that can be acted on."""

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend import migrations
from backend.db import Database
from backend.ids import new_id
from backend.security.errors import KeyRingError
from backend.security.keyring import open_key_file
from nlu import differential
from nlu.embedded import EmbeddedProvider
from nlu.models import ModelError
from nlu.rasa_client import RasaClient, RasaFault
from nlu.types import Context
from qiaoyi.house import object_store
from qiaoyi.roles import ServeRole
from qiaoyi.server import PAGES
from qiaoyi.settings import NluProvider, Settings, SettingsError

_LEAST_FREE_BYTES = 1 << 30
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, with what was seen or what to do."""

    ok: bool
    text: str


Check = Callable[[Settings], Awaitable[Finding]]


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything that a start needs."""
    checks: tuple[Check, ...] = (_data_folder, _keys, _database, _port)
    if settings.role is not ServeRole.MEDIA:
        checks += (_redis, _language, _language_server, _pages, _account, _wechat, _image_store, _dicom)
    return [await check(settings) for check in checks]


async def _data_folder(settings: Settings) -> Finding:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        probe = settings.data / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(False, f"data folder {settings.data} cannot be written: {error.strerror}")
    free = shutil.disk_usage(settings.data).free
    if free < _LEAST_FREE_BYTES:
        return Finding(False, f"data folder {settings.data}: only {free >> 20} MiB free, make room for at least 1024")
    return Finding(True, f"data folder {settings.data}, {free >> 30} GiB free")


async def _keys(settings: Settings) -> Finding:
    if not settings.key_file.exists():
        return Finding(True, "no keys yet: the first start makes them")
    try:
        ring = open_key_file(settings.key_file)
    except KeyRingError as error:
        return Finding(False, f"{error}; restore the backup of this file, nothing personal can be read without it")
    mode = settings.key_file.stat().st_mode & 0o077
    if mode:
        return Finding(False, f"key file {settings.key_file} can be read by others: chmod 600 it")
    return Finding(True, f"keys, number {ring.active} in use")


async def _database(settings: Settings) -> Finding:
    database = Database(settings.database, pool_size=1)
    try:
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
        await migrations.check(settings.database)
    except migrations.OutOfDate:
        return Finding(False, "the database's tables are not of this version: run `qiaoyi migrate`")
    except (SQLAlchemyError, OSError) as error:
        return Finding(False, f"the database does not answer ({type(error).__name__}): check database_url")
    finally:
        await database.close()
    return Finding(True, "database, tables up to date")


async def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding(True, "no Redis: locks and limits live in this one process")
    client = redis.asyncio.from_url(settings.redis_url, socket_timeout=_TIMEOUT_SECONDS)
    try:
        await client.ping()
    except (RedisError, OSError, ValueError) as error:
        return Finding(False, f"Redis does not answer ({type(error).__name__}): check redis_url")
    finally:
        await client.aclose()
    return Finding(True, "Redis answers")


async def _language(_settings: Settings) -> Finding:
    try:
        await EmbeddedProvider().parse("咳嗽三天", Context())
        differential.prepare()
    except ModelError as error:
        return Finding(False, f"{error}: install the package again")
    except Exception as error:
        # Whatever it is, nothing could be understood: which file is damaged matters less than that one is.
        return Finding(False, f"language data cannot be loaded ({type(error).__name__}): install the package again")
    return Finding(True, "language data")


async def _language_server(settings: Settings) -> Finding:
    if settings.nlu_provider is NluProvider.EMBEDDED:
        return Finding(True, "no language server: this process understands by itself")
    async with aiohttp.ClientSession() as http:
        try:
            await RasaClient(http, settings.rasa_url, settings.rasa_timeout).require_ready()
        except RasaFault as fault:
            return Finding(False, f"no Rasa server is ready at rasa_url ({fault.code}): `make rasa` starts one")
    return Finding(True, f"Rasa is ready at {settings.rasa_url}")


async def _pages(_settings: Settings) -> Finding:
    if not (PAGES / "index.html").is_file() and not (PAGES / "phones.html").is_file():
        return Finding(True, "pages are not built; only `qiaoyi run` shows them: `make web` builds them")
    return Finding(True, "pages are built")


async def _port(settings: Settings) -> Finding:
    return _free(settings.host, settings.port)


def _free(host: str, port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"port {port} on {host} cannot be used: {error.strerror}"
            return Finding(False, f"{reason}; is a copy running already?")
    return Finding(True, f"port {port} is free")


async def _image_store(settings: Settings) -> Finding:
    if not settings.imaging_store:
        return Finding(True, f"images lie in {settings.data / 'imaging'}")
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await object_store(settings).exists(new_id())
    except SettingsError as error:
        return Finding(False, str(error))
    except Exception as error:
        # Whatever the library raises: a wrong key, no such bucket, nobody there.
        return Finding(False, f"the store of the images does not answer ({type(error).__name__}): check imaging_store")
    return Finding(True, "the store of the images answers")


async def _dicom(settings: Settings) -> Finding:
    if not settings.dicom_port:
        return Finding(True, "no C-STORE: machines send over DICOMweb alone")
    if settings.dicom_host in ("0.0.0.0", "::"):  # noqa: S104  # named to be refused
        return Finding(False, "dicom_host is every address, and DICOM is not encrypted: name the one of the VPN")
    return _free(settings.dicom_host, settings.dicom_port)


async def _account(settings: Settings) -> Finding:
    if settings.wechat is None:
        return Finding(True, "no WeChat account is set: only `qiaoyi run`, with the local one, can start")
    if not settings.public_url.startswith("https://"):
        return Finding(False, "public_url is no https:// address: WeChat opens no other page")
    return Finding(True, f"WeChat account {settings.wechat.app_id}")


async def _wechat(settings: Settings) -> Finding:
    """Ask for the token in use, which changes nothing and proves address, app id and secret."""
    wechat = settings.wechat
    if wechat is None:
        return Finding(True, "WeChat is not asked without an account")
    asked = {"grant_type": "client_credential", "appid": wechat.app_id, "secret": wechat.app_secret}
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(f"{wechat.api_url}/cgi-bin/stable_token", json=asked) as answer,
        ):
            told = await answer.json(content_type=None)
            code = 0 if "access_token" in told else int(told["errcode"])
    except (aiohttp.ClientError, TimeoutError, ValueError, TypeError, KeyError) as error:
        return Finding(False, f"WeChat does not answer at {wechat.api_url} ({type(error).__name__})")
    if code:
        return Finding(False, f"WeChat refuses the account (errcode {code}): check app_id, app_secret and IP whitelist")
    return Finding(True, "WeChat knows the account")
