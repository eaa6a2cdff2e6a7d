"""A bare STOW-RS client for measuring, which posts bytes that it holds in memory; and what the product does later."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

_BOUNDARY = "of-the-bare-client"
_HEAD = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
_END = f"--{_BOUNDARY}--\r\n".encode()


async def store(url: str, authorization: str, files: Sequence[bytes], *, together: int = 10, at_once: int = 4) -> float:
    """Store files; give instances a second, from the first byte to the last answer.

    Args:
        url: of the DICOMweb service, without /studies. authorization: the whole header.
        together: instances a request. at_once: requests at a time.

    Raises:
        RuntimeError: not every one was stored.
    """
    batches = [files[start : start + together] for start in range(0, len(files), together)]
    headers = {
        "Authorization": authorization,
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}',
        "Accept": "application/dicom+json",
    }
    stored = 0
    async with aiohttp.ClientSession(headers=headers) as http:

        async def work() -> None:
            nonlocal stored
            while batches:
                body = b"".join(_HEAD + file + b"\r\n" for file in batches.pop(0)) + _END
                async with http.post(f"{url}/studies", data=body, raise_for_status=True) as response:
                    answer = await response.json(content_type=None)
                    stored += len(answer["00081199"]["Value"])

        begun = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(at_once)))
        seconds = time.perf_counter() - begun
    if stored != len(files):
        raise RuntimeError(f"{stored} of {len(files)} were stored")
    return len(files) / seconds


async def until_compressed(data: Path) -> tuple[int, int]:
    """Wait until a product on the folder `data` has compressed what it took in, as it does about when its card is sent;
    give the bytes received and stored."""
    query = "SELECT sum(compress_at IS NOT NULL), sum(received_size), sum(size) FROM imaging_instances"
    while True:
        connection = sqlite3.connect(f"file:{data}/qiaoyi.db?mode=ro", uri=True, timeout=30)
        waiting, received, stored = connection.execute(query).fetchone()
        connection.close()
        if not waiting:
            return received, stored
        await asyncio.sleep(0.5)
