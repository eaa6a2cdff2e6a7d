"""Certificates of those who sign prescriptions, from the command line."""

import argparse
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from backend.clock import local
from backend.security.policy import SYSTEM
from backend.signing import CertificateView
from qiaoyi.house import House
from qiaoyi.invitations import find_practitioner


async def issue(house: House, options: argparse.Namespace) -> None:
    """Issue a certificate. Raises NotFound where nobody has this number, Conflict where they may have none."""
    found = await find_practitioner(house, options.practitioner)
    print(_line(await house.signing.issue(SYSTEM, found.id, timedelta(days=options.days))))


async def show(house: House, _options: argparse.Namespace) -> None:
    """Print the certificates."""
    for one in await house.signing.certificates(SYSTEM):
        print(_line(one))


async def revoke(house: House, options: argparse.Namespace) -> None:
    """Revoke a certificate. Raises NotFound where there is none of this number."""
    print(_line(await house.signing.revoke(SYSTEM, options.serial, options.reason)))


async def root(house: House, _options: argparse.Namespace) -> None:
    """Print the authority's own certificate in PEM."""
    print((await house.signing.root()).public_bytes(Encoding.PEM).decode(), end="")


def _line(one: CertificateView) -> str:
    state = "revoked" if one.revoked_at else "holds"
    days = f"{local(one.not_before):%Y-%m-%d} to {local(one.not_after):%Y-%m-%d}"
    return f"{one.serial}  {state:7}  {days}  {one.holder.value}  {one.name}"
