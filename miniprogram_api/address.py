"""Where a request comes from, seen through the proxies that stand before us."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import hdrs, web

Networks = Sequence[IPv4Network | IPv6Network]


def client_address(request: web.Request, proxies: Networks) -> str:
    """Give the address of whoever asks.

    Each proxy appends the address that it was asked from to `X-Forwarded-For`. Read from its end, the first that is
    none of ours is the client's; what stands before it anybody may have written.

    Args:
        proxies: the networks of those whose word is believed; none where nobody stands before us.
    """
    lines = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
    told = [address.strip() for address in lines.split(",") if address.strip()]
    address = request.remote or ""
    while told and _is_among(address, proxies):
        address = told.pop()
    return address


def counted_address(request: web.Request, proxies: Networks) -> str:
    """Give what limits by address count under: whoever has an IPv6 address has 2^64 of them (RFC 6177), so the network
    of 64 bits stands for all."""
    address = client_address(request, proxies)
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _is_among(address: str, networks: Networks) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Read an address; one of IPv4 that came over a socket of IPv6 (::ffff:192.0.2.1) is one of IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
