"""Lossless compression of real CT slices: how much smaller, and how fast on one core, checked by decoding.

    nice python -m benchmarks.compression [--rounds 20] [--json]

The uncompressed CT images of pydicom-data that were never compressed with loss before, each frame by each method as the
product stores it: encoded, decoded again and compared. Megabytes are of the pixels as they came; seconds are of one
processor.
"""

import argparse
import json
import statistics
import time
from io import BytesIO
from pathlib import Path

from pydicom.data import get_testdata_file

from backend.imaging.recoding import plan_recoding
from backend.lossless import Method, encode_frame

_IMAGES = ("693_UNCR.dcm", "eCT_Supplemental.dcm")
_TARGETS = {"ratio": 4.5, "megabytes_per_second": 40}


def measure(rounds: int) -> dict[str, object]:
    """Compress every image `rounds` times by each method."""
    figures: dict[str, object] = {}
    for method in Method:
        figures[method.value] = {name: _of_image(name, method, rounds) for name in _IMAGES}
    return {**figures, "targets": _TARGETS}


def _of_image(name: str, method: Method, rounds: int) -> dict[str, float]:
    path = get_testdata_file(name, download=False)
    if path is None:
        raise RuntimeError(f"{name} is not there: install the development requirements")
    whole = Path(str(path)).read_bytes()
    recoding = plan_recoding(BytesIO(whole), len(whole), method)
    if recoding is None:
        raise RuntimeError(f"{name} would stay as it is")
    pixels = whole[recoding.pixels_at : recoding.pixels_at + recoding.frame_bytes]
    seconds, lengths = [], []
    for _ in range(rounds):
        began = time.process_time()
        encoded = encode_frame(method, pixels, recoding.frame)
        seconds.append(time.process_time() - began)
        if encoded is None:
            raise RuntimeError(f"{name} does not come back as it was")
        lengths.append(len(encoded))
    return {
        "ratio": round(len(pixels) / statistics.mean(lengths), 2),
        "megabytes_per_second": round(len(pixels) / 1e6 / statistics.median(seconds), 1),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.rounds)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:12} {value}")


if __name__ == "__main__":
    main()
