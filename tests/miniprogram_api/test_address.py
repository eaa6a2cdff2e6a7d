"""Whose address counts, seen through proxies and through what anybody may write into a header."""

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request

from miniprogram_api.address import client_address, counted_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # nobody of ours says so
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # the first was written by the client
        ("10.0.0.1", ["198.51.100.1", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("::1", ["2001:db8::5"], "2001:db8::5"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.9"], "10.0.0.9"),
    ],
)
def test_the_first_address_from_the_end_that_is_no_proxy_counts(
    remote: str, forwarded: list[str], expected: str
) -> None:
    request = make_mocked_request("GET", "/", headers=[("X-Forwarded-For", line) for line in forwarded])
    assert client_address(request.clone(remote=remote), PROXIES) == expected


@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),  # a socket of both families
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ],
)
def test_somebody_with_a_network_of_addresses_counts_as_one(remote: str, counted: str) -> None:
    request = make_mocked_request("GET", "/").clone(remote=remote)
    assert counted_address(request, PROXIES) == counted


def test_a_proxy_of_ours_is_known_over_a_socket_of_both_families() -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": "203.0.113.7"}).clone(
        remote="::ffff:10.0.0.1"
    )
    assert counted_address(request, PROXIES) == "203.0.113.7"
