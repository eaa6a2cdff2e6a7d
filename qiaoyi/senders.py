"""The machines that may send images, from the command line."""

import argparse

from backend.errors import InvalidInput
from backend.imaging.stow import PATH
from backend.security.policy import SYSTEM
from qiaoyi.house import House


async def add(house: House, options: argparse.Namespace) -> None:
    """Register a machine: by AE title and network where they are given, else by a token, which is printed this once.

    Raises:
        NotFound: no institution has this code. InvalidInput: one of title and network alone, or a wrong one.
        Conflict: the title is another machine's.
    """
    if bool(options.title) != bool(options.network):
        raise InvalidInput("AE标题（--title）和网络地址（--network）要一起写。")
    institution = await house.people.institution_by_code(options.institution)
    if options.title:
        added = await house.imaging.register_store_sender(
            SYSTEM, institution.id, options.label, options.title, options.network
        )
        where = f"{house.settings.dicom_host}:{house.settings.dicom_port}" if house.settings.dicom_port else "-"
        print(f"{added.id}  {institution.name}  {added.label}\nC-STORE {where} AE {house.settings.dicom_title}")
        if not house.settings.dicom_port:
            print("dicom_port is 0: nobody listens for C-STORE until it is set")
        return
    new = await house.imaging.register_stow_sender(SYSTEM, institution.id, options.label)
    print(f"{new.sender_id}  {institution.name}\nSTOW-RS {house.settings.public}{PATH}/studies")
    print(f"Authorization: Bearer {new.token}\nThis token is shown once.")


async def show(house: House, _options: argparse.Namespace) -> None:
    """Print the machines, in the order in which they were registered."""
    for one in await house.imaging.senders(SYSTEM):
        place = (await house.people.institution(one.institution_id)).name
        how = f"C-STORE {one.ae_title} from {one.network}" if one.ae_title else "STOW-RS"
        print(f"{one.id}  {'active' if one.active else 'off   '}  {place}  {one.label}  {how}")


async def remove(house: House, options: argparse.Namespace) -> None:
    """Let a machine send no more. Raises NotFound where there is none of this identifier."""
    await house.imaging.deactivate_sender(SYSTEM, options.id)
    print(f"{options.id} may send no more")
