"""Signatures are made with certificates that hold, verified by others too, and no changed byte passes."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict, Forbidden, NotFound
from backend.security.policy import SYSTEM, Actor
from backend.signing import CannotSign, Fault, SigningService, canonical_json
from backend.signing.tables import Certificate
from tests.support.clinic import Clinic, build_clinic, practitioner_of

DATA = "处方".encode()


@pytest.fixture
async def clinic(database: Database, clock: Clock, tmp_path: Path) -> Clinic:
    built = build_clinic(database, clock, tmp_path / "files")
    await built.furnish()
    return built


@pytest.fixture
async def signing(clinic: Clinic) -> SigningService:
    return SigningService(clinic.database, clinic.clock, clinic.audit, clinic.people)


@pytest.fixture
async def doctor(clinic: Clinic, signing: SigningService) -> Actor:
    actor = await clinic.doctor()
    await signing.issue(SYSTEM, practitioner_of(actor))
    return actor


async def test_what_was_signed_is_verified_and_says_by_whom_and_when(
    clinic: Clinic, signing: SigningService, doctor: Actor
) -> None:
    signed = await signing.sign(doctor, DATA)
    found = await signing.verify(DATA, signed.cms)
    assert (found.holds, found.practitioner_id, found.at) == (True, doctor.practitioner_id, signed.at)


async def test_openssl_verifies_it_too(signing: SigningService, doctor: Actor, clinic: Clinic, tmp_path: Path) -> None:
    signed = await signing.sign(doctor, DATA)
    (tmp_path / "root.pem").write_bytes((await signing.root()).public_bytes(Encoding.PEM))
    (tmp_path / "signature").write_bytes(signed.cms)
    at = str(int(clinic.clock.now().timestamp()))
    for data, ok in ((DATA, True), (DATA + b" ", False)):
        (tmp_path / "data").write_bytes(data)
        command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "data"]
        command += ["-CAfile", "root.pem", "-purpose", "any", "-attime", at, "-out", "/dev/null"]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)  # noqa: ASYNC221
        assert (ran.returncode == 0) is ok, ran.stderr


async def test_no_changed_byte_passes(signing: SigningService, doctor: Actor) -> None:
    signed = await signing.sign(doctor, DATA)
    assert (await signing.verify(DATA + b"x", signed.cms)).fault is Fault.CHANGED
    for place in range(0, len(signed.cms), 13):
        changed = bytearray(signed.cms)
        changed[place] ^= 1
        assert not (await signing.verify(DATA, bytes(changed))).holds, place
    for nothing in (b"", b"\x30\x00", b"no signature"):
        assert (await signing.verify(DATA, nothing)).fault is Fault.BROKEN


async def test_nobody_signs_without_a_certificate(clinic: Clinic, signing: SigningService) -> None:
    with pytest.raises(CannotSign) as refused:
        await signing.sign(await clinic.doctor("王守田"), DATA)
    assert "还没有签名证书" in refused.value.sentence
    with pytest.raises(CannotSign):
        await signing.sign(await clinic.patient(), DATA)


async def test_an_expired_certificate_signs_nothing_and_what_it_signed_before_holds(
    clinic: Clinic, signing: SigningService, doctor: Actor
) -> None:
    before = await signing.sign(doctor, DATA)
    clinic.clock.advance(timedelta(days=366))
    with pytest.raises(CannotSign) as refused:
        await signing.sign(doctor, DATA)
    assert "已经过期（2027年11月23日到期）" in refused.value.sentence
    assert (await signing.verify(DATA, before.cms)).holds


async def test_a_certificate_that_is_not_valid_yet_signs_nothing(
    clinic: Clinic, signing: SigningService, doctor: Actor
) -> None:
    clinic.clock.shift(timedelta(days=-30))
    with pytest.raises(CannotSign) as refused:
        await signing.sign(doctor, DATA)
    assert "还没到生效时间" in refused.value.sentence


async def test_a_revoked_certificate_signs_nothing_from_then_on(
    clinic: Clinic, signing: SigningService, doctor: Actor
) -> None:
    before = await signing.sign(doctor, DATA)
    clinic.clock.advance(timedelta(minutes=1))
    revoked = await signing.revoke(SYSTEM, before.serial, "UKey丢了")
    assert revoked.revoked_at is not None
    with pytest.raises(CannotSign) as refused:
        await signing.sign(doctor, DATA)
    assert "已经吊销" in refused.value.sentence
    assert (await signing.verify(DATA, before.cms)).holds
    again = await signing.revoke(SYSTEM, before.serial, "再来一次")
    assert again.revoked_at == revoked.revoked_at


async def test_a_signature_that_states_a_time_after_the_revocation_is_not_believed(
    clinic: Clinic, signing: SigningService, doctor: Actor
) -> None:
    signed = await signing.sign(doctor, DATA)
    async with clinic.database.transaction() as session:
        await session.execute(update(Certificate).values(revoked_at=signed.at - timedelta(seconds=1)))
    assert (await signing.verify(DATA, signed.cms)).fault is Fault.REVOKED


async def test_a_newer_certificate_takes_over(clinic: Clinic, signing: SigningService, doctor: Actor) -> None:
    first = await signing.sign(doctor, DATA)
    await signing.revoke(SYSTEM, first.serial, "换新的")
    await signing.issue(SYSTEM, practitioner_of(doctor))
    second = await signing.sign(doctor, DATA)
    assert second.serial != first.serial
    assert (await signing.verify(DATA, second.cms)).holds


async def test_a_certificate_of_another_authority_is_not_believed(
    clinic: Clinic, signing: SigningService, doctor: Actor
) -> None:
    signed = await signing.sign(doctor, DATA)
    async with clinic.database.transaction() as session:
        row = await session.scalar(select(Certificate).where(Certificate.serial == signed.serial))
        await session.delete(row)
    assert (await signing.verify(DATA, signed.cms)).fault is Fault.UNTRUSTED


async def test_private_keys_and_names_do_not_lie_open(clinic: Clinic, doctor: Actor) -> None:
    async with clinic.database.reading() as session:
        raw = (await session.connection()).exec_driver_sql
        rows = [tuple(row) for row in await raw("SELECT certificate, private_key FROM signing_certificates")]
    assert rows
    for certificate, key in rows:
        assert "李梅".encode() not in bytes(certificate)
        assert bytes(key)[:1] == b"\x01", "not of the key ring's form"


async def test_only_who_manages_certificates_issues_lists_and_revokes(clinic: Clinic, signing: SigningService) -> None:
    doctor, administrator = await clinic.doctor(), await clinic.administrator()
    for nobody in (doctor, await clinic.patient()):
        with pytest.raises(Forbidden):
            await signing.issue(nobody, practitioner_of(doctor))
        with pytest.raises(Forbidden):
            await signing.certificates(nobody)
        with pytest.raises(Forbidden):
            await signing.revoke(nobody, "1", "x")
    issued = await signing.issue(administrator, practitioner_of(doctor))
    assert [one.name for one in await signing.certificates(administrator) if one.practitioner_id] == ["李梅"]
    with pytest.raises(NotFound):
        await signing.revoke(administrator, "12345", "没有这张")
    root = next(one for one in await signing.certificates(administrator) if one.serial != issued.serial)
    with pytest.raises(NotFound):
        await signing.revoke(administrator, root.serial, "根证书不能这样吊销")
    with pytest.raises(Conflict):
        await signing.issue(administrator, practitioner_of(doctor), timedelta(days=10_000))


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-9, 9),
    )
)
def test_the_canonical_form_does_not_depend_on_the_order(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical_json(backwards) == canonical_json(value)


def test_the_canonical_form_is_that_of_the_standard() -> None:
    # RFC 8785, sections 3.2.2 and 3.2.3, of what is used here: no fractions.
    value = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew",
        "1": "One",
        "\U0001f600": "Emoji",
        "\x80": "C",
    }
    keys = ["\\r", "1", "\x80", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical_json(value).decode().startswith('{"' + keys[0] + '":"Carriage Return","1":"One"')
    positions = [canonical_json(value).decode().index(f'"{key}":') for key in keys]
    assert positions == sorted(positions)
    assert (
        canonical_json({"b": [True, None, '\u0001\n"\\/'], "a": 1}) == b'{"a":1,"b":[true,null,"\\u0001\\n\\"\\\\/"]}'
    )


@pytest.mark.parametrize("value", [1.5, {"a": 0.1}, 2**53, {1: "a"}, "\ud800", {"a": object()}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"canonical|text|surrogate"):
        canonical_json(value)
