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
_SQUARE_ENOUGH = 0.005
_LONGEST_PIXEL = 10  # for its width; what says more is taken for an error


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
    """Give a frame as a PNG file with square pixels: where they are not, the shorter side is stretched.

    Args:
        window: instead of what the header says, its VOI LUT before its window, as the viewer page does (PS3.3, section
            C.11.2, leaves that choice); without any, everything from the darkest to the brightest is shown.
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
            shown = _grey(_shown(values, window, frame), interpretation == "MONOCHROME1")
    except (ValueError, TypeError, AttributeError, NotImplementedError, KeyError, IndexError) as error:
        raise Undecodable from error
    squared = _squared(shown, header)
    return png(_fitted(squared, viewport) if viewport else squared)


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


def _shown(values: Array, window: Window | None, frame: StoredFrame) -> Array:
    """Give how bright each value is shown, black 0 and white 1."""
    tables = frame.header.get("VOILUTSequence")
    if window is None and tables:
        return _looked_up(values, tables[0], frame)
    window = window or _window_of(frame.header)
    if window is not None:
        return _windowed(values, window)
    low, high = float(values.min()), float(values.max())
    scaled: Array = (values - low) / (high - low or 1)
    return scaled


def _windowed(values: Array, window: Window) -> Array:
    if window.function == "LINEAR":
        scaled: Array = (values - (window.center - 0.5)) / max(window.width - 1, 1e-9) + 0.5
    elif window.function == "LINEAR_EXACT":
        scaled = (values - window.center) / window.width + 0.5
    else:
        scaled = 1 / (1 + np.exp(np.clip(-4 * (values - window.center) / window.width, -700, 700)))
    return scaled


def _looked_up(values: Array, item: Dataset, frame: StoredFrame) -> Array:
    """Look values up in a VOI LUT (PS3.3, section C.11.2.1.1): those before the first or behind the last entry are
    shown as these are."""
    entries, first, bits = (int(one) for one in item.LUTDescriptor)
    entries = entries or 1 << 16
    may_be_negative = frame.header.get("PixelRepresentation") == 1 or float(values.min()) < 0
    if first >= 1 << 15 and may_be_negative:
        first -= 1 << 16  # written as unsigned
    data = item.LUTData
    if isinstance(data, bytes):
        width = 1 if len(data) < 2 * entries else 2
        order = ">" if frame.transfer_syntax == uid.ExplicitVRBigEndian else "<"
        table = np.frombuffer(data, f"{order}u{width}", entries)
    else:
        table = np.asarray(data)[:entries]
    if len(table) != entries or not 0 < bits <= 16:
        raise Undecodable
    places = np.clip(np.rint(values) - first, 0, entries - 1).astype(np.intp)
    shown: Array = table[places] / ((1 << bits) - 1)
    return shown


def _grey(shown: Array, inverted: bool) -> Array:
    grey: Array = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
    return 255 - grey if inverted else grey


def _eight_bits(array: Array) -> Array:
    return array if array.dtype == np.uint8 else (array >> (8 * (array.dtype.itemsize - 1))).astype(np.uint8)


def _squared(array: Array, header: Dataset) -> Array:
    """Make pixels square by stretching the side along which they are longer."""
    ratio = _aspect(header)
    if abs(ratio - 1) < _SQUARE_ENOUGH or not 1 / _LONGEST_PIXEL <= ratio <= _LONGEST_PIXEL:
        return array
    if ratio > 1:
        return _stretched(array, round(array.shape[0] * ratio))
    turned = array.swapaxes(0, 1)
    return _stretched(turned, round(array.shape[1] / ratio)).swapaxes(0, 1)


def _aspect(header: Dataset) -> float:
    """Give how high a pixel is for its width, by its size in the patient or on the detector, else as it is said
    (PS3.3, section C.7.6.3.1.7)."""
    for name in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        said = header.get(name)
        if said is not None and not isinstance(said, str) and len(said) == 2:
            high, wide = (float(one) for one in said)
            if high > 0 and wide > 0:
                return high / wide
    return 1


def _stretched(array: Array, length: int) -> Array:
    """Give as many lines, each in between the two that lie next to it."""
    lines = array.shape[0]
    at = np.clip((np.arange(length) + 0.5) * lines / length - 0.5, 0, lines - 1)
    before = np.floor(at).astype(np.intp)
    share = (at - before).reshape(-1, *[1] * (array.ndim - 1))
    after = np.minimum(before + 1, lines - 1)
    made: Array = np.rint(array[before] * (1 - share) + array[after] * share).astype(np.uint8)
    return made


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
