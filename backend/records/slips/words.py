"""Reading the words of a photograph with PP-OCR. Runs in a process of its own, for it takes seconds and much memory.

The models lie inside the package `rapidocr`; their paths are given, so that nothing is ever fetched.
"""

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from backend.records.slips.lines import Word
from backend.records.slips.reading import best_turn

LONGEST_SIDE = 2000
"""Pixels: characters of a slip that fills its photograph are then some 20 high."""

_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}
_THREADS = 2


def read_words(data: bytes) -> list[Word]:
    """Give what stands in a picture that `backend.photographs` has cleaned, turned so that it reads as a slip."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    words = _words(picture)
    quarters = best_turn(words)
    if not quarters:
        return words
    return _words(picture.rotate(-90 * quarters, expand=True))


def _words(picture: Image.Image) -> list[Word]:
    read = _reader()(np.asarray(picture)[:, :, ::-1])  # the reader wants blue first
    if read.boxes is None or read.txts is None or read.scores is None:
        return []
    return [
        Word(text, tuple((float(x), float(y)) for x, y in box), float(score))  # type: ignore[arg-type]
        for box, text, score in zip(read.boxes, read.txts, read.scores, strict=True)
    ]


@cache
def _reader() -> Any:
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    params: dict[str, Any] = {f"{part}.model_path": str(models / name) for part, name in _MODELS.items()}
    params |= {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return rapidocr.RapidOCR(params=params)
