"""The migrations and the tables agree, on every database."""

import pytest
from sqlalchemy import text

from backend import migrations
from backend.db import Database


async def test_migrations_make_exactly_the_tables_that_the_program_declares(blank_url: str) -> None:
    await migrations.upgrade(blank_url)
    await migrations.check(blank_url)


async def test_an_upgrade_of_an_up_to_date_database_changes_nothing(blank_url: str) -> None:
    await migrations.upgrade(blank_url)
    await migrations.upgrade(blank_url)
    await migrations.check(blank_url)


async def test_a_database_without_its_migrations_is_out_of_date(blank_url: str) -> None:
    with pytest.raises(migrations.OutOfDate):
        await migrations.check(blank_url)


async def test_a_table_that_differs_from_its_declaration_is_out_of_date(blank_url: str) -> None:
    await migrations.upgrade(blank_url)
    database = Database(blank_url)
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE institutions ADD COLUMN surprise INTEGER"))
    await database.close()
    with pytest.raises(migrations.OutOfDate, match="surprise"):
        await migrations.check(blank_url)


async def test_no_migration_is_written_where_nothing_changed() -> None:
    before = set(migrations.FOLDER.glob("versions/*.py"))
    try:
        with pytest.raises(ValueError, match="already"):
            await migrations.revision("Nothing")
    finally:
        written = set(migrations.FOLDER.glob("versions/*.py")) - before
        for path in written:
            path.unlink()
    assert not written
