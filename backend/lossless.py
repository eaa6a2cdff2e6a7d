"""Lossless compression of one frame of an image, in a process of its own.

The codecs hold Python's lock while they work, so in this process they would stop everything else for tens of
milliseconds a frame. This module lies beside the subjects and imports none of them: it is all that the other process
loads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

import numpy as np
from jpeg_ls import CharLS
from openjpeg import utils as openjpeg

from backend.worker_processes import WorkerDied, WorkerProcesses


class Method(StrEnum):
    """How pixels are compressed; each gives every bit back."""

    JPEG_LS = "jpeg-ls"  # ISO/IEC 14495-1
    JPEG_2000 = "jpeg2000"  # ISO/IEC 15444-1, reversible
    HTJ2K = "htj2k"  # ISO/IEC 15444-15, reversible

    @property
    def is_installed(self) -> bool:
        """Tell whether what writes it is here; the writer of HTJ2K is an extra of the installation."""
        return self is not Method.HTJ2K or find_spec("imagecodecs") is not None


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
        self._process = WorkerProcesses(1, niceness=10)

    async def encode(self, pixels: bytes, frame: Frame) -> bytes | None:
        """Give the compressed frame; None where decoding it does not give exactly `pixels` back, or it cannot be
        compressed at all."""
        try:
            return await self._process.run(encode_frame, self.method.value, pixels, frame)
        except WorkerDied:  # by the codec
            return None

    def close(self) -> None:
        """End the other process."""
        self._process.close()


def encode_frame(method: str, pixels: bytes, frame: Frame) -> bytes | None:
    """Compress one frame in this process; as `FrameCodec.encode`."""
    try:
        encoded, decoded = _ENCODERS[Method(method)](pixels, frame)
    except (RuntimeError, ValueError):
        return None
    return encoded if decoded == pixels else None


def _encode_jpeg_ls(pixels: bytes, frame: Frame) -> tuple[bytes, bytes]:
    # JPEG-LS knows no signs: samples keep those bits above the stored ones that repeat it. That costs two hundredths of
    # the size and leaves nothing for a decoder to extend, which many forget.
    container = 8 if frame.bits_stored <= 8 else 16
    encoded = CharLS.encode_pixel_data(
        pixels,
        rows=frame.rows,
        columns=frame.columns,
        samples_per_pixel=frame.samples,
        bits_stored=container if frame.signed else frame.bits_stored,
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


def _encode_htj2k(pixels: bytes, frame: Frame) -> tuple[bytes, bytes]:
    # Here and not above: it is loaded where it is chosen alone.
    import imagecodecs

    kind = ("i" if frame.signed else "u") + ("1" if frame.bits_stored <= 8 else "2")
    shape = (frame.rows, frame.columns) if frame.samples == 1 else (frame.rows, frame.columns, frame.samples)
    samples = np.frombuffer(pixels, f"<{kind}").reshape(shape)
    # Without a transform of colours, so that the photometric interpretation of the header stays true.
    encoded = imagecodecs.htj2k_encode(samples, reversible=True, rgb=False)
    # Read by another library than wrote it: what two understand alike is in the format.
    decoded = openjpeg.decode_pixel_data(encoded, version=2)
    return bytes(encoded), bytes(decoded)


_ENCODERS: dict[Method, Callable[[bytes, Frame], tuple[bytes, bytes]]] = {
    Method.JPEG_LS: _encode_jpeg_ls,
    Method.JPEG_2000: _encode_jpeg_2000,
    Method.HTJ2K: _encode_htj2k,
}
"""What compresses a frame, and gives beside it what decoding gives back."""
