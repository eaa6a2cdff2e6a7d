"""A picture is its person's own, under their key, until it becomes part of a record, which is under the ring."""

from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database, key_ring
from backend.errors import NotFound
from backend.files import FileRow
from backend.photographs import clean
from backend.rights.rules import COOLING_OFF
from backend.security.errors import PersonKeyDestroyed
from backend.security.keyring import add_key
from tests.backend.records.test_slips import Eye
from tests.support import cases
from tests.support.dying import Forked
from tests.support.erasing import Life, lead
from tests.support.killable_attaching import STEPS, main
from tests.support.pictures import jpeg


@pytest_asyncio.fixture
async def life(database: Database, clock: Clock, tmp_path: Path) -> Life:
    return await lead(database, clock, tmp_path)


async def sent(life: Life) -> str:
    """A picture that the person sends outside a consultation."""
    return await life.house.services.files.put_picture(
        clean(jpeg(), "image/jpeg"), life.person_id, own_of=life.person_id
    )


async def own_of(life: Life, file_id: str) -> str | None:
    async with life.house.database.reading() as session:
        return await session.scalar(select(FileRow.own_of).where(FileRow.id == file_id))


def opened(stored: bytes, file_id: str) -> bytes:
    """Open bytes of a backup with the keys of today."""
    return key_ring().decrypt(stored, f"files.content.{file_id}")


def lying(folder: Path) -> dict[str, bytes]:
    """Give the bytes of every file as a backup has them."""
    return {path.name: path.read_bytes() for path in (folder / "files").rglob("*") if path.is_file()}


async def test_an_old_backup_of_the_bytes_opens_for_nobody_once_the_key_is_gone(life: Life, tmp_path: Path) -> None:
    case_id = await cases.open_case(life.house, life.person_id)
    me = await life.actor()
    loose, kept = await sent(life), await sent(life)
    before = lying(tmp_path)
    assert opened(before[loose], loose) == opened(before[kept], kept)
    await life.house.services.consultations.attach(me, case_id, kept)
    since = lying(tmp_path)
    await life.house.services.consultations.cancel(me, case_id, "好多了")
    await life.house.services.erasures.ask(me, life.person_id)
    await life.after(COOLING_OFF.days + 0.1)
    for backup in (before, since):
        with pytest.raises(PersonKeyDestroyed):
            opened(backup[loose], loose)
    with pytest.raises(PersonKeyDestroyed):
        opened(before[kept], kept)
    doctor = await cases.staff(life.house, "村医甲")
    picture, _ = await life.house.services.consultations.open_file(doctor, case_id, kept)
    assert picture == opened(since[kept], kept)
    with pytest.raises(NotFound):
        await life.house.services.files.get(loose)


async def test_every_way_into_a_record_brings_the_picture_under_the_ring(life: Life) -> None:
    services, me = life.house.services, await life.actor()
    case_id = await cases.open_case(life.house, life.person_id)
    attached, answered, said, slip = [await sent(life) for _ in range(4)]
    await services.consultations.attach(me, case_id, attached)
    await services.slips.take(me, slip, patient_id=life.person_id, consultation_id=case_id)
    await cases.assign(life.house, case_id)
    expert, doctor = await cases.staff(life.house, "钟专家"), await cases.staff(life.house, "村医甲")
    await services.consultations.request_supplement(expert, case_id, "请补一张片子")
    async with life.house.database.transaction() as session:
        (await session.get_one(FileRow, answered)).owner_id = doctor.person_id
    await services.consultations.answer_supplement(doctor, case_id, file_ids=[answered])
    await cases.begin(life.house, case_id)
    await services.consultations.post(me, case_id, kind="image", file_id=said)
    for file_id in (attached, answered, said, slip):
        assert await own_of(life, file_id) is None, file_id
        assert (await services.files.get(file_id))[1] == "image/jpeg"


async def test_a_relatives_slip_goes_with_the_relative(life: Life, tmp_path: Path) -> None:
    """The speaker sent the photograph; what it tells is the mother's own."""
    services = life.house.services
    mother = await services.people.add_relative(await life.actor(), relation="mother", name="李桂兰")
    me, file_id = await life.actor(), await sent(life)
    services.slips.read_with(Eye())
    slip = await services.slips.take(me, file_id, patient_id=life.person_id)
    while await services.slips.read_next():
        pass
    await services.slips.keep(me, slip.id, mother)
    assert await own_of(life, file_id) == mother
    backup = lying(tmp_path)
    await services.erasures.ask(me, mother)
    await life.after(COOLING_OFF.days + 0.1)
    with pytest.raises(NotFound):
        await services.files.get(file_id)
    with pytest.raises(PersonKeyDestroyed):
        opened(backup[file_id], file_id)


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_killed_while_a_picture_becomes_part_of_a_case_loses_none(
    life: Life, database_url: str, tmp_path: Path, step: str
) -> None:
    services, me = life.house.services, await life.actor()
    case_id = await cases.open_case(life.house, life.person_id)
    file_id = await sent(life)
    picture, _ = await services.files.get(file_id)
    assert await Forked(main, database_url, tmp_path, life.person_id, case_id, file_id, step).ended() == -9
    of_case = file_id in {one.file_id for one in await services.consultations.attachments(me, case_id)}
    assert of_case is (step == "committed")
    assert (await services.files.get(file_id))[0] == picture
    await services.files.settle()
    assert key_ring().lies_right(lying(tmp_path)[file_id], None if of_case else life.person_id)
    await services.consultations.attach(me, case_id, file_id)
    assert key_ring().lies_right(lying(tmp_path)[file_id], None)
    assert (await services.files.get(file_id))[0] == picture


async def test_a_picture_from_before_persons_had_keys_opens_and_comes_under_its_persons(
    life: Life, tmp_path: Path
) -> None:
    file_id = await life.house.services.files.put_picture(clean(jpeg(), "image/jpeg"), life.person_id)
    async with life.house.database.transaction() as session:
        (await session.get_one(FileRow, file_id)).own_of = life.person_id
    picture, _ = await life.house.services.files.get(file_id)
    assert await life.house.services.files.settle() == 1
    assert await life.house.services.files.settle() == 0
    assert key_ring().lies_right(lying(tmp_path)[file_id], life.person_id)
    assert (await life.house.services.files.get(file_id))[0] == picture


async def test_a_rotation_leaves_each_picture_under_whose_key_it_is(life: Life, tmp_path: Path) -> None:
    before = lying(tmp_path)
    assert add_key(tmp_path / "keys.json") == 2
    key_ring()._reload()
    people = key_ring().people
    assert people is not None
    people.rewrap()
    assert await life.house.services.files.reencrypt() == 1, "the one of the record"
    assert sum(before[name] == stored for name, stored in lying(tmp_path).items()) == 1, "the person's own"
    for file_id in before:
        assert (await life.house.services.files.get(file_id))[1] == "image/jpeg"
