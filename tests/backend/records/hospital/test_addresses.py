"""Which addresses a hospital may have, and what its name may resolve to."""

import ipaddress
import socket

import pytest

from backend.errors import InvalidInput
from backend.records.hospital.addresses import GuardedResolver, may_connect, same_origin, valid_address
from backend.records.hospital.faults import HospitalFault


@pytest.mark.parametrize(
    "url",
    [
        "https://his.example.cn/fhir",
        "https://his.example.cn:8443/fhir/",
        "http://127.0.0.1:8090/hospital/fhir",
        "http://localhost:8080/fhir",
        "http://[::1]:8080/fhir",
    ],
)
def test_https_is_taken_and_http_from_this_machine(url: str) -> None:
    assert valid_address(url, private=False) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "his.example.cn/fhir",
        "ftp://his.example.cn/fhir",
        "http://his.example.cn/fhir",
        "http://10.1.2.3/fhir",
        "https://user:secret@his.example.cn/fhir",
        "https://his.example.cn/fhir?x=1",
        "https://his.example.cn/fhir#x",
        "https://his.example.cn:0/fhir",
        "https://his.example.cn:port/fhir",
        "https://10.1.2.3/fhir",
        "https://169.254.169.254/fhir",
        "https://[fe80::1]/fhir",
        "https://[::ffff:10.1.2.3]/fhir",
        "https://0.0.0.0/fhir",
        f"https://his.example.cn/{'f' * 600}",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        valid_address(url, private=False)


def test_a_private_network_is_taken_where_it_was_said() -> None:
    assert valid_address("https://10.1.2.3/fhir", private=True)
    with pytest.raises(InvalidInput):
        valid_address("https://169.254.169.254/fhir", private=True)


@pytest.mark.parametrize(
    ("address", "private", "may"),
    [
        ("8.8.8.8", False, True),
        ("10.1.2.3", False, False),
        ("10.1.2.3", True, True),
        ("127.0.0.1", True, False),
        ("169.254.169.254", True, False),
        ("::ffff:127.0.0.1", True, False),
        ("224.0.0.1", True, False),
    ],
)
def test_what_a_name_resolves_to_is_looked_at(address: str, private: bool, may: bool) -> None:
    assert may_connect(ipaddress.ip_address(address), "his.example.cn", private=private) is may


async def test_a_name_of_this_machine_that_was_not_written_so_is_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    async def points_here(*_: object) -> list[dict[str, object]]:
        return [{"hostname": "his.example.cn", "host": "127.0.0.1", "port": 443, "family": socket.AF_INET}]

    resolver = GuardedResolver(private=True)
    monkeypatch.setattr(resolver._resolver, "resolve", points_here)
    with pytest.raises(OSError, match="no address"):
        await resolver.resolve("his.example.cn", 443)
    assert await resolver.resolve("localhost", 443)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example.cn/fhir?page=2",
        "http://his.example.cn/fhir?page=2",
        "https://his.example.cn:444/fhir?page=2",
        "//elsewhere.example.cn/fhir",
        "https://his.example.cn@elsewhere.example.cn/fhir",
        "https://user@his.example.cn/fhir",
        "file:///etc/passwd",
        "https://his.example.cn:x/fhir",
    ],
)
def test_a_link_to_another_origin_is_refused(link: str) -> None:
    with pytest.raises(HospitalFault):
        same_origin("https://his.example.cn/fhir", link)


def test_a_link_of_the_same_origin_is_followed() -> None:
    base = "https://his.example.cn/fhir"
    assert same_origin(base, "https://his.example.cn:443/fhir?page=2") == "https://his.example.cn:443/fhir?page=2"
    assert same_origin(base, "Patient?page=2") == "https://his.example.cn/fhir/Patient?page=2"
