"""Which addresses a hospital may have, and which of those that its name resolves to may be connected to.

https everywhere but on this very machine. Private networks only where the registration says so, link-local addresses
(where clouds keep their secrets) never: what a hospital's name resolves to is checked at each connection, so that a
name that begins to point elsewhere reaches nothing. OWASP, Server-Side Request Forgery Prevention.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urljoin, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from backend.errors import InvalidInput
from backend.records.hospital.faults import FaultCode, HospitalFault

_LONGEST_URL = 512
_LOOPBACK_NAME = "localhost"


def valid_address(url: str, *, private: bool, field: str = "url") -> str:
    """Give the address of a service of a hospital, without a slash at its end.

    Args:
        private: whether it may lie in a private network.

    Raises:
        InvalidInput: it is none, it is not https, or it lies in a network that is not allowed.
    """
    cleaned = url.strip().rstrip("/")
    try:
        parts = urlsplit(cleaned)
        usable = parts.port != 0 and _is_plain(parts)  # reading the port raises where it is no number
    except ValueError:
        usable = False
    if not usable or len(cleaned) > _LONGEST_URL:
        raise InvalidInput("医院接口的网址不对，比如：https://his.example.cn/fhir", field=field)
    host = parts.hostname or ""
    if parts.scheme != "https" and not is_loopback(host):
        raise InvalidInput("医院接口的网址必须以https开头。", field=field)
    literal = _literal(host)
    if literal is not None and not may_connect(literal, host, private=private):
        raise InvalidInput("医院接口在内部网络里，要明确写上才允许（--private）。", field=field)
    return cleaned


def _is_plain(parts: SplitResult) -> bool:
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and not parts.query
        and not parts.fragment
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host, as it is written, is this very machine."""
    literal = _literal(host)
    return host == _LOOPBACK_NAME or (literal is not None and literal.is_loopback)


def may_connect(address: ipaddress.IPv4Address | ipaddress.IPv6Address, host: str, *, private: bool) -> bool:
    """Tell whether `address`, to which `host` resolves, may be connected to."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return is_loopback(host)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    return private or address.is_global


def same_origin(base: str, link: str) -> str:
    """Give `link`, which a hospital named in an answer, as an absolute address of the same origin.

    Raises:
        HospitalFault: FORBIDDEN_ADDRESS where it leads elsewhere.
    """
    try:
        absolute = urljoin(f"{base}/", link)
        if len(absolute) <= _LONGEST_URL * 8 and _origin(absolute) == _origin(base):
            return absolute
    except ValueError:
        pass
    raise HospitalFault(FaultCode.FORBIDDEN_ADDRESS, "next link to another origin")


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("credentials in an address")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class GuardedResolver(AbstractResolver):
    """Resolves names as the system does and gives only addresses that may be connected to."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses of `host`. Raises OSError where none may be used."""
        found = await self._resolver.resolve(host, port, family)
        usable = [one for one in found if may_connect(ipaddress.ip_address(one["host"]), host, private=self._private)]
        if not usable:
            raise OSError("the name resolves to no address that may be used")
        return usable

    async def close(self) -> None:
        """Give back what the system's resolver holds."""
        await self._resolver.close()
