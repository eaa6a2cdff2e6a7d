"""Writes the reader as the files that ship, and makes sure that they answer as the networks do."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from nlu.reader_input import INPUTS
from nlu.training.reading.dataset import Example
from nlu.training.reading.network import Ensemble
from nlu.training.reading.statuses import StatusNetwork

OUTPUTS = ("tags", "names", "statuses")
_AGREEMENT = 0.99
"""Eight-bit weights change a score in its second place: so much of what is decided must stay the same."""
_TOLERANCE = 1e-4


def export(network: Ensemble, described: dict[str, Any], samples: list[Example], folder: Path) -> None:
    """Write ``reader.onnx`` and ``reader.json``; ``RuntimeError`` where the file decides otherwise than the network."""
    network.eval()
    arrays = tuple(torch.from_numpy(array[None]) for array in samples[0].sight.inputs().values())
    axes = {name: {1: "places"} for name in (*INPUTS, *OUTPUTS)}
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "reader.onnx"
        torch.onnx.export(
            network, arrays, str(whole), input_names=INPUTS, output_names=OUTPUTS, dynamic_axes=axes, dynamo=False
        )
        quantize_dynamic(
            whole,
            folder / "reader.onnx",
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
    check(network, samples, folder / "reader.onnx")
    text = json.dumps(described, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    (folder / "reader.json").write_text(text + "\n", encoding="utf-8")


def check(network: Ensemble, samples: list[Example], path: Path) -> None:
    """Compare what file and network decide: the tag of every place, name and status of every mention."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    same: dict[str, list[np.ndarray]] = {name: [] for name in OUTPUTS}
    for sample in samples:
        inputs = {name: array[None] for name, array in sample.sight.inputs().items()}
        with torch.no_grad():
            expected = network(*(torch.from_numpy(array) for array in inputs.values()))
        for name, score, answered in zip(OUTPUTS, expected, session.run(list(OUTPUTS), inputs), strict=True):
            agree = score.numpy()[0].argmax(axis=1) == answered[0].argmax(axis=1)
            same[name].append(agree if name == "tags" else agree[sample.tags > 0])
    for name, agreements in same.items():
        share = float(np.concatenate(agreements).mean())
        if share < _AGREEMENT:
            raise RuntimeError(f"{path.name}: only {share:.1%} of the {name} are those of the network")


def export_statuses(network: StatusNetwork, folder: Path) -> None:
    """Write ``reader_status.onnx`` and ``reader_status.json``; ``RuntimeError`` as in ``export``."""
    path = folder / "reader_status.onnx"
    sample = torch.arange(5)
    torch.onnx.export(
        network.eval(),
        (sample,),
        str(path),
        input_names=["features"],
        output_names=["shares"],
        dynamic_axes={"features": {0: "features"}},
        dynamo=False,
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    difference = np.abs(session.run(["shares"], {"features": sample.numpy()})[0] - network(sample).detach().numpy())
    if difference.max() > _TOLERANCE:
        raise RuntimeError(f"{path.name}: the shares differ from the network's by {difference.max():.5f}")
    text = json.dumps({"rows": len(network.weights)})
    (folder / "reader_status.json").write_text(text + "\n", encoding="utf-8")
