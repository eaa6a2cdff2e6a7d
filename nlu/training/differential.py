"""Train ``differential``: findings → children's complaints (mz4, mz10), and patients' words → 17 diseases (DialMed).

Both parts are multinomial logistic regressions, strongly regularised, their temperature set on cross-validation folds, so
that every weight can be read. The rows of dxy in ``diagnosis_train.jsonl`` measure and are left out.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from nlu.learned_ranking import MODEL, finding_features, ngram_counts
from nlu.training.names import our_findings

BUCKETS = 1 << 15
FOLDS = 5
MEASURE_ONLY = "dxy"
RAREST = 2
"""A feature that fewer cases have is left out."""


@dataclass(frozen=True)
class Fitted:
    """A logistic regression: a row of weights for each feature, one bias a label, the temperature of its scores."""

    labels: list[str]
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    accuracy: float
    """Share of cases whose first disease is right, in cross-validation."""


def train(data: Path, out: Path, seed: int) -> None:
    """Read the public sets in ``data``, write the model and its description to ``out``."""
    findings = [row for row in _rows(data / "diagnosis_train.jsonl") if row["source"] != MEASURE_ONLY]
    texts = _rows(data / "diagnosis_text_dev.jsonl")
    cases = [case_features(row) for row in findings]
    features = _vocabulary(cases)
    complaint = _fit(_one_hot(cases, features), [row["disease"] for row in findings], 0.3, seed, "findings")
    counts = _count_matrix(["\n".join(row["patient_turns"]) for row in texts])
    idf = np.log((1 + counts.shape[0]) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1
    text = _fit(weighted(counts, idf), [row["disease"] for row in texts], 30.0, seed, "texts")
    _export(_Graph(complaint, text, idf), out / f"{MODEL}.onnx")
    described = {"complaints": complaint.labels, "texts": text.labels, "features": features, "buckets": BUCKETS}
    described["cross_validation"] = {"complaint": complaint.accuracy, "text": text.accuracy}
    (out / f"{MODEL}.json").write_text(json.dumps(described, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def case_features(row: dict[str, dict[str, str]]) -> list[str]:
    """The features of a row of the diagnosis sets: what was told at first is the complaint."""
    told = our_findings(row["explicit"])
    return finding_features({**our_findings(row["implicit"]), **told}, told)


def weighted(counts: csr_matrix, idf: np.ndarray) -> csr_matrix:
    """Counts as TF-IDF rows of length one, the same as the graph computes."""
    rows = counts.astype(np.float64).copy()
    rows.data = (1 + np.log(rows.data)) * idf[rows.indices]
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return csr_matrix(rows.multiply(1 / np.maximum(lengths, 1e-9)[:, None]))


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _vocabulary(cases: list[list[str]]) -> list[str]:
    counted = Counter(feature for case in cases for feature in case)
    return sorted(feature for feature, count in counted.items() if count >= RAREST)


def _one_hot(cases: list[list[str]], features: list[str]) -> csr_matrix:
    number = {feature: place for place, feature in enumerate(features)}
    known = [[number[feature] for feature in case if feature in number] for case in cases]
    starts = np.cumsum([0, *(len(case) for case in known)])
    columns = np.concatenate([np.asarray(case, dtype=np.int64) for case in known])
    return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(cases), len(features)))


def _count_matrix(texts: list[str]) -> csr_matrix:
    counted = [ngram_counts(text, BUCKETS) for text in texts]
    starts = np.cumsum([0, *(len(counts) for counts in counted)])
    columns = np.concatenate([np.fromiter(counts.keys(), dtype=np.int64) for counts in counted])
    values = np.concatenate([np.fromiter(counts.values(), dtype=np.float64) for counts in counted])
    return csr_matrix((values, columns, starts), shape=(len(texts), BUCKETS))


def _fit(rows: csr_matrix, diseases: list[str], strength: float, seed: int, what: str) -> Fitted:
    """Fit on everything, after folds have told how good and how sure of itself such a fit is."""
    labels = sorted(set(diseases))
    gold = np.asarray([labels.index(disease) for disease in diseases])
    scores = np.full((len(gold), len(labels)), -20.0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, gold)
    for fitted, left_out in tqdm(folds, total=FOLDS, desc=what):
        model = LogisticRegression(C=strength, max_iter=500).fit(rows[fitted], gold[fitted])
        scores[np.ix_(left_out, model.classes_)] = model.decision_function(rows[left_out])
    model = LogisticRegression(C=strength, max_iter=500).fit(rows, gold)
    accuracy = float((scores.argmax(axis=1) == gold).mean())
    return Fitted(labels, model.coef_.T, model.intercept_, _temperature(scores, gold), round(accuracy, 4))


def _temperature(scores: np.ndarray, gold: np.ndarray) -> float:
    """What the scores must be divided by for the least surprise on cases that the fit has not seen (Guo 2017)."""
    candidates = np.linspace(0.5, 3.0, 101)
    return float(min(candidates, key=lambda t: _surprise(scores / t, gold)))


def _surprise(scores: np.ndarray, gold: np.ndarray) -> float:
    logs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return float(-logs[np.arange(len(gold)), gold].mean())


class _Graph(torch.nn.Module):
    """Both parts in one graph: sums of weights, divided by the temperature, as probabilities."""

    def __init__(self, complaint: Fitted, text: Fitted, idf: np.ndarray) -> None:
        super().__init__()
        self.complaint, self.complaint_bias = _scaled(complaint)
        self.text, self.text_bias = _scaled(text)
        self.idf = _constant(idf)

    def forward(
        self, features: torch.Tensor, ngrams: torch.Tensor, counts: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        complaint = self.complaint[features].sum(dim=0) + self.complaint_bias
        values = (1 + torch.log(counts)) * self.idf[ngrams]
        length = torch.sqrt((values * values).sum() + 1e-12)
        text = values @ self.text[ngrams] / length + self.text_bias
        return torch.softmax(complaint, dim=0), torch.softmax(text, dim=0)


def _scaled(fitted: Fitted) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
    return _constant(fitted.weights / fitted.temperature), _constant(fitted.bias / fitted.temperature)


def _constant(values: np.ndarray) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float32), requires_grad=False)


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
