"""Photographs made fit to be kept: upright, in sRGB, nothing in the file but the picture, or refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from backend.photographs import LONGEST_SIDE, MOST_PIXELS, THUMBNAIL, CleanPicture, Flaw, UnfitPicture, clean, thumbnail
from tests.support.pictures import COLOURS, jpeg, png, quarters

CANARY = "CANARY-30.123456-114.654321"
UNDONE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera that says an orientation (Exif 2.32, tag 0x0112) has stored an upright picture."""


def opened(picture: CleanPicture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def corners(image: Image.Image) -> list[str]:
    """Name the colours of the four quarters, row by row."""
    shown = image.convert("RGB")
    found = []
    for row in (1, 3):
        for column in (1, 3):
            pixel = np.array(shown.getpixel((shown.width * column // 4, shown.height * row // 4)))
            found.append(min(COLOURS, key=lambda name: int(np.abs(pixel - np.array(COLOURS[name])).sum())))
    return found


def full_exif(orientation: int = 1) -> Image.Exif:
    """Give what a phone writes: place, camera, maker's note."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = CANARY
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: (30.0, 7.0, 24.0),
            ExifTags.GPS.GPSAreaInformation: CANARY.encode(),
        }
    )
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = CANARY.encode()
    return exif


@pytest.mark.parametrize("orientation", UNDONE)
def test_a_photograph_is_upright_however_the_phone_was_held(orientation: int) -> None:
    undone = UNDONE[orientation]
    stored = quarters() if undone is None else quarters().transpose(undone)
    picture = clean(jpeg(stored, exif=full_exif(orientation)), "image/jpeg")
    assert (picture.width, picture.height) == quarters().size == opened(picture).size
    assert corners(opened(picture)) == list(COLOURS)
    assert not opened(picture).getexif()


def test_the_orientation_of_a_png_counts_too() -> None:
    stored = quarters().transpose(Image.Transpose.ROTATE_90)
    assert corners(opened(clean(png(stored, exif=full_exif(6)), "image/png"))) == list(COLOURS)


def test_nothing_that_a_phone_writes_beside_the_picture_stays() -> None:
    thumbnail = b"\xff\xd8" + CANARY.encode() + b"\xff\xd9"
    sent = jpeg(exif=full_exif(), comment=CANARY, xmp=f"<x:xmpmeta>{CANARY}</x:xmpmeta>".encode())
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(CANARY)) + CANARY.encode()
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    sent = sent[:2] + segment + sent[2:] + thumbnail + b"a film behind the end: " + CANARY.encode()
    assert sent.count(CANARY.encode()) >= 7
    picture = clean(sent, "image/jpeg")
    assert CANARY.encode() not in picture.data
    assert b"Exif" not in picture.data
    assert segments(picture.data) == {0xDB, 0xC0, 0xC4, 0xDA, 0xE0}, "tables, baseline frame, scan, and JFIF"


def segments(data: bytes) -> set[int]:
    """Give the kinds of segments of a JPEG file up to its scan."""
    found, at = set(), 2
    while data[at] == 0xFF:
        found.add(data[at + 1])
        if data[at + 1] == 0xDA:
            break
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return found


def test_nothing_that_a_png_says_beside_the_picture_stays() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", CANARY)
    told.add_itxt("XML:com.adobe.xmp", CANARY)
    sent = png(pnginfo=told, exif=full_exif()) + CANARY.encode()
    picture = clean(sent, "image/png")
    assert CANARY.encode() not in picture.data
    assert np.array_equal(np.array(opened(picture)), np.array(quarters())), "and no pixel is changed"


@pytest.mark.parametrize(("format_", "kept_as"), [("GIF", "image/png"), ("WEBP", "image/jpeg")])
def test_other_kinds_are_kept_as_what_every_phone_and_dicom_know(format_: str, kept_as: str) -> None:
    written = io.BytesIO()
    quarters().save(written, format_)
    picture = clean(written.getvalue(), f"image/{format_.lower()}")
    assert picture.media_type == kept_as
    assert corners(opened(picture)) == list(COLOURS)


def test_a_progressive_jpeg_becomes_a_baseline_one() -> None:
    assert 0xC2 in segments(jpeg(progressive=True))
    assert 0xC0 in segments(clean(jpeg(progressive=True), "image/jpeg").data)


def test_colours_of_a_wide_gamut_are_those_of_srgb_afterwards() -> None:
    """The profile swaps red and green, so that a picture whose profile is dropped would be seen to be wrong."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    picture = clean(jpeg(icc_profile=bytes(swapped)), "image/jpeg")
    assert corners(opened(picture))[:2] == ["green", "red"]
    assert "icc_profile" not in opened(picture).info


def test_a_profile_that_cannot_be_read_says_nothing() -> None:
    assert corners(opened(clean(jpeg(icc_profile=b"no profile" * 20), "image/jpeg"))) == list(COLOURS)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_every_kind_of_pixels_is_shown_as_it_was(mode: str) -> None:
    grey = ImageOps.grayscale(quarters())
    if mode == "CMYK":
        picture = clean(jpeg(quarters().convert("CMYK")), "image/jpeg")
        assert corners(opened(picture)) == list(COLOURS)
        return
    image = Image.fromarray(np.array(grey).astype(np.uint16) * 256) if mode == "I;16" else quarters().convert(mode)
    picture = clean(png(image), "image/png")
    if mode in ("P", "RGBA"):
        assert corners(opened(picture)) == list(COLOURS)
    elif mode != "1":
        assert np.abs(np.array(opened(picture).convert("L")).astype(int) - np.array(grey)).max() <= 1
    assert opened(picture).mode in ("L", "RGB")


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert opened(clean(png(clear), "image/png")).getpixel((4, 4)) == (255, 255, 255)


def test_a_picture_larger_than_any_screen_is_made_smaller_and_a_usual_one_is_not() -> None:
    picture = clean(jpeg(Image.new("RGB", (6000, 3000), "white")), "image/jpeg")
    assert (picture.width, picture.height) == (LONGEST_SIDE, LONGEST_SIDE // 2)
    usual = clean(jpeg(Image.new("RGB", (4032, 3024), "white")), "image/jpeg")
    assert (usual.width, usual.height) == (4032, 3024)


def test_quality_is_kept() -> None:
    rows, columns = np.mgrid[0:240, 0:320]
    texture = 128 + 60 * np.sin(rows / 7) * np.cos(columns / 5) + 20 * np.sin(rows * columns / 900)
    image = Image.fromarray(np.dstack([texture, texture * 0.9, texture * 0.7]).clip(0, 255).astype(np.uint8))
    sent = jpeg(image)
    before = np.array(Image.open(io.BytesIO(sent))).astype(float)
    after = np.array(opened(clean(sent, "image/jpeg"))).astype(float)
    assert 10 * np.log10(255**2 / np.mean((before - after) ** 2)) > 40  # decibels: no eye sees the difference


@pytest.mark.parametrize("sent", [jpeg(quarters(4000, 3000)), jpeg(quarters(20, 10)), png(quarters(900, 100))])
def test_a_small_picture_for_lists_is_small_and_of_the_same_shape(sent: bytes) -> None:
    large, small = Image.open(io.BytesIO(sent)), Image.open(io.BytesIO(thumbnail(sent)))
    assert max(small.size) == min(max(large.size), max(THUMBNAIL))
    assert small.width / small.height == pytest.approx(large.width / large.height, rel=0.05)
    assert corners(small) == list(COLOURS)


def bomb() -> bytes:
    """Give a PNG of some kilobytes that says that it has 30 000 × 30 000 pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1_000_000), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    assert MOST_PIXELS < 30_000**2
    with pytest.raises(UnfitPicture) as refusal:
        clean(bomb(), "image/png")
    assert refusal.value.flaw is Flaw.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (jpeg()[:-100], "image/jpeg"),
        (jpeg()[:30], "image/jpeg"),
        (jpeg(progressive=True)[:-200], "image/jpeg"),
        (png()[:-40], "image/png"),
        (b"\xff\xd8\xff\xe0 no picture", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBP picture", "image/webp"),
        (b"GIF89a picture", "image/gif"),
        (png(), "image/jpeg"),
    ],
)
def test_what_is_damaged_is_refused(data: bytes, media_type: str) -> None:
    with pytest.raises(UnfitPicture) as refusal:
        clean(data, media_type)
    assert refusal.value.flaw is Flaw.DAMAGED


def test_any_byte_of_a_photograph_may_be_wrong_and_it_is_kept_or_refused() -> None:
    sent = jpeg(exif=full_exif(6))
    for at in range(2, len(sent), 7):
        broken = bytearray(sent)
        broken[at] ^= 0xFF
        try:
            picture = clean(bytes(broken), "image/jpeg")
        except UnfitPicture:
            continue
        assert CANARY.encode() not in picture.data
