"""Where a request comes from, seen through the proxies that stand before us."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

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


def _is_among(address: str, networks: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
