"""The PACS to which studies go, from the command line."""

import argparse
import base64
import re

from backend.errors import InvalidInput, NotFound
from backend.imaging import (
    TRANSFER_SENTENCES,
    DestinationView,
    Limits,
    Purpose,
    StoreAddress,
    StowAddress,
)
from backend.security.policy import SYSTEM
from qiaoyi.house import House
from qiaoyi.passwords import read_secret

PASSWORD_VARIABLE = "PACS_PASSWORD"  # noqa: S105  # the name of a variable; no setting of ours, so no QIAOYI_
_NO = "none"
_WINDOW = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")


async def add(house: House, options: argparse.Namespace) -> None:
    """Register a PACS by the address of its DICOMweb service, or by host, port and AE title.

    Raises:
        NotFound: no institution has this code. InvalidInput: an address, a limit or a login that cannot be.
    """
    institution = await house.people.institution_by_code(options.institution)
    address = _address(options, None)
    if address is None:
        raise InvalidInput("请写影像系统的网址（--url），或者主机、端口和AE标题（--host --port --title）。")
    purpose = Purpose.TEACHING if options.teaching else Purpose.CARE
    made = await house.imaging.register_destination(
        SYSTEM, institution.id, options.label, address, _limits(options, Limits()), purpose
    )
    print(await _line(house, made))


async def show(house: House, _options: argparse.Namespace) -> None:
    """Print the destinations, in the order in which they were registered; never what they are entered with."""
    for one in await house.imaging.destinations(SYSTEM):
        print(await _line(house, one))


async def change(house: House, options: argparse.Namespace) -> None:
    """Give a PACS another address, login or limit; what is not said stays. A new address needs its login said again.

    Raises: NotFound, InvalidInput.
    """
    known = next((one for one in await house.imaging.destinations(SYSTEM) if one.id == options.id), None)
    if known is None:
        raise NotFound("没有找到这个影像系统。")
    address, limits = _address(options, known), _limits(options, known.limits)
    print(await _line(house, await house.imaging.change_destination(SYSTEM, options.id, address, limits)))


async def remove(house: House, options: argparse.Namespace) -> None:
    """Send nothing there any more. Raises NotFound."""
    await house.imaging.deactivate_destination(SYSTEM, options.id)
    print(f"{options.id}: nothing is sent there any more")


async def resend(house: House, options: argparse.Namespace) -> None:
    """Try again what came to a dead end. Raises NotFound."""
    print(f"{options.id}: {await house.imaging.resend(SYSTEM, options.id)} instances are tried again")


async def probe(house: House, options: argparse.Namespace) -> None:
    """Ask whether it answers. Raises NotFound; InvalidInput with the reason where it does not."""
    found = await house.imaging.probe_destination(SYSTEM, options.id)
    if found.failure is not None:
        raise InvalidInput(f"{TRANSFER_SENTENCES[found.failure]}（{found.detail}）")
    print(f"{options.id}: answers ({found.detail})")


def _address(options: argparse.Namespace, known: DestinationView | None) -> StowAddress | StoreAddress | None:
    """Give the address that is said; of a known destination what is not said of it stays."""
    by_dicom = (options.host, options.port, options.title, options.own_title)
    if options.user or options.token or options.url:
        if any(by_dicom):
            raise InvalidInput("网址（--url）和主机端口（--host --port --title）只能写一种。")
        url = options.url or (known.url if known else "")
        if not url:
            raise InvalidInput("账号只用于网址（--url）。")
        return StowAddress(url, _authorization(options))
    if not any(by_dicom):
        return None
    host, port = options.host or (known.host if known else ""), options.port or (known.port if known else 0)
    title = options.title or (known.ae_title if known else "")
    own_title = options.own_title or (known.own_ae_title if known else "") or StoreAddress.own_ae_title
    return StoreAddress(host, port, title, own_title)


def _authorization(options: argparse.Namespace) -> str:
    if options.user:
        login = f"{options.user}:{_secret()}".encode()
        return f"Basic {base64.b64encode(login).decode()}"
    return f"Bearer {_secret()}" if options.token else ""


def _secret() -> str:
    return read_secret(PASSWORD_VARIABLE, "password or token of the PACS: ")


def _limits(options: argparse.Namespace, known: Limits) -> Limits:
    rate, window = known.bytes_per_second, known.window
    if options.rate:
        rate = None if options.rate == _NO else _rate(options.rate)
    if options.window:
        window = None if options.window == _NO else _window(options.window)
    return Limits(rate, window)


def _rate(said: str) -> int:
    if not (said.isascii() and said.isdigit()):
        raise InvalidInput("网速上限要写每秒多少千字节，比如：500。", field="bytes_per_second")
    return int(said) * 1000


def _window(said: str) -> tuple[int, int]:
    match = _WINDOW.fullmatch(said)
    if match is None:
        raise InvalidInput("传输时段不对，比如：22:00-6:00。", field="window")
    hours = [int(number) for number in match.groups()]
    if hours[1] > 59 or hours[3] > 59:
        raise InvalidInput("传输时段不对，比如：22:00-6:00。", field="window")
    return hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]


async def _line(house: House, one: DestinationView) -> str:
    place = (await house.people.institution(one.institution_id)).name
    where = (
        f"STOW-RS {one.url}" if one.url else f"C-STORE {one.ae_title} at {one.host}:{one.port} as {one.own_ae_title}"
    )
    parts = [one.id, "active" if one.active else "off   ", one.purpose.value, place, one.label, where]
    if one.limits.bytes_per_second is not None:
        parts.append(f"{one.limits.bytes_per_second // 1000} kB/s")
    if one.limits.window is not None:
        parts.append("-".join(f"{minute // 60}:{minute % 60:02}" for minute in one.limits.window))
    return "  ".join(parts)
