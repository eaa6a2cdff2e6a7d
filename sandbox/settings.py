"""The settings of one sandbox, from the command line or from the environment (``SANDBOX_*``).

The defaults describe the *local account*: an official account that exists on a developer's machine alone. Its app id,
secret, token and key are public constants, so that the product and the sandbox fit together without any set-up. They
open nothing: WeChat knows no such account.
"""

import argparse
import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

LOCAL_APP_ID = "wx1111aaaa2222bbbb"
LOCAL_APP_SECRET = "10ca1acc0un75ec2e710ca1acc0un75e"  # noqa: S105 -- the public constant of the local account
LOCAL_TOKEN = "qiaoyiLocalToken"  # noqa: S105 -- the public constant of the local account
LOCAL_AES_KEY = base64.b64encode(b"qiaoyi-local-development-aes-key").decode().rstrip("=")
LOCAL_MINI_APP_ID = "wx3333cccc4444dddd"
LOCAL_MINI_APP_SECRET = "10ca1317e75ec2e710ca1317e75ec2e7"  # noqa: S105 -- the public constant of the local account
LOCAL_MCHID = "1900000109"
LOCAL_API_V3_KEY = "10ca1ap1v3key0f10ca1ap1v3key0f10"
LOCAL_ORIGINAL_ID = "gh_1a2b3c4d5e6f"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Times are seconds of the real clock, for they bound real network calls."""

    host: str = "127.0.0.1"
    port: int = 8090
    public_url: str = ""
    callback_url: str = "http://127.0.0.1:8080/wechat/callback"
    app_id: str = LOCAL_APP_ID
    app_secret: str = LOCAL_APP_SECRET
    token: str = LOCAL_TOKEN
    aes_key: str = LOCAL_AES_KEY
    original_id: str = LOCAL_ORIGINAL_ID
    mini_app_id: str = LOCAL_MINI_APP_ID
    mini_app_secret: str = LOCAL_MINI_APP_SECRET
    mchid: str = LOCAL_MCHID
    api_v3_key: str = LOCAL_API_V3_KEY
    pay_keys: Path | None = None
    web: Path | None = None
    state: Path | None = None
    reply_deadline_seconds: float = 5.0
    deliveries: int = 3

    def __post_init__(self) -> None:
        if len(self.aes_key) != 43 or len(base64.b64decode(self.aes_key + "=", validate=True)) != 32:
            raise ValueError("aes_key: 43 characters of base64 without the closing '=' are needed")
        if len(self.api_v3_key.encode()) != 32:
            raise ValueError("api_v3_key: 32 characters are needed")
        if not 0 <= self.port <= 65535:
            raise ValueError("port: a number from 0 to 65535 is needed")
        if not self.callback_url.startswith(("http://", "https://")):
            raise ValueError("callback_url: an http:// or https:// address is needed")
        if self.reply_deadline_seconds <= 0 or not 1 <= self.deliveries <= 10:
            raise ValueError("reply_deadline_seconds must be above 0, deliveries from 1 to 10")


HELP = {
    "host": "address to listen on",
    "port": "port to listen on; 0 takes a free one",
    "public_url": "address under which others reach the sandbox; empty: from host and port",
    "callback_url": "where the product takes WeChat's callbacks",
    "app_id": "app id of the official account",
    "app_secret": "secret of the official account",
    "token": "callback token of the official account",
    "aes_key": "callback AES key, 43 characters",
    "original_id": "original id (gh_…) of the official account",
    "mini_app_id": "app id of the mini-program",
    "mini_app_secret": "secret of the mini-program",
    "mchid": "number of the merchant at WeChat Pay",
    "api_v3_key": "API v3 key of the merchant, 32 characters",
    "pay_keys": "folder of the keys of WeChat Pay and of the merchant, made where there are none",
    "web": "folder of the built phones page",
    "state": "JSON file that keeps the phones over a restart; without it nothing is kept",
    "reply_deadline_seconds": "how long the product has to answer a callback",
    "deliveries": "how often a callback is delivered in all",
}


def read_settings(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from command line arguments over environment variables over defaults.

    A wrong value ends the program with one clear line, as argparse does.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="WeChat and its phones, played locally.")
    defaults = Settings()
    for field in fields(Settings):
        default = getattr(defaults, field.name)
        kind = Path if field.name in ("web", "state", "pay_keys") else type(default)
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=kind,
            default=environment.get("SANDBOX_" + field.name.upper()) or default,
            help=f"{HELP[field.name]} (default: {default})",
        )
    try:
        return Settings(**vars(parser.parse_args(arguments)))
    except ValueError as error:
        parser.error(str(error))
