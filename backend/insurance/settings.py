"""Where the insurer is, and how messages to it are signed."""

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.insurance.dialects import DIALECTS

SHORTEST_KEY = 16


class InsurerSettings(BaseModel):
    """One insurer.

    Args:
        url: of its interface. Plain http only on this machine and in a private network (医保专网), by number.
        institution: the code of the platform's own institution, which looks people up: a letter and eleven digits.
        key: shared with it; signs both ways. At least 16 characters.
        signature: "sm3", a keyed digest; "sm2" is refused (docs/dependencies.md).
        dialect: of the province, one of `backend.insurance.dialects`.
        timeout: seconds for a message and its answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(max_length=512)]
    institution: Annotated[str, Field(pattern=r"^[A-Z][0-9]{11}$")]
    key: Annotated[str, Field(min_length=SHORTEST_KEY, max_length=256, repr=False)]
    signature: Literal["sm3", "sm2"] = "sm3"
    dialect: str = "national"
    timeout: Annotated[float, Field(gt=0, le=60)] = 8.0

    @field_validator("url")
    @classmethod
    def _private_or_encrypted(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise ValueError("is no address of an interface")
        if parts.scheme == "http" and not _is_private(parts.hostname):
            raise ValueError("begins with https:// outside of a private network")
        return value.rstrip("/")

    @field_validator("signature")
    @classmethod
    def _trusted(cls, value: str) -> str:
        if value == "sm2":
            raise ValueError("sm2 needs a certified signing service or device; none is built in (docs/dependencies.md)")
        return value

    @field_validator("dialect")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in DIALECTS:
            raise ValueError(f"is one of {', '.join(sorted(DIALECTS))}")
        return value


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or (address.is_private and not address.is_link_local)
