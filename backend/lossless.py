"""Lossless compression of one frame of an image, in a process of its own.

The codecs hold Python's lock while they work, so in this process they would stop everything else for tens of
milliseconds a frame. This module lies beside the subjects and imports none of them: it is all that the other process
loads.
"""

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum

from jpeg_ls import CharLS
from openjpeg import utils as openjpeg


class Method(StrEnum):
    """How pixels are compressed; each gives every bit back."""

    JPEG_LS = "jpeg-ls"  # ISO/IEC 14495-1
    JPEG_2000 = "jpeg2000"  # ISO/IEC 15444-1, reversible


@dataclass(frozen=True)
class Frame:
    """What a frame is: little-endian samples, colour by pixel, of one byte where at most 8 bits are stored, else two.

    Args:
        bits_stored: 1 to 16. signed: whether samples are two's complement.
    """

    rows: int
    columns: int
    samples: int
    bits_stored: int
    signed: bool


class FrameCodec:
    """Compresses frames in one other process, which starts with the first frame and runs at low priority."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self._pool: ProcessPoolExecutor | None = None

    async def encode(self, pixels: bytes, frame: Frame) -> bytes | None:
        """Give the compressed frame; None where decoding it does not give exactly `pixels` back, or it cannot be
        compressed at all."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, encode_frame, self.method.value, pixels, frame)
        except BrokenProcessPool:
            self.close()  # the codec took its process down: the next frame gets a new one
            return None

    def close(self) -> None:
        """End the other process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _prepare() -> None:
    """Make the other process give way to everything else, and end when the one that it works for has been killed."""
    os.nice(10)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(0)


def encode_frame(method: str, pixels: bytes, frame: Frame) -> bytes | None:
    """Compress one frame in this process; as `FrameCodec.encode`."""
    encode = _encode_jpeg_ls if method == Method.JPEG_LS else _encode_jpeg_2000
    try:
        encoded, decoded = encode(pixels, frame)
    except (RuntimeError, ValueError):
        return None
    return encoded if decoded == pixels else None


def _encode_jpeg_ls(pixels: bytes, frame: Frame) -> tuple[bytes, bytes]:
    encoded = CharLS.encode_pixel_data(
        pixels,
        rows=frame.rows,
        columns=frame.columns,
        samples_per_pixel=frame.samples,
        bits_stored=frame.bits_stored,
        planar_configuration=0,
    )
    decoded, _parameters = CharLS.decode_pixel_data(encoded)
    return bytes(encoded), bytes(decoded)


def _encode_jpeg_2000(pixels: bytes, frame: Frame) -> tuple[bytes, bytes]:

    encoded = openjpeg.encode_pixel_data(
        pixels,
        rows=frame.rows,
        columns=frame.columns,
        samples_per_pixel=frame.samples,
        bits_stored=frame.bits_stored,
        pixel_representation=int(frame.signed),
        photometric_interpretation="",
        use_mct=False,
    )
    decoded = openjpeg.decode_pixel_data(encoded, version=2)
    return bytes(encoded), bytes(decoded)
