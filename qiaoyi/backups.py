"""`qiaoyi backup` and `qiaoyi restore`: everything that is kept, in one encrypted file."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from backend import migrations
from backend.backup import BackupRefused, check, dump, load
from backend.db import Database
from backend.security.keyring import person_key_folder
from backend.security.sealed_stream import KEY_BYTES, SealedReader, SealedWriter, Secret, StreamDamaged
from qiaoyi.house import object_store
from qiaoyi.passwords import read_secret
from qiaoyi.settings import Settings, SettingsError

_SHORTEST = 12


async def backup(settings: Settings, options: argparse.Namespace) -> int:
    """Write a backup while the product may be running; 1 where that does not succeed, and then no file is left."""
    secret = await asyncio.to_thread(_secret, options)
    fresh = options.file.with_name(options.file.name + ".part")
    database = Database(settings.database)
    migrations.import_tables()
    try:
        if await asyncio.to_thread(options.file.exists):
            return _refused(f"{options.file} is there already")
        with _created(fresh) as file:
            sealed = SealedWriter(file, secret)
            folders = _folders(settings, options.with_keys, with_images=not options.without_images)
            objects = object_store(settings) if settings.imaging_store and not options.without_images else None
            counts = await dump(database.engine, folders, sealed, datetime.now(UTC), objects)
            sealed.finish()
            file.flush()
            os.fsync(file.fileno())
        await asyncio.to_thread(fresh.replace, options.file)
    except (BackupRefused, OSError) as error:
        return _refused(str(error))
    finally:
        await asyncio.to_thread(fresh.unlink, missing_ok=True)
        await database.close()
    print(f"{_said(counts)} are in {options.file}")
    if options.without_images:
        print("images are not in it, as was asked: whatever keeps them has to keep versions of them")
    if not options.with_keys:
        people = person_key_folder(settings.key_file)
        print(f"without {settings.key_file} and {people} it cannot be read: keep those apart from it")
    return 0


async def restore(settings: Settings, options: argparse.Namespace) -> int:
    """Verify a backup from beginning to end, then put it into an empty place; 1 where either does not succeed."""
    secret = await asyncio.to_thread(_secret, options)
    migrations.import_tables()
    try:
        with _opened(options.file) as file:
            counts = await asyncio.to_thread(check, SealedReader(file, secret))
        if options.check:
            print(f"whole: {_said(counts)}")
            return 0
        await asyncio.to_thread(_require_empty, settings)
        objects = object_store(settings) if counts["objects"] else None
        if objects is not None and await anext(objects.list(), None) is not None:
            raise BackupRefused("the store of images is not empty")
        await migrations.upgrade(settings.database)
        database = Database(settings.database)
        try:
            with _opened(options.file) as file:
                await load(database.engine, _folders(settings, with_keys=True), SealedReader(file, secret), objects)
        finally:
            await database.close()
    except (BackupRefused, StreamDamaged, OSError) as error:
        return _refused(str(error))
    print(f"{_said(counts)} are restored; now run `qiaoyi audit verify`")
    return 0


def _said(counts: Mapping[str, int]) -> str:
    said = f"{counts['rows']} rows and {counts['files']} files"
    return f"{said} and {counts['objects']} objects of the store of images" if counts["objects"] else said


def _folders(settings: Settings, with_keys: bool, with_images: bool = True) -> dict[str, Path]:
    folders = {"files": settings.data / "files", "audit-heads": settings.audit_heads_folder}
    if with_images and not settings.imaging_store:
        folders["imaging"] = settings.data / "imaging"
    keys = {"keys": settings.key_file, "person-keys": person_key_folder(settings.key_file)}
    return folders | (keys if with_keys else {})


def _require_empty(settings: Settings) -> None:
    settings.data.mkdir(parents=True, exist_ok=True)
    for name, folder in _folders(settings, with_keys=False).items():
        if folder.is_dir() and any(folder.iterdir()):
            raise BackupRefused(f"{name} is not empty: restore into an empty data folder")


def _secret(options: argparse.Namespace) -> Secret:
    if options.key_file is None:
        passphrase = read_secret("BACKUP_PASSPHRASE", "passphrase of the backup: ")
        if len(passphrase) < _SHORTEST:
            raise SettingsError(f"the passphrase of a backup has at least {_SHORTEST} characters")
        return passphrase
    try:
        key = bytes.fromhex(options.key_file.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the key file cannot be read: {error}") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"a key file holds {2 * KEY_BYTES} hexadecimal digits (openssl rand -hex {KEY_BYTES})")
    return key


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        yield file


def _refused(words: str) -> int:
    print(words, file=sys.stderr)
    return 1
