"""Logging in by SMART backend services."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from backend.clock import Clock
from backend.errors import InvalidInput
from backend.records.hospital.access import KeyAlgorithm, SmartLogin, key_algorithm
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.transport import HospitalAddress
from tests.backend.records.hospital.conftest import Connect
from tests.support.hospital import RunningHospital

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(params=["RS384", "ES384"])
def key(request: pytest.FixtureRequest) -> Key:
    if request.param == "RS384":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP384R1())


@pytest_asyncio.fixture
async def client(connect: Connect, hospital: RunningHospital, key: Key) -> HospitalClient:
    hospital.hospital.access.know("qiaoyi", public_pem(key))
    login = SmartLogin(hospital.token_url, "qiaoyi", pem(key), key_id="one")
    return connect(HospitalAddress(hospital.url, login))


async def test_a_token_is_fetched_once_for_many_requests(client: HospitalClient, hospital: RunningHospital) -> None:
    await asyncio.gather(*(client.read("Patient", "p1") for _ in range(6)))
    assert hospital.hospital.access.granted == 1


async def test_a_token_is_renewed_shortly_before_it_ends(
    client: HospitalClient, hospital: RunningHospital, clock: Clock
) -> None:
    await client.read("Patient", "p1")
    clock.advance(timedelta(seconds=230))
    await client.read("Patient", "p1")
    assert hospital.hospital.access.granted == 1
    clock.advance(timedelta(seconds=15))
    await client.read("Patient", "p1")
    assert hospital.hospital.access.granted == 2


async def test_a_token_that_was_taken_back_is_fetched_anew(client: HospitalClient, hospital: RunningHospital) -> None:
    await client.read("Patient", "p1")
    hospital.hospital.access.forget_tokens()
    assert (await client.read("Patient", "p1")).resource["id"] == "p1"
    assert hospital.hospital.access.granted == 2


async def test_a_key_that_the_hospital_does_not_know_opens_nothing(connect: Connect, hospital: RunningHospital) -> None:
    hospital.hospital.access.know("qiaoyi", public_pem(ec.generate_private_key(ec.SECP384R1())))
    login = SmartLogin(hospital.token_url, "qiaoyi", pem(ec.generate_private_key(ec.SECP384R1())))
    with pytest.raises(HospitalFault) as caught:
        await connect(HospitalAddress(hospital.url, login)).read("Patient", "p1")
    assert caught.value.fault is FaultCode.UNAUTHORIZED


def test_only_keys_that_the_standard_names_are_taken(key: Key) -> None:
    assert key_algorithm(pem(key)) in KeyAlgorithm
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  # it is to be refused
    for wrong in ("", "no key", pem(ec.generate_private_key(ec.SECP256R1())), pem(weak)):
        with pytest.raises(InvalidInput):
            key_algorithm(wrong)


def test_a_login_does_not_show_its_key(key: Key) -> None:
    assert "PRIVATE" not in repr(SmartLogin("https://his.example.cn/token", "qiaoyi", pem(key)))
