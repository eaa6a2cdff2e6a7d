"""Photographs as phones make them, by Pillow."""

import io

from PIL import Image

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (220, 200, 40)}


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Give a picture of four colours: red above left, green above right, blue below left, yellow below right."""
    image = Image.new("RGB", (width, height))
    for place, colour in enumerate(COLOURS.values()):
        left, top = place % 2 * width // 2, place // 2 * height // 2
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    """Give a picture as a JPEG file; `options` are of Pillow's writer."""
    written = io.BytesIO()
    (image or quarters()).save(written, "JPEG", **{"quality": 95, "subsampling": "4:4:4", **options})
    return written.getvalue()


def png(image: Image.Image | None = None, **options: object) -> bytes:
    """Give a picture as a PNG file."""
    written = io.BytesIO()
    (image or quarters()).save(written, "PNG", **options)
    return written.getvalue()
