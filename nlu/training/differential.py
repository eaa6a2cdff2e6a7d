"""Train ``differential``: findings → children's complaints (mz4, mz10), and patients' words → 17 diseases (DialMed).

The findings go through a small network, the words through a logistic regression over character n-grams; the temperature
of both is set on cross-validation folds. The rows of dxy in ``diagnosis_train.jsonl`` measure and are left out.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from nlu.learned_ranking import MODEL, finding_features
from nlu.training import _network, _texts
from nlu.training._calibration import reliability
from nlu.training._network import Fitted, Recipe
from nlu.training._texts import FittedTexts
from nlu.training.names import our_findings

MEASURE_ONLY = "dxy"
RAREST = 2
"""A feature that fewer cases have is left out."""
RECIPE = Recipe(hidden=96, drop_inputs=0.3, drop_hidden=0.5, rounds=22, decay=1e-3, starts=3)


def train(data: Path, out: Path, seed: int) -> None:
    """Read the public sets in ``data``, write the model and its description to ``out``."""
    findings = [row for row in _rows(data / "diagnosis_train.jsonl") if row["source"] != MEASURE_ONLY]
    cases = [case_features(row) for row in findings]
    features = _vocabulary(cases)
    number = {feature: place for place, feature in enumerate(features)}
    known = [[number[feature] for feature in case if feature in number] for case in cases]
    complaint = _network.fit(known, len(features), [row["disease"] for row in findings], RECIPE, seed, "findings")
    texts = _texts.fit(data, seed)
    _export(_Graph(complaint, texts), out / f"{MODEL}.onnx")
    described = {
        "complaints": complaint.labels,
        "complaint_mix": complaint.mix,
        "texts": texts.labels,
        "text_mix": texts.mix,
        "features": features,
        "ngrams": texts.ngrams,
        "unseen": {
            "findings": reliability(complaint.unseen, complaint.gold),
            "words": reliability(texts.unseen, texts.gold),
        },
    }
    (out / f"{MODEL}.json").write_text(json.dumps(described, ensure_ascii=False) + "\n", encoding="utf-8")
    for part, fared in described["unseen"].items():
        print(f"{part}, unseen: {fared['accuracy']:.1%} right, calibration error {fared['calibration_error']:.1%}")


def case_features(row: dict[str, dict[str, str]]) -> list[str]:
    """The features of a row of the diagnosis sets: what was told at first is the complaint."""
    told = our_findings(row["explicit"])
    return finding_features({**our_findings(row["implicit"]), **told}, told)


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _vocabulary(cases: list[list[str]]) -> list[str]:
    counted = Counter(feature for case in cases for feature in case)
    return sorted(feature for feature, count in counted.items() if count >= RAREST)


class _Graph(torch.nn.Module):
    """Both parts in one graph, each giving calibrated probabilities."""

    def __init__(self, complaint: Fitted, texts: FittedTexts) -> None:
        super().__init__()
        self.inner, self.inner_bias = _constant(complaint.inner), _constant(complaint.inner_bias)
        self.outer = _constant(complaint.outer / complaint.temperature)
        self.outer_bias = _constant(complaint.outer_bias / complaint.temperature)
        self.text = _constant(texts.weights / texts.temperature, torch.float16)
        self.text_bias = _constant(texts.bias / texts.temperature)
        self.rarity = _constant(texts.rarity)

    def forward(
        self, features: torch.Tensor, ngrams: torch.Tensor, counts: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.relu(self.inner[features].sum(dim=0) + self.inner_bias)
        complaint = hidden @ self.outer + self.outer_bias
        values = (1 + torch.log(counts)) * self.rarity[ngrams]
        length = torch.sqrt((values * values).sum() + 1e-12)
        text = values @ self.text[ngrams].float() / length + self.text_bias
        return torch.softmax(complaint, dim=0), torch.softmax(text, dim=0)


def _constant(values: np.ndarray, kind: torch.dtype = torch.float32) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=kind), requires_grad=False)


def _export(graph: _Graph, path: Path) -> None:
    example = (torch.tensor([0, 1]), torch.tensor([0, 1, 2]), torch.tensor([1.0, 1.0, 2.0]))
    torch.onnx.export(
        graph,
        example,
        path,
        dynamo=False,
        input_names=["features", "ngrams", "counts"],
        output_names=["complaint", "text"],
        dynamic_axes={"features": {0: "n"}, "ngrams": {0: "m"}, "counts": {0: "m"}},
    )
