"""Commands of the operator, each on a data folder of its own."""

from argparse import Namespace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backend.security.keyring import add_key, key_number, open_key_file
from backend.security.policy import SYSTEM
from qiaoyi import commands
from qiaoyi.house import open_house
from qiaoyi.settings import Settings, SettingsError, load
from tests.support.sandbox import running_sandbox

VOICE = b"ID3 voice"


@pytest.fixture
def settings(migrated: Path) -> Settings:
    """A data folder in which nothing has been started."""
    return load(data=migrated)


@pytest.fixture
def peopled(seeded: Path) -> Settings:
    """A data folder with the people of the demonstration."""
    return load(data=seeded)


async def test_a_rotation_brings_files_and_values_under_the_newest_key(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_house(settings) as house:
        person_id = await house.people.register("王秀英")
        file_id = await house.files.put(VOICE, "audio/mpeg", person_id)
    assert await commands.rotate_keys(settings, Namespace(action="rotate")) == 0
    assert "1 files and the keys of 1 persons were re-encrypted" in capsys.readouterr().out
    stored = settings.data / "files" / file_id[-2:] / file_id
    assert key_number(stored.read_bytes()) == open_key_file(settings.key_file).active
    async with open_house(settings) as house:
        assert await house.files.get(file_id) == (VOICE, "audio/mpeg")


async def test_a_rotation_that_was_killed_is_brought_to_its_end_under_the_same_key(settings: Settings) -> None:
    async with open_house(settings) as house:
        await house.people.begin_record(await house.people.register("王秀英"))
    add_key(settings.key_file)  # and then it was killed
    assert await commands.rotate_keys(settings, Namespace(action="rotate")) == 0
    assert open_key_file(settings.key_file).active == 2
    assert await commands.rotate_keys(settings, Namespace(action="rotate")) == 0
    assert open_key_file(settings.key_file).active == 3


async def test_without_its_key_file_the_product_does_not_begin_and_makes_no_other(settings: Settings) -> None:
    async with open_house(settings) as house:
        person_id = await house.people.register("王秀英")
    kept = settings.key_file.read_bytes()
    settings.key_file.unlink()
    with pytest.raises(SettingsError, match="is not there, but the database holds"):
        async with open_house(settings):
            pass
    assert not settings.key_file.exists()
    open_key_file(settings.key_file)  # another one
    with pytest.raises(SettingsError, match="is not the one of this database"):
        async with open_house(settings):
            pass
    settings.key_file.write_bytes(kept)
    async with open_house(settings) as house:
        assert (await house.people.person(SYSTEM, person_id)).name == "王秀英"


async def test_an_invitation_is_printed_as_the_address_of_a_code_that_lets_its_owner_join(
    peopled: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_sandbox() as wechat:
        options = Namespace(practitioner="DOC-09", sandbox_port=urlsplit(wechat.base_url).port)
        assert await commands.invite(peopled, options) == 0
        printed = capsys.readouterr().out
        assert "马长河" in printed
        assert printed.splitlines()[-1].startswith(f"{wechat.base_url}/cgi-bin/showqrcode?ticket=")
        [code] = await wechat.client.qr_codes()
        async with open_house(peopled) as house:
            person_id = await house.people.register()
            joined = await house.people.accept_invitation(person_id, code["scene"])
        assert joined.name == "马长河"
        by_licence = Namespace(practitioner="DEMO-DOC-010", sandbox_port=options.sandbox_port)
        assert await commands.invite(peopled, by_licence) == 0
        assert "胡春燕" in capsys.readouterr().out
        assert await commands.invite(peopled, options) == 1
        assert "已经加入" in capsys.readouterr().err
        assert await commands.invite(peopled, Namespace(practitioner="NOBODY", sandbox_port=options.sandbox_port)) == 1


async def test_without_wechat_the_operator_reads_why_there_is_no_invitation(
    peopled: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_sandbox() as wechat:
        port = urlsplit(wechat.base_url).port
    assert await commands.invite(peopled, Namespace(practitioner="DOC-09", sandbox_port=port)) == 1
    assert "WeChat does not answer" in capsys.readouterr().err
