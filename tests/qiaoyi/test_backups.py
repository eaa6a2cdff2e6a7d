"""A backup is one encrypted file, and what is restored from it is what there was: on SQLite, on MariaDB, and across."""

import asyncio
import shutil
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from sqlalchemy import text

from backend.db import install_key_ring
from backend.imaging.objects import StoredObject
from backend.imaging.remotestore import RemoteStore
from backend.people.tables import Person
from backend.rights.rules import COOLING_OFF
from backend.security.errors import PersonKeyDestroyed
from backend.security.keyring import KeyRing, person_key_folder
from backend.security.policy import SYSTEM
from qiaoyi import commands
from qiaoyi.audit_log import audit
from qiaoyi.backups import backup, restore
from qiaoyi.house import House, open_house
from qiaoyi.settings import Settings, load

PASSPHRASE = "青石桥下三棵老柳树和一口井"
VOICE = b"ID3 voice of a patient"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch, key_ring: KeyRing) -> Iterator[None]:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    yield
    install_key_ring(key_ring)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A data folder with people, a file and an audit log, made once."""
    made = load(data=tmp_path_factory.mktemp("furnished") / "var")
    made.data.mkdir()
    shutil.copyfile(sqlite_template, made.data / "qiaoyi.db")

    async def furnish() -> None:
        await commands.seed(made, Namespace())
        async with open_house(made) as house:
            person_id = await house.people.register("王秀英")
            await house.files.put(VOICE, "audio/mpeg", person_id)

    asyncio.run(furnish())
    return made.data


@pytest.fixture
def settings(tmp_path: Path, furnished: Path) -> Settings:
    """A copy of it."""
    shutil.copytree(furnished, tmp_path / "var")
    return load(data=tmp_path / "var")


def saving(file: Path, **more: object) -> Namespace:
    usual: dict[str, object] = {
        "file": file,
        "key_file": None,
        "with_keys": False,
        "check": False,
        "without_images": False,
    }
    return Namespace(**usual | more)


async def names(settings: Settings) -> list[str]:
    async with open_house(settings) as house:
        [person_id] = [row for row in await people_ids(house) if row]
        return [(await house.people.practitioner_by_licence("DEMO-DOC-010")).name, person_id]


async def people_ids(house: House) -> list[str]:
    async with house.database.reading() as session:
        return list(await session.scalars(text("SELECT owner_id FROM files")))


async def restored(file: Path, settings: Settings) -> None:
    assert await restore(settings, saving(file)) == 0


async def test_what_is_restored_is_what_there_was(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.backup"
    assert await backup(settings, saving(file, with_keys=True)) == 0
    assert "王秀英".encode() not in file.read_bytes()
    before = await names(settings)
    there = load(data=tmp_path / "elsewhere")
    await restored(file, there)
    assert await names(there) == before
    async with open_house(there) as house:
        async with house.database.reading() as session:
            [file_id] = await session.scalars(text("SELECT id FROM files"))
        assert await house.files.get(file_id) == (VOICE, "audio/mpeg")
        assert (await house.people.person(SYSTEM, before[1])).name == "王秀英", "what is under a person's own key too"
    assert await audit(there, Namespace(action="verify")) == 0
    assert "2 kept heads fit" in capsys.readouterr().out


async def test_the_key_ring_is_kept_apart_unless_it_is_asked_for(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    await backup(settings, saving(file))
    there = load(data=tmp_path / "elsewhere")
    await restored(file, there)
    assert not there.key_file.exists()
    assert not person_key_folder(there.key_file).exists()
    shutil.copyfile(settings.key_file, there.key_file)
    shutil.copytree(person_key_folder(settings.key_file), person_key_folder(there.key_file))
    assert await names(there) == await names(settings)


async def test_what_somebody_had_destroyed_does_not_come_back_out_of_an_older_backup(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "older.backup"
    await backup(settings, saving(file))
    async with open_house(settings) as house:
        [person_id] = await people_ids(house)
        await house.erasures.ask(await house.people.actor(person_id), person_id)
        house.clock.advance(COOLING_OFF)
        while await house.timers.fire():
            pass
        assert await people_ids(house) == []
    there = load(data=tmp_path / "elsewhere")
    await restored(file, there)
    shutil.copyfile(settings.key_file, there.key_file)
    shutil.copytree(person_key_folder(settings.key_file), person_key_folder(there.key_file))
    async with open_house(there) as house:
        with pytest.raises(PersonKeyDestroyed):
            await house.people.person(SYSTEM, person_id)
        assert await house.erasures.repeat() == 1
        assert await people_ids(house) == []
        assert (await house.people.person(SYSTEM, person_id)).name == ""


async def test_a_key_file_opens_it_and_a_passphrase_then_does_not(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, file = tmp_path / "key", tmp_path / "all.backup"
    key.write_text("ab" * 32 + "\n")
    assert await backup(settings, saving(file, key_file=key)) == 0
    assert await restore(settings, saving(file, key_file=key, check=True)) == 0
    assert await restore(settings, saving(file, check=True)) == 1
    assert "opens with a key file" in capsys.readouterr().err


def cut(whole: bytes) -> bytes:
    return whole[:-40]


def flipped(whole: bytes) -> bytes:
    place = len(whole) // 2
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda _: b"", lambda whole: b"x" * 500])
async def test_a_damaged_file_is_refused_before_anything_of_it_is_used(
    settings: Settings,
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "all.backup"
    await backup(settings, saving(file))
    file.write_bytes(damage(file.read_bytes()))
    there = load(data=tmp_path / "elsewhere")
    assert await restore(there, saving(file)) == 1
    assert capsys.readouterr().err
    assert not there.data.exists()


async def test_nothing_that_is_there_is_written_over(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.backup"
    assert await backup(settings, saving(file)) == 0
    assert await backup(settings, saving(file)) == 1
    assert "is there already" in capsys.readouterr().err
    before = await names(settings)
    assert await restore(settings, saving(file)) == 1
    assert "not empty" in capsys.readouterr().err
    assert await names(settings) == before
    assert not file.with_name("all.backup.part").exists()


async def test_a_backup_of_another_version_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.backup"
    await backup(settings, saving(file))
    monkeypatch.setattr(Person.__table__.columns["name"], "name", "another")
    assert await restore(load(data=tmp_path / "elsewhere"), saving(file)) == 1
    assert "other tables" in capsys.readouterr().err


async def test_it_goes_over_to_another_database_and_back(settings: Settings, tmp_path: Path, blank_url: str) -> None:
    """Rows are kept as the driver gives them, so that SQLite, MariaDB and MySQL read each other's."""
    first, second = tmp_path / "first.backup", tmp_path / "second.backup"
    await backup(settings, saving(first, with_keys=True))
    over = load(data=tmp_path / "over", database_url=blank_url)
    await restored(first, over)
    assert await names(over) == await names(settings)
    assert await audit(over, Namespace(action="verify")) == 0
    await backup(over, saving(second, with_keys=True))
    back = load(data=tmp_path / "back")
    await restored(second, back)
    assert await names(back) == await names(settings)
    assert await audit(back, Namespace(action="verify")) == 0


class Bucket(RemoteStore):
    """A store that speaks S3, with images in it, one of which is removed while the backup is made."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())

    async def hold(self, images: dict[str, bytes]) -> None:
        for object_id, content in images.items():
            await self.put(object_id, self._pieces(content))

    async def held(self) -> dict[str, bytes]:
        return {one.id: b"".join([piece async for piece in self.get(one.id)]) async for one in self.list()}

    @staticmethod
    async def _pieces(content: bytes) -> AsyncIterator[bytes]:
        yield content


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch) -> dict[str, Bucket]:
    """Buckets by their addresses."""
    made = {f"s3://{name}/images": Bucket() for name in ("ours", "theirs")}
    monkeypatch.setattr("qiaoyi.backups.object_store", lambda settings: made[settings.imaging_store])
    return made


IMAGES = {f"{number:032x}": bytes([number]) * size for number, size in enumerate((1, 10, 3_000_000))}


async def test_images_in_a_bucket_are_in_the_backup_and_come_back(
    settings: Settings, tmp_path: Path, buckets: dict[str, Bucket], capsys: pytest.CaptureFixture[str]
) -> None:
    file, ours, theirs = tmp_path / "all.backup", *buckets
    await buckets[ours].hold(IMAGES)
    assert await backup(settings.model_copy(update={"imaging_store": ours}), saving(file)) == 0
    assert "3 objects of the store of images" in capsys.readouterr().out
    there = load(data=tmp_path / "elsewhere", imaging_store=theirs)
    assert await restore(there, saving(file)) == 0
    assert await buckets[theirs].held() == IMAGES
    full = load(data=tmp_path / "third", imaging_store=theirs)
    assert await restore(full, saving(file)) == 1
    assert "the store of images is not empty" in capsys.readouterr().err


async def test_an_image_that_is_removed_meanwhile_is_left_out(
    settings: Settings, tmp_path: Path, buckets: dict[str, Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, ours, _ = tmp_path / "all.backup", *buckets
    bucket = buckets[ours]
    await bucket.hold(IMAGES)
    listed = [one async for one in bucket.list()]

    async def as_before() -> AsyncIterator[StoredObject]:
        for one in listed:
            yield one

    await bucket.delete(listed[1].id)
    monkeypatch.setattr(bucket, "list", as_before)
    assert await backup(settings.model_copy(update={"imaging_store": ours}), saving(file)) == 0
    assert await restore(settings, saving(file, check=True)) == 0


async def test_leaving_images_out_is_said_and_leaves_bucket_and_folder_alone(
    settings: Settings, tmp_path: Path, buckets: dict[str, Bucket], capsys: pytest.CaptureFixture[str]
) -> None:
    file, ours, _ = tmp_path / "all.backup", *buckets
    await buckets[ours].hold(IMAGES)
    bucket = settings.model_copy(update={"imaging_store": ours})
    assert await backup(bucket, saving(file, without_images=True)) == 0
    said = capsys.readouterr().out
    assert "images are not in it, as was asked" in said
    assert "objects" not in said
    (settings.data / "imaging" / "ab").mkdir(parents=True)
    (settings.data / "imaging" / "ab" / ("1" * 32)).write_bytes(b"an image")
    assert await backup(settings, saving(tmp_path / "second.backup", without_images=True)) == 0
    await restored(tmp_path / "second.backup", load(data=tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere" / "imaging").exists()
