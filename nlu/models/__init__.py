"""The trained models that the product ships, each an ONNX file with a JSON of its labels and a card beside it."""

import json
from pathlib import Path
from typing import Any

import onnxruntime

FOLDER = Path(__file__).parent


class ModelError(Exception):
    """A shipped model that cannot be used; the text is one line that names the file and what is wrong with it."""


def load_model(name: str, folder: Path = FOLDER) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """The model ``NAME.onnx`` ready to run on one thread, and what ``NAME.json`` says of its inputs and labels.

    Raises ``ModelError`` where a file is missing or damaged.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # sentences are short: a second thread costs more than it brings
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model, labels = folder / f"{name}.onnx", folder / f"{name}.json"
    for path in (model, labels):
        if not path.is_file():
            raise ModelError(f"{path}: the model file is missing")
    try:
        described = json.loads(labels.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{labels}: the description of the model is damaged ({type(error).__name__})") from error
    if not isinstance(described, dict):
        raise ModelError(f"{labels}: the description of the model is no JSON object")
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for every fault of a file
        raise ModelError(f"{model}: the model file is damaged ({type(error).__name__})") from error
    return session, described
