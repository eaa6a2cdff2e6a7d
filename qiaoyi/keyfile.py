"""The key ring that belongs to the database: never a fresh one beside data that another one has encrypted."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.db import Database
from backend.security.errors import KeyRingError, PersonKeyDestroyed
from backend.security.keyring import KeyRing, open_key_file
from qiaoyi.settings import Settings, SettingsError

_COLUMN = "people.name"


async def open_ring(settings: Settings, database: Database) -> KeyRing:
    """Give the ring of the key file, made anew where nothing is there yet.

    Raises:
        SettingsError: the file is damaged, or it is gone or another one although the database holds what it encrypted.
    """
    held = await _held(database)
    if held is not None and not settings.key_file.exists():
        raise SettingsError(
            f"setting data: the key file {settings.key_file} is not there, but the database holds what was encrypted "
            "with it: bring it back from where it is kept; without it nothing personal can be read"
        )
    try:
        ring = open_key_file(settings.key_file)
    except (OSError, KeyRingError) as error:
        raise SettingsError(f"setting data: {error}") from None
    try:
        if held is not None:
            ring.decrypt(held, _COLUMN)
    except PersonKeyDestroyed:
        pass
    except KeyRingError as error:
        raise SettingsError(
            f"setting data: the key file {settings.key_file} is not the one of this database: bring back the one that "
            f"was used ({error})"
        ) from None
    return ring


async def _held(database: Database) -> bytes | None:
    """Give an encrypted value of the database; None where it has none, or does not answer: that is said elsewhere."""
    try:
        async with database.reading() as session:
            found: bytes | None = await session.scalar(text("SELECT name FROM people LIMIT 1"))
    except (DBAPIError, OSError):
        return None
    return found
