"""Pictures that people send, made fit to be kept: upright, in sRGB, with nothing in the file but the picture.

Every picture is decoded and written anew, so that only pixels come across: no position, no camera, no thumbnail of what
was cut away, no text, nothing behind the end of the picture, and nothing that was made to break another decoder. A
JPEG is written once as JPEG Baseline at quality 92 with 4:2:2 colour, and never again: that is what DICOM (transfer
syntax 1.2.840.10008.1.2.4.50 with YBR_FULL_422) and every phone read, so whatever is made of it later takes the bytes
as they are. Turning a JPEG without decoding it would save that one generation, which nobody sees after a phone's and
WeChat's own, and would let progressive files and odd segments through.

This module lies beside the subjects and imports none of them: it is all that the process loads in which it works.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

JPEG_QUALITY = 92
LONGEST_SIDE = 4096
"""Pixels; a usual phone's picture (4032 × 3024) stays as large as it is."""
THUMBNAIL = (240, 240)
"""Pixels at most: sharp where a list shows some 80 of a phone's."""
MOST_PIXELS = 64 * 1024 * 1024
"""What is larger is not decoded: as RGB this takes 192 MiB."""
LARGEST_BYTES = 10 * 1024 * 1024
"""WeChat's own limit for a picture, in both directions."""

_FORMATS = {"image/jpeg": ("JPEG", "MPO"), "image/png": ("PNG",), "image/gif": ("GIF",), "image/webp": ("WEBP",)}
_DRAWN = {"image/png", "image/gif"}
_SMALLER = (1.0, 0.7, 0.5)
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, KeyError, TypeError),
    *(struct.error, zlib.error),
)

Image.MAX_IMAGE_PIXELS = None  # `MOST_PIXELS` is looked at before anything is decoded


class Flaw(StrEnum):
    """Why a picture cannot be kept."""

    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"


class UnfitPicture(Exception):
    """A picture cannot be kept; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


@dataclass(frozen=True)
class CleanPicture:
    """A picture that holds nothing but itself: `clean` has made it, or it was drawn here from pixels alone.

    Args:
        media_type: image/jpeg or image/png.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int


def prepare() -> None:
    """Do nothing: a process that has done it has loaded this module."""


def clean(data: bytes, media_type: str) -> CleanPicture:
    """Make a picture fit to be kept. What was drawn without loss (PNG, GIF) leaves as PNG, everything else as JPEG; of
    a moving picture the first frame is kept.

    Args:
        media_type: image/jpeg, image/png, image/gif or image/webp.

    Raises:
        UnfitPicture: it is cut off, is no such picture, or would take too much memory.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=_FORMATS[media_type]) as opened,
        ):
            if opened.width * opened.height > MOST_PIXELS:
                raise UnfitPicture(Flaw.TOO_MANY_PIXELS)
            opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            opened.load()
            picture = _plain(_upright(opened))
    except UnidentifiedImageError as error:
        raise UnfitPicture(Flaw.DAMAGED) from error
    except _DAMAGED as error:
        raise UnfitPicture(Flaw.DAMAGED) from error
    return _encoded(picture, media_type)


def thumbnail(data: bytes) -> bytes:
    """Give a picture that was cleaned as a small JPEG for lists.

    Raises:
        UnfitPicture: it is none.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            opened.thumbnail(THUMBNAIL)
            return as_jpeg(opened.convert("L" if opened.mode == "L" else "RGB"))
    except _DAMAGED as error:
        raise UnfitPicture(Flaw.DAMAGED) from error


def as_jpeg(picture: Image.Image) -> bytes:
    """Give a picture of mode L or RGB as JPEG Baseline, as everything here is kept."""
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=JPEG_QUALITY, subsampling="4:2:2", optimize=True)
    return written.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its orientation says (Exif 2.32, tag 0x0112); one that cannot be read says nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGED:
        return image


def _plain(image: Image.Image) -> Image.Image:
    """Give the pixels alone, as 8-bit grey or as RGB in sRGB."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):  # 16 bits of grey
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    elif image.has_transparency_data:
        whole = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(whole, mask=whole.getchannel("A"))
    elif image.mode == "P":
        image = image.convert("RGB")
    if profile and image.mode in ("RGB", "CMYK"):
        image = _in_srgb(image, profile)
    image = image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
    image.info = {}  # Pillow writes comments and profiles from here
    return image


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB") or image
    except (ImageCms.PyCMSError, *_DAMAGED):
        return image  # a profile that cannot be read says nothing


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _encoded(picture: Image.Image, media_type: str) -> CleanPicture:
    if media_type in _DRAWN:
        written = io.BytesIO()
        picture.save(written, "PNG", optimize=False, compress_level=6)
        if written.tell() <= LARGEST_BYTES:
            return CleanPicture(written.getvalue(), "image/png", picture.width, picture.height)
    for scale in _SMALLER:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        smaller = picture if scale == 1 else picture.resize(size, Image.Resampling.LANCZOS)
        data = as_jpeg(smaller)
        if len(data) <= LARGEST_BYTES:
            break
    return CleanPicture(data, "image/jpeg", smaller.width, smaller.height)
