"""The hospitals whose FHIR servers are asked, from the command line."""

import argparse
from pathlib import Path

from backend.errors import InvalidInput, NotFound
from backend.fhir.systems import IDENTITY_NUMBER
from backend.records.hospital.access import SmartLogin
from backend.records.hospital.registry import HospitalSettings, HospitalView
from backend.records.hospital.writing_rules import SENTENCES
from backend.security.policy import SYSTEM
from qiaoyi.house import House
from qiaoyi.passwords import read_secret

TOKEN_VARIABLE = "HOSPITAL_TOKEN"  # noqa: S105  # the name of a variable; no setting of ours, so no QIAOYI_


async def add(house: House, options: argparse.Namespace) -> None:
    """Register a hospital by the address of its FHIR server.

    Raises:
        NotFound: no institution has this code. InvalidInput: an address or a login that cannot be.
    """
    institution = await house.people.institution_by_code(options.institution)
    if not options.url:
        raise InvalidInput("请写医院接口的网址（--url），比如：https://his.example.cn/fhir")
    settings = _settings(options, None)
    print(await _line(house, await house.hospitals.register(SYSTEM, institution.id, options.label, settings)))


async def show(house: House, _options: argparse.Namespace) -> None:
    """Print the hospitals, in the order in which they were registered; never what they are entered with."""
    for one in await house.hospitals.all(SYSTEM):
        print(await _line(house, one))


async def change(house: House, options: argparse.Namespace) -> None:
    """Give a hospital another address or login. The login is said anew; else what is not said stays.

    Raises: NotFound, InvalidInput.
    """
    known = next((one for one in await house.hospitals.all(SYSTEM) if one.id == options.id), None)
    if known is None:
        raise NotFound("没有找到这个医院系统。")
    print(await _line(house, await house.hospitals.change(SYSTEM, options.id, _settings(options, known))))


async def remove(house: House, options: argparse.Namespace) -> None:
    """Ask there no more, and forget what it told. Raises NotFound."""
    await house.hospitals.deactivate(SYSTEM, options.id)
    print(f"{options.id}: is asked no more")


async def probe(house: House, options: argparse.Namespace) -> None:
    """Ask what it is and whether it lets us search. Raises NotFound; HospitalFault where it does not."""
    print(f"{options.id}: FHIR {await house.hospitals.probe(SYSTEM, options.id)}")


async def written(house: House, _options: argparse.Namespace) -> None:
    """Print how many consultations stand where on their way into the records of hospitals."""
    labels = {one.id: one.label for one in await house.hospitals.all(SYSTEM)}
    for one in await house.write_back.standing(SYSTEM):
        reason = SENTENCES.get(one.fault, "")
        print("  ".join((one.hospital_id, labels[one.hospital_id], one.state.value, str(one.count), reason)).rstrip())


async def resend(house: House, options: argparse.Namespace) -> None:
    """Write again what came to a dead end at a hospital."""
    print(f"{options.id}: {await house.write_back.resend(SYSTEM, options.id)} consultations are tried again")


def _settings(options: argparse.Namespace, known: HospitalView | None) -> HospitalSettings:
    return HospitalSettings(
        options.url or (known.url if known else ""),
        _login(options),
        options.identity_system or (known.identity_system if known else IDENTITY_NUMBER),
        options.private or (known is not None and known.private),
    )


def _login(options: argparse.Namespace) -> str | SmartLogin:
    if options.token:
        return read_secret(TOKEN_VARIABLE, "token of the hospital: ")
    smart = (options.client_id, options.token_url, options.key)
    if not any(smart):
        return ""
    if not all(smart):
        raise InvalidInput("SMART登录要一起写：--client-id、--token-url和--key。")
    try:
        key = Path(options.key).read_text(encoding="ascii")
    except (OSError, ValueError):
        raise InvalidInput(f"读不到私钥文件：{options.key}") from None
    scope = options.scope or SmartLogin.scope
    return SmartLogin(options.token_url, options.client_id, key, options.key_id or "", scope)


async def _line(house: House, one: HospitalView) -> str:
    place = (await house.people.institution(one.institution_id)).name
    standing = "active" if one.active else "off   "
    network = "  private network" if one.private else ""
    return f"{one.id}  {standing}  {place}  {one.label}  {one.url}  {one.auth}  {one.identity_system}{network}"
