"""Frames of images decoded, and shown as a browser shows pictures; in other processes, because the codecs hold Python's
lock for tens of milliseconds a frame. This module lies beside the subjects and imports none of them: it is all that
those processes load.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, convert_color_space

Array = np.ndarray[Any, Any]

DECODABLE = frozenset(
    {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.JPEGLSLossless,
        uid.JPEGLSNearLossless,
        uid.JPEG2000Lossless,
        uid.JPEG2000,
        uid.HTJ2KLossless,
        uid.HTJ2KLosslessRPCL,
        uid.HTJ2K,
        uid.RLELossless,
    }
)
"""Transfer syntaxes whose frames can be decoded here."""

_FUNCTIONS = {"LINEAR", "LINEAR_EXACT", "SIGMOID"}
_PNG_LEVEL = 2


class Undecodable(Exception):
    """These pixels cannot be decoded or shown here."""


@dataclass(frozen=True)
class StoredFrame:
    """One frame as it is stored.

    Args:
        data: as it is encoded. header: the elements that say how to read it.
    """

    data: bytes = field(repr=False)
    transfer_syntax: str
    header: Dataset = field(repr=False)


@dataclass(frozen=True)
class DecodedFrame:
    """Little-endian samples, colour by pixel; `interpretation` is what they are now (PS3.3, C.7.6.3.1.2)."""

    data: bytes = field(repr=False)
    interpretation: str


@dataclass(frozen=True)
class Window:
    """Which values are shown from black to white (PS3.3, section C.11.2.1.2).

    Args:
        width: at least 1 where the function is LINEAR, else above 0.
        function: LINEAR, LINEAR_EXACT or SIGMOID.
    """

    center: float
    width: float
    function: str = "LINEAR"

    @property
    def is_valid(self) -> bool:
        """Whether the standard allows it."""
        least = self.width >= 1 if self.function == "LINEAR" else self.width > 0
        return bool(np.isfinite([self.center, self.width]).all()) and least and self.function in _FUNCTIONS


def prepare() -> None:
    """Do nothing: a process that has done it has loaded this module."""


def decode(frame: StoredFrame) -> DecodedFrame:
    """Decode a frame.

    Raises:
        Undecodable: nothing here decodes it, or it is not what its header says.
    """
    array, interpretation = _pixels(frame)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return DecodedFrame(little.tobytes(), interpretation)


def render(frame: StoredFrame, window: Window | None, viewport: tuple[int, int] | None) -> bytes:
    """Give a frame as a PNG file.

    Args:
        window: instead of what the header says; without either, everything from the darkest to the brightest is shown.
        viewport: width and height that it has to fit into; it is never enlarged.

    Raises:
        Undecodable: as `decode`.
    """
    array, interpretation = _pixels(frame)
    header = frame.header
    try:
        if interpretation == "PALETTE COLOR":
            shown = _eight_bits(apply_color_lut(array, header))
        elif array.ndim == 3:
            colour = convert_color_space(array, interpretation, "RGB") if interpretation.startswith("YBR") else array
            shown = _eight_bits(colour)
        else:
            values = apply_modality_lut(array, header).astype(np.float64)
            shown = _windowed(values, window or _window_of(header), inverted=interpretation == "MONOCHROME1")
    except (ValueError, TypeError, AttributeError, NotImplementedError, KeyError, IndexError) as error:
        raise Undecodable from error
    return png(_fitted(shown, viewport) if viewport else shown)


def png(array: Array) -> bytes:
    """Give 8-bit pixels, grey (rows, columns) or RGB (rows, columns, 3), as a PNG file (ISO/IEC 15948)."""
    rows, columns = array.shape[:2]
    lines = np.ascontiguousarray(array).reshape(rows, -1)
    # Each line as its difference from the one above (filter 2), which suits photographs and costs little.
    filtered = np.empty((rows, lines.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = lines[0]
    filtered[1:, 1:] = lines[1:] - lines[:-1]
    kind = 2 if array.ndim == 3 else 0
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(filtered.tobytes(), _PNG_LEVEL)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _pixels(frame: StoredFrame) -> tuple[Array, str]:
    if frame.transfer_syntax not in DECODABLE:
        raise Undecodable
    dataset = Dataset(dict(frame.header.items()))
    dataset.set_original_encoding(False, frame.transfer_syntax != uid.ExplicitVRBigEndian, "iso8859")
    dataset.NumberOfFrames = 1
    syntax = uid.UID(frame.transfer_syntax)
    dataset.PixelData = encapsulate([frame.data]) if syntax.is_encapsulated else frame.data
    dataset["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    dataset["PixelData"].is_undefined_length = syntax.is_encapsulated
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    try:
        array, told = get_decoder(syntax).as_array(dataset, raw=True)
    except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError, KeyError, struct.error) as error:
        raise Undecodable from error
    return array, str(told["photometric_interpretation"])


def _window_of(header: Dataset) -> Window | None:
    center, width = (_first(header.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None:
        return None
    window = Window(float(center), float(width), str(header.get("VOILUTFunction") or "LINEAR").upper())
    return window if window.is_valid else None


def _first(value: Any) -> Any:
    if isinstance(value, str | float | int):
        return value
    return value[0] if value else None


def _windowed(values: Array, window: Window | None, *, inverted: bool) -> Array:
    if window is None:
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) / (high - low or 1)
    elif window.function == "LINEAR":
        scaled = (values - (window.center - 0.5)) / max(window.width - 1, 1e-9) + 0.5
    elif window.function == "LINEAR_EXACT":
        scaled = (values - window.center) / window.width + 0.5
    else:
        scaled = 1 / (1 + np.exp(np.clip(-4 * (values - window.center) / window.width, -700, 700)))
    grey = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return 255 - grey if inverted else grey


def _eight_bits(array: Array) -> Array:
    return array if array.dtype == np.uint8 else (array >> (8 * (array.dtype.itemsize - 1))).astype(np.uint8)


def _fitted(array: Array, viewport: tuple[int, int]) -> Array:
    """Make a picture small enough by the mean of each block of pixels, then by leaving pixels out."""
    rows, columns = array.shape[:2]
    scale = max(columns / viewport[0], rows / viewport[1])
    if scale <= 1:
        return array
    step = int(scale)
    height, width = max(rows // step, 1), max(columns // step, 1)
    step_rows, step_columns = min(step, rows), min(step, columns)
    blocks = array[: height * step_rows, : width * step_columns]
    blocks = blocks.reshape(height, step_rows, width, step_columns, *array.shape[2:])
    small = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    wanted_rows, wanted_columns = max(int(rows / scale), 1), max(int(columns / scale), 1)
    kept_rows = (np.arange(wanted_rows) * height // wanted_rows).clip(0, height - 1)
    kept_columns = (np.arange(wanted_columns) * width // wanted_columns).clip(0, width - 1)
    picked: Array = small[kept_rows][:, kept_columns]
    return picked
