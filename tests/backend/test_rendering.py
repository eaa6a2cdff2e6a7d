"""Frames as pictures: values through windows and tables, and pixels that are not square."""

from typing import Any

import numpy as np
import pytest
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_voi_lut
from pydicom.sequence import Sequence

from backend.rendering import StoredFrame, Undecodable, Window, render
from tests.support.dicomweb import png_pixels

Array = np.ndarray[Any, Any]


def header_of(pixels: Array, **changes: Any) -> Dataset:
    header = Dataset()
    header.Rows, header.Columns = pixels.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, int(pixels.dtype.kind == "i")
    for name, value in changes.items():
        setattr(header, name, value)
    return header


def table(
    entries: Array, first: int, bits: int, representation: str = "OW", order: str = "<", negative: bool = False
) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if negative else "US", [len(entries) % 65536, first, bits])
    kind = f"{order}u1" if representation == "bytes" else f"{order}u2"
    value = entries.tolist() if representation == "US" else entries.astype(kind).tobytes()
    item.add_new("LUTData", "US" if representation == "US" else "OW", value)
    return item


def shown(
    pixels: Array, header: Dataset, window: Window | None = None, viewport: tuple[int, int] | None = None, **frame: Any
) -> Array:
    syntax = frame.get("syntax", uid.ExplicitVRLittleEndian)
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    return png_pixels(render(StoredFrame(data, syntax, header), window, viewport))


def reference(pixels: Array, header: Dataset, bits: int) -> Array:
    """What pydicom makes of it, as grey of eight bits."""
    dataset = Dataset(dict(header.items()))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    dataset.set_original_encoding(False, True, "iso8859")
    grey: Array = np.rint(np.clip(apply_voi_lut(pixels, dataset) / (2**bits - 1), 0, 1) * 255)
    return grey


RAMP = np.arange(-300, 1236, dtype="<i2").reshape(32, 48)
CURVE = np.rint(65535 * np.sqrt(np.linspace(0, 1, 1024)))


@pytest.mark.parametrize("representation", ["OW", "US"])
@pytest.mark.parametrize("first", [-200, 0, 500])
def test_a_voi_lut_is_applied_as_the_library_does(representation: str, first: int) -> None:
    header = header_of(RAMP, VOILUTSequence=Sequence([table(CURVE, first, 16, representation, negative=first < 0)]))
    assert np.array_equal(shown(RAMP, header), reference(RAMP, header, 16))


def test_a_table_of_bytes_of_fewer_bits_and_of_big_endian_files_gives_the_same() -> None:
    pixels = np.arange(256, dtype="<u2").reshape(16, 16)
    ramp = np.arange(256)[::-1]
    for item, syntax in (
        (table(ramp, 0, 8, "bytes"), uid.ExplicitVRLittleEndian),
        (table(ramp, 0, 8), uid.ExplicitVRLittleEndian),
        (table(ramp * 16 + ramp // 16, 0, 12), uid.ExplicitVRLittleEndian),
        (table(ramp * 257, 0, 16, order=">"), uid.ExplicitVRBigEndian),
    ):
        header = header_of(pixels, VOILUTSequence=Sequence([item]))
        assert np.array_equal(shown(pixels, header, syntax=syntax), 255 - pixels)


def test_a_first_value_below_zero_that_is_written_as_unsigned_is_understood() -> None:
    header = header_of(RAMP, VOILUTSequence=Sequence([table(CURVE, 65536 - 200, 16)]))
    signed = header_of(RAMP, VOILUTSequence=Sequence([table(CURVE, -200, 16, negative=True)]))
    assert np.array_equal(shown(RAMP, header), shown(RAMP, signed))


def test_a_table_comes_before_a_window_and_what_is_asked_for_before_both() -> None:
    item = table(CURVE, 0, 16)
    both = header_of(RAMP, WindowCenter=400, WindowWidth=800, VOILUTSequence=Sequence([item]))
    alone = header_of(RAMP, VOILUTSequence=Sequence([item]))
    assert np.array_equal(shown(RAMP, both), shown(RAMP, alone))
    asked = Window(100, 50)
    assert np.array_equal(shown(RAMP, both, asked), shown(RAMP, header_of(RAMP), asked))


def test_a_table_goes_over_what_the_rescaling_gives_and_is_inverted_where_white_is_the_lowest() -> None:
    stored = (RAMP + 1024).astype("<u2")
    item = table(CURVE, -200, 16, negative=True)
    rescaled = {"RescaleSlope": 1, "RescaleIntercept": -1024, "VOILUTSequence": Sequence([item])}
    expected = reference(RAMP, header_of(RAMP, VOILUTSequence=Sequence([item])), 16)
    assert np.array_equal(shown(stored, header_of(stored, **rescaled)), expected)
    rescaled["PhotometricInterpretation"] = "MONOCHROME1"
    assert np.array_equal(shown(stored, header_of(stored, **rescaled)), 255 - expected)


def test_a_table_that_is_cut_off_or_of_no_bits_cannot_be_shown() -> None:
    short, empty = table(CURVE, 0, 16), table(CURVE, 0, 0)
    short.LUTData = short.LUTData[:100]
    for item in (short, empty, Dataset()):
        with pytest.raises(Undecodable):
            shown(RAMP, header_of(RAMP, VOILUTSequence=Sequence([item])))


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ({"PixelSpacing": [1.0, 0.5]}, (64, 48)),
        ({"PixelSpacing": [0.5, 1.0]}, (32, 96)),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (64, 48)),
        ({"PixelAspectRatio": [2, 1]}, (64, 48)),
        ({"PixelAspectRatio": [1, 3]}, (32, 144)),
        ({"PixelSpacing": [1.0, 1.0], "PixelAspectRatio": [2, 1]}, (32, 48)),
        ({"PixelSpacing": [1.0, 1.001]}, (32, 48)),
        ({"PixelAspectRatio": [0, 1]}, (32, 48)),
        ({"PixelAspectRatio": [1000, 1]}, (32, 48)),
        ({}, (32, 48)),
    ],
)
def test_pixels_are_shown_square(said: dict[str, Any], shape: tuple[int, int]) -> None:
    assert shown(RAMP, header_of(RAMP, **said)).shape == shape


def test_a_circle_of_long_pixels_is_shown_round_and_fits_where_it_is_shown() -> None:
    row, column = np.mgrid[:100, :200]
    disc = (((row - 49.5) * 2) ** 2 + (column - 99.5) ** 2 < 80**2).astype("<u2") * 1000
    header = header_of(disc, PixelSpacing=[1.0, 0.5])
    for viewport, size in ((None, 200), ((50, 400), 50)):
        picture = shown(disc, header, viewport=viewport) > 127
        assert picture.shape == (size, size)
        across, down = picture.any(axis=0).sum(), picture.any(axis=1).sum()
        assert abs(int(across) - int(down)) <= 2
        assert across == pytest.approx(0.8 * size, abs=2)


def test_colour_is_stretched_too() -> None:
    header = header_of(np.zeros((4, 4), np.uint8), PhotometricInterpretation="RGB", PixelAspectRatio=[2, 1])
    header.SamplesPerPixel, header.PlanarConfiguration = 3, 0
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit = 7
    picture = png_pixels(render(StoredFrame(bytes(range(48)), uid.ExplicitVRLittleEndian, header), None, None))
    assert picture.shape == (8, 4, 3)
    assert picture[0].ravel().tolist() == list(range(12))
