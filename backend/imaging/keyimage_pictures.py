"""A key image as a picture for a phone: what its marker saw, and nothing that is written in the header. Runs in the
processes that decode."""

import io

from PIL import Image, ImageOps
from pydicom import uid

from backend.photographs import MOST_PIXELS, CleanPicture, as_jpeg
from backend.rendering import StoredFrame, Undecodable, Window, render

PHONE_SIDE = 1080
"""Pixels of the longer side at most: a phone's screen, and some 150 kB for a village's network."""


def draw(frame: StoredFrame, window: Window | None, inverted: bool) -> CleanPicture | None:
    """Draw a frame as JPEG; None where its header says that names are burned into it (PS3.3, C.7.6.1, 0028,0301).

    Args:
        window, inverted: as it was seen; they mean nothing for colours.

    Raises:
        Undecodable: nothing here decodes it.
    """
    if frame.header.get("BurnedInAnnotation") == "YES":
        return None
    image = _image(frame, window)
    if inverted and image.mode == "L":
        image = ImageOps.invert(image)
    image.thumbnail((PHONE_SIDE, PHONE_SIDE), Image.Resampling.LANCZOS)
    return CleanPicture(as_jpeg(image), "image/jpeg", image.width, image.height)


def _image(frame: StoredFrame, window: Window | None) -> Image.Image:
    is_jpeg = frame.transfer_syntax == uid.JPEGBaseline8Bit
    data = frame.data if is_jpeg else render(frame, window, (PHONE_SIDE, PHONE_SIDE))
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Undecodable
            return opened.convert("L" if opened.mode == "L" else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise Undecodable from error
