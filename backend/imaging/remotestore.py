"""Objects in a store that speaks S3, through obstore (the object_store library of Apache Arrow)."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import from_url

from backend.imaging.objects import ObjectMissing, StoredObject
from backend.imaging.sealing import SEALED_BYTES

# An upload holds this much in memory, twice; S3 takes parts of 5 MiB at least and 10 000 of them.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2


class RemoteStore:
    """An `ObjectStore` on a bucket; S3 shows an object whole once its upload is complete, and keeps it then.

    Args:
        store: of obstore.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str, options: Mapping[str, Any] | None = None) -> "RemoteStore":
        """Give the store at an address such as `s3://bucket/folder`.

        Args:
            options: of obstore's S3Store: endpoint, region, access_key_id, secret_access_key; what is not given is
                taken from the environment (AWS_…).
        """
        return cls(from_url(url, **dict(options or {})))

    async def put(self, object_id: str, chunks: AsyncIterable[bytes]) -> None:
        """As `ObjectStore.put`."""
        # What the chunks raise goes through the library, which may wrap it: the caller gets what was raised.
        raised: list[BaseException] = []

        async def guarded() -> AsyncIterator[bytes]:
            try:
                async for chunk in chunks:
                    yield chunk
            except BaseException as error:
                raised.append(error)
                raise

        try:
            await obstore.put_async(
                self._store,
                _path(object_id),
                guarded(),
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        except BaseException as error:
            if raised:
                raise raised[0] from None
            if isinstance(error, BaseError):
                raise OSError(f"object {object_id} cannot be stored") from error
            raise

    async def get(self, object_id: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """As `ObjectStore.get`."""
        options: Any = {"range": {"offset": start} if end is None else (start, end)}
        try:
            found = await obstore.get_async(self._store, _path(object_id), options=options)
            async for piece in found.stream(min_chunk_size=SEALED_BYTES):
                yield bytes(piece)
        except (NotFoundError, FileNotFoundError) as error:
            raise ObjectMissing(object_id) from error
        except BaseError as error:
            raise OSError(f"object {object_id} cannot be read") from error

    async def exists(self, object_id: str) -> bool:
        """As `ObjectStore.exists`."""
        try:
            await obstore.head_async(self._store, _path(object_id))
        except (NotFoundError, FileNotFoundError):
            return False
        return True

    async def delete(self, object_id: str) -> None:
        """As `ObjectStore.delete`."""
        with suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self._store, _path(object_id))

    async def list(self) -> AsyncIterator[StoredObject]:
        """As `ObjectStore.list`; unfinished uploads are not among them: let the bucket's lifecycle end those."""
        async for batch in obstore.list(self._store):
            for found in batch:
                yield StoredObject(found["path"].rpartition("/")[2], found["size"], found["last_modified"])


def _path(object_id: str) -> str:
    # The last digits are random: requests spread over the partitions of the store.
    return f"{object_id[-2:]}/{object_id}"
