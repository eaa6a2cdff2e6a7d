"""Writes the reader as the files that ship, and makes sure that they answer as the network does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from nlu.reader_input import INPUTS
from nlu.training.reading.dataset import Example
from nlu.training.reading.network import Ensemble
from nlu.training.reading.statuses import StatusNetwork

OUTPUTS = ("tags", "names", "statuses")
_TOLERANCE = 0.05
"""Half precision keeps three digits of a weight; scores of several units then differ in the second place."""
_WORTH_HALVING = 1024


def export(network: Ensemble, described: dict[str, Any], samples: list[Example], folder: Path) -> None:
    """Write ``reader.onnx`` and ``reader.json``; ``RuntimeError`` where the file answers otherwise than the network."""
    network.eval()
    path = folder / "reader.onnx"
    arrays = tuple(torch.from_numpy(array[None]) for array in samples[0].sight.inputs().values())
    axes = {name: {1: "places"} for name in (*INPUTS, *OUTPUTS)}
    torch.onnx.export(
        network, arrays, str(path), input_names=INPUTS, output_names=OUTPUTS, dynamic_axes=axes, dynamo=False
    )
    onnx.save(halved(onnx.load(path)), path)
    check(network, samples, path)
    text = json.dumps(described, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    (folder / "reader.json").write_text(text + "\n", encoding="utf-8")


def export_statuses(network: StatusNetwork, folder: Path) -> None:
    """Write ``reader_status.onnx`` and ``reader_status.json``."""
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
    onnx.save(halved(onnx.load(path)), path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    difference = np.abs(session.run(["shares"], {"features": sample.numpy()})[0] - network(sample).detach().numpy())
    if difference.max() > _TOLERANCE:
        raise RuntimeError(f"{path.name}: the shares differ from the network by {difference.max():.3f}")
    text = json.dumps({"rows": len(network.weights)})
    (folder / "reader_status.json").write_text(text + "\n", encoding="utf-8")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its large weights kept in half precision; they are widened once, when the file is loaded."""
    graph, casts = model.graph, []
    for weights in list(graph.initializer):
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < _WORTH_HALVING:
            continue
        name = weights.name
        graph.initializer.remove(weights)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for place, cast in enumerate(casts):
        graph.node.insert(place, cast)
    onnx.checker.check_model(model)
    return model


def check(network: Ensemble, samples: list[Example], path: Path) -> None:
    """Compare file and network on the samples."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for sample in samples:
        inputs = {name: array[None] for name, array in sample.sight.inputs().items()}
        with torch.no_grad():
            expected = network(*(torch.from_numpy(array) for array in inputs.values()))
        for name, score, answered in zip(OUTPUTS, expected, session.run(list(OUTPUTS), inputs), strict=True):
            difference = float(np.abs(score.numpy() - answered).max())
            if difference > _TOLERANCE:
                raise RuntimeError(f"{path.name}: {name} differ from the network by {difference:.3f}")
