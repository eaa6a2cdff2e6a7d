"""Who may send, and how they are known again."""

import pytest
from sqlalchemy import text

from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.imaging import ImagingService
from backend.security.policy import SYSTEM, Role
from tests.support.clinic import Clinic


async def test_a_token_is_known_again_and_never_stored(clinic: Clinic, imaging: ImagingService) -> None:
    new = await imaging.register_stow_sender(SYSTEM, clinic.township, " 放射科CT ")
    sender = await imaging.sender_of_token(new.token)
    assert sender is not None
    assert (sender.person_id, sender.institution_id, sender.roles) == (
        new.sender_id,
        clinic.township,
        frozenset({Role.DEVICE}),
    )
    async with clinic.database.reading() as session:
        rows = (await session.execute(text("SELECT * FROM imaging_senders"))).all()
    assert new.token not in str(rows)
    assert new.token not in repr(new)
    assert [view.label for view in await imaging.senders(SYSTEM)] == ["放射科CT"]


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "放射科"])
async def test_a_token_that_nobody_has_is_nobodys(imaging: ImagingService, token: str) -> None:
    assert await imaging.sender_of_token(token) is None


async def test_a_machine_that_was_taken_away_sends_no_more(clinic: Clinic, imaging: ImagingService) -> None:
    new = await imaging.register_stow_sender(SYSTEM, clinic.township, "CT")
    await imaging.register_store_sender(SYSTEM, clinic.township, "DR", "DR1", "10.0.0.0/8")
    for view in await imaging.senders(SYSTEM):
        await imaging.deactivate_sender(SYSTEM, view.id)
    assert await imaging.sender_of_token(new.token) is None
    assert await imaging.sender_of_title("DR1", "10.1.2.3") is None
    with pytest.raises(NotFound):
        await imaging.deactivate_sender(SYSTEM, "0" * 32)


async def test_an_ae_title_counts_from_its_own_network_alone(clinic: Clinic, imaging: ImagingService) -> None:
    view = await imaging.register_store_sender(SYSTEM, clinic.township, "DR", " DR1 ", "10.1.2.0/24")
    assert (view.ae_title, view.network) == ("DR1", "10.1.2.0/24")
    sender = await imaging.sender_of_title("DR1", "10.1.2.3")
    assert sender is not None
    assert sender.institution_id == clinic.township
    assert await imaging.sender_of_title("DR1", "10.1.3.3") is None
    assert await imaging.sender_of_title("DR2", "10.1.2.3") is None
    assert await imaging.sender_of_title("dr1", "10.1.2.3") is None


@pytest.mark.parametrize(
    ("label", "title", "network"),
    [
        ("", "DR1", "10.0.0.0/8"),
        ("DR", "", "10.0.0.0/8"),
        ("DR", "X" * 17, "10.0.0.0/8"),
        ("DR", "A\\B", "10.0.0.0/8"),
        ("DR", "设备", "10.0.0.0/8"),
        ("DR", "DR1", ""),
        ("DR", "DR1", "10.0.0.1/8"),
        ("DR", "DR1", "everywhere"),
    ],
)
async def test_what_cannot_be_a_machine_is_refused_in_a_sentence(
    clinic: Clinic, imaging: ImagingService, label: str, title: str, network: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        await imaging.register_store_sender(SYSTEM, clinic.township, label, title, network)
    assert "设备" in error.value.sentence


async def test_a_title_belongs_to_one_machine_and_a_machine_to_an_institution(
    clinic: Clinic, imaging: ImagingService
) -> None:
    await imaging.register_store_sender(SYSTEM, clinic.township, "DR", "DR1", "10.0.0.0/8")
    with pytest.raises(Conflict):
        await imaging.register_store_sender(SYSTEM, clinic.hospital, "DR", "DR1", "10.0.0.0/8")
    with pytest.raises(NotFound):
        await imaging.register_stow_sender(SYSTEM, "0" * 32, "CT")


async def test_only_an_administrator_manages_machines(clinic: Clinic, imaging: ImagingService) -> None:
    administrator = await clinic.administrator()
    await imaging.register_stow_sender(administrator, clinic.township, "CT")
    for actor in (await clinic.patient(), await clinic.doctor(), await clinic.expert()):
        with pytest.raises(Forbidden):
            await imaging.register_stow_sender(actor, clinic.township, "CT")
        with pytest.raises(Forbidden):
            await imaging.senders(actor)
        with pytest.raises(Forbidden):
            await imaging.savings(actor)
