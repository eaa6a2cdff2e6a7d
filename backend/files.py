"""Files that people send: pictures and recordings, encrypted at rest, found again by identifier."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Index, String, delete, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.clock import Clock
from backend.db import Base, Database, Id, UTCDateTime, after_commit, key_ring
from backend.errors import InvalidInput, NotFound
from backend.ids import new_id
from backend.photographs import LARGEST_BYTES, CleanPicture, Flaw, UnfitPicture, clean, prepare
from backend.security.errors import KeyRingError
from backend.security.personkeys import HEAD_BYTES
from backend.worker_processes import WorkerDied, WorkerProcesses

log = logging.getLogger(__name__)

_BATCH = 100
_ORPHAN_AGE = timedelta(days=1)

# The first bytes of each kind that is taken: the signature decides what a file is, not what somebody says of it.
_PICTURES: dict[str, Callable[[bytes], bool]] = {
    "image/jpeg": lambda data: data.startswith(b"\xff\xd8\xff"),
    "image/png": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/gif": lambda data: data.startswith((b"GIF87a", b"GIF89a")),
    "image/webp": lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
}
_RECORDINGS: dict[str, Callable[[bytes], bool]] = {
    "audio/amr": lambda data: data.startswith((b"#!AMR\n", b"#!AMR-WB\n")),
    "video/webm": lambda data: data.startswith(b"\x1fC\xb6u"),  # a cluster: recordings are kept in parts
    "audio/mpeg": lambda data: data.startswith((b"ID3", b"\xff\xf2", b"\xff\xf3", b"\xff\xfa", b"\xff\xfb")),
}

_UNFIT = {
    Flaw.DAMAGED: "这张图片打不开，可能没有传完整，请重新拍一张再发。",
    Flaw.TOO_MANY_PIXELS: "这张图片太大了，打不开。请直接用手机拍一张再发。",
}


class FileRow(Base):
    """A file of the store: who sent it and what it is. Its bytes lie encrypted in the folder of the store.

    `own_of` is the person whose own it is, so that its bytes lie under their key; NULL where it is part of a record, or
    has to do with nobody's own: then they lie under the ring. Bytes are brought under the ring before the row says so.
    """

    __tablename__ = "files"
    __table_args__ = (Index("ix_files_own_of", "own_of"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[str] = mapped_column(Id)
    own_of: Mapped[str | None] = mapped_column(Id)
    media_type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True)
class FileView:
    """What is known of a file without opening it; `size` in bytes."""

    id: str
    owner_id: str
    media_type: str
    size: int
    created_at: datetime


class FileStore:
    """Keeps files in `folder`, each under its identifier, encrypted and bound to it.

    Who may see a file is decided by what it belongs to: `ConsultationService.open_file` checks and audits that.
    """

    def __init__(self, database: Database, folder: Path, clock: Clock) -> None:
        self._database = database
        self._folder = folder
        self._clock = clock
        self._cleaners = WorkerProcesses(1, niceness=5)

    def close(self) -> None:
        """End the process that cleans pictures."""
        self._cleaners.close()

    async def prepare(self) -> None:
        """Start the process that cleans pictures, so that the first picture does not wait for it."""
        with suppress(WorkerDied):  # it is started again with the first picture
            await self._cleaners.run(prepare)

    async def clean(self, data: bytes, media_type: str) -> CleanPicture:
        """Make a picture fit to be kept (`backend.photographs`), in another process. It takes up to seconds, so it is
        done before a transaction begins, never inside one.

        Args:
            data: at most 10 MiB.
            media_type: image/jpeg, image/png, image/gif or image/webp; what the bytes must be.

        Raises:
            InvalidInput: empty, too large, of another kind, or damaged.
        """
        checked = _checked(data, media_type, _PICTURES)
        try:
            return await self._cleaners.run(clean, data, checked)
        except UnfitPicture as error:
            raise InvalidInput(_UNFIT[error.flaw]) from error
        except WorkerDied as error:
            raise InvalidInput(_UNFIT[Flaw.DAMAGED]) from error

    async def put_picture(self, picture: CleanPicture, owner: str, own_of: str | None = None) -> str:
        """Keep a picture that was cleaned, and give its identifier; transaction as in `put`.

        Args:
            owner: the person who sent it, or for whom it was drawn.
            own_of: whose own it is, and under whose key it lies, until it becomes part of a record (`into_record`);
                None where it is part of one already.
        """
        return await self._keep(picture.data, picture.media_type, owner, own_of)

    async def put(self, data: bytes, media_type: str, owner: str) -> str:
        """Keep a recording of a consultation and give its identifier; in the caller's transaction where there is one.
        Pictures are kept by `put_picture` alone.

        Args:
            data: at most 10 MiB.
            media_type: audio/amr, audio/mpeg or video/webm (a cluster); what the bytes must be.
            owner: the person who sent it.

        Raises:
            InvalidInput: empty, too large, or not of such a kind.
        """
        return await self._keep(data, _checked(data, media_type, _RECORDINGS), owner, None)

    async def _keep(self, data: bytes, checked: str, owner: str, own_of: str | None) -> str:
        file_id = new_id()
        # Bytes first, then the row: a crash between leaves a file that nobody knows (see `sweep`), never a row without
        # its file.
        await asyncio.to_thread(self._write, file_id, data, own_of)
        async with self._database.transaction() as session:
            session.add(
                FileRow(
                    id=file_id,
                    owner_id=owner,
                    own_of=own_of,
                    media_type=checked,
                    size=len(data),
                    created_at=self._clock.now(),
                )
            )
        return file_id

    async def get(self, file_id: str) -> tuple[bytes, str]:
        """Give the bytes of a file and its media type.

        Raises:
            NotFound: there is none with this identifier.
            KeyRingError: the stored bytes were changed.
        """
        view = await self.describe(file_id)
        return await asyncio.to_thread(self._read, view.id), view.media_type

    async def describe(self, file_id: str) -> FileView:
        """Give what is known of a file.

        Raises:
            NotFound: there is none with this identifier.
        """
        async with self._database.reading() as session:
            row = await session.get(FileRow, file_id)
        if row is None:
            raise NotFound("没有找到这个文件，请重新发送一次。")
        return FileView(row.id, row.owner_id, row.media_type, row.size, row.created_at)

    async def describe_all(self, file_ids: Collection[str]) -> dict[str, FileView]:
        """Give what is known of files by their identifiers; one that nobody knows is left out."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(FileRow).where(FileRow.id.in_(file_ids)))
            return {row.id: FileView(row.id, row.owner_id, row.media_type, row.size, row.created_at) for row in rows}

    async def remove(self, session: AsyncSession, file_ids: Sequence[str]) -> None:
        """Remove files for good: the rows in the caller's transaction, the bytes once it is committed. What a crash in
        between leaves behind is swept."""
        for start in range(0, len(file_ids), _BATCH):
            await session.execute(delete(FileRow).where(FileRow.id.in_(file_ids[start : start + _BATCH])))

        def unlink() -> None:
            asyncio.get_running_loop().run_in_executor(None, self._unlink, list(file_ids))

        after_commit(session, unlink)

    async def into_record(self, session: AsyncSession, file_ids: Collection[str]) -> None:
        """Let files become part of a record that has to be kept: they lie under the ring from now on.

        The bytes are encrypted anew before the caller's transaction ends, so that a record whose person asks for
        erasure is never without them; where it is undone, `settle` puts them back. One that is nobody's own stays.
        """
        await self._hand_over(session, file_ids, None)

    async def into_hands(self, session: AsyncSession, file_ids: Collection[str], person_id: str) -> None:
        """Let files that are somebody's own be another person's: a relative's, of whom they tell."""
        await self._hand_over(session, file_ids, person_id)

    async def _hand_over(self, session: AsyncSession, file_ids: Collection[str], own_of: str | None) -> None:
        query = select(FileRow).where(FileRow.id.in_(file_ids), FileRow.own_of.is_not(None))
        for row in await session.scalars(query.order_by(FileRow.id).with_for_update()):
            row.own_of = own_of
            await session.flush()
            await asyncio.to_thread(self._bring, row.id, own_of)

    async def reencrypt(self) -> int:
        """Encrypt every file under the key that it belongs under, the ring's newest or its person's, in batches; give
        how many were not."""
        return await self._settle(true())

    async def settle(self) -> int:
        """Put what is somebody's own back under their key where a transaction that was undone left it under the ring;
        give how many files that were."""
        return await self._settle(FileRow.own_of.is_not(None))

    async def _settle(self, which: ColumnElement[bool]) -> int:
        changed, last = 0, ""
        while True:
            async with self._database.reading() as session:
                query = select(FileRow.id, FileRow.own_of).where(which, FileRow.id > last)
                batch = (await session.execute(query.order_by(FileRow.id).limit(_BATCH))).all()
            if not batch:
                return changed
            for file_id, own_of in batch:
                if not await asyncio.to_thread(self._lies_right, file_id, own_of):
                    changed += await self._settle_one(file_id)
            last = batch[-1][0]

    async def _settle_one(self, file_id: str) -> bool:
        async with self._database.transaction() as session:
            # Under the lock of the row: nobody hands the file over meanwhile.
            row = await session.get(FileRow, file_id, with_for_update=True)
            return row is not None and await asyncio.to_thread(self._bring, row.id, row.own_of)

    async def sweep(self) -> int:
        """Remove what is a day old and has no row: left by a transaction that was undone, or half written; give how
        many files that were."""
        # By the file system's time, which the product's clock may be ahead of: a file whose row is not committed yet
        # must not look old.
        found = await asyncio.to_thread(self._old_files, time.time() - _ORPHAN_AGE.total_seconds())
        removed = 0
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            async with self._database.reading() as session:
                query = select(FileRow.id).where(FileRow.id.in_([path.name for path in batch]))
                known = set(await session.scalars(query))
            for path in batch:
                if path.name not in known:
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                    removed += 1
        return removed

    async def keep_swept(self, interval: timedelta = timedelta(days=1)) -> None:
        """Sweep and settle now and then at each `interval` until cancelled; a folder that cannot be read is tried
        again."""
        while True:
            try:
                removed = await self.sweep()
                await self.settle()
            except (OSError, KeyRingError):
                log.exception("files not swept")
            else:
                if removed:
                    log.info("files swept: removed=%d", removed)
            await asyncio.sleep(interval.total_seconds())

    def _path(self, file_id: str) -> Path:
        # The last digits are random, so folders fill evenly.
        return self._folder / file_id[-2:] / file_id

    def _write(self, file_id: str, data: bytes, own_of: str | None) -> None:
        path = self._path(file_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key_ring().encrypt_for(own_of, data, _purpose(file_id)))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def _read(self, file_id: str) -> bytes:
        return key_ring().decrypt(self._path(file_id).read_bytes(), _purpose(file_id))

    def _bring(self, file_id: str, own_of: str | None) -> bool:
        """Bring the bytes of a file under the key that they belong under; tell whether they were not."""
        if self._lies_right(file_id, own_of):
            return False
        self._write(file_id, self._read(file_id), own_of)
        return True

    def _lies_right(self, file_id: str, own_of: str | None) -> bool:
        try:
            with self._path(file_id).open("rb") as file:
                head = file.read(HEAD_BYTES)
        except FileNotFoundError:  # removed since its row was read
            return True
        return key_ring().lies_right(head, own_of)

    def _unlink(self, file_ids: Iterable[str]) -> None:
        try:
            for file_id in file_ids:
                self._path(file_id).unlink(missing_ok=True)
        except OSError:
            log.exception("files not removed; they will be swept")

    def _old_files(self, before: float) -> list[Path]:
        return [path for path in self._folder.glob("??/*") if path.stat().st_mtime < before]


def _checked(data: bytes, media_type: str, kinds: Mapping[str, Callable[[bytes], bool]]) -> str:
    """Give the media type in its usual writing where `data` is of one of `kinds`."""
    if not data:
        raise InvalidInput("文件是空的，请重新发送。")
    if len(data) > LARGEST_BYTES:
        raise InvalidInput("文件太大了，最大10MB，请压缩后再发。", limit=LARGEST_BYTES)
    kind = media_type.split(";")[0].strip().lower()
    kind = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg"}.get(kind, kind)
    looks_right = kinds.get(kind)
    if looks_right is None:
        raise InvalidInput("这种文件暂时收不了，请发照片（JPG、PNG、GIF、WEBP）或语音。")
    if not looks_right(data):
        raise InvalidInput("文件好像损坏了，或者格式不对，请重新拍照发送。")
    return kind


def _purpose(file_id: str) -> str:
    return f"files.content.{file_id}"
