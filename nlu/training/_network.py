"""Small networks with one hidden layer, several trained from different starts and joined into one wide one."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold
from torch import nn
from tqdm import tqdm

FOLDS = 5
_BATCH = 64
_LEARNING_RATE = 2e-3
_SMOOTHING = 0.1
"""Share of the gold label spread over all: the sets' labels are what one doctor thought, not the truth."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: hidden units, share of inputs and of hidden units dropped, rounds, starts."""

    hidden: int
    drop_inputs: float
    drop_hidden: float
    rounds: int
    decay: float
    starts: int


@dataclass(frozen=True)
class Fitted:
    """A network: weights and biases of both layers, the temperature of its scores, and how it fared on unseen cases.

    ``mix`` is the share of each label among the cases; ``unseen`` the calibrated probabilities in cross-validation.
    """

    labels: list[str]
    mix: list[float]
    inner: np.ndarray
    inner_bias: np.ndarray
    outer: np.ndarray
    outer_bias: np.ndarray
    temperature: float
    unseen: np.ndarray
    gold: np.ndarray


def fit(cases: list[list[int]], features: int, diseases: list[str], recipe: Recipe, seed: int, what: str) -> Fitted:
    """Fit on all cases, after cross-validation has told how good and how sure of itself such a fit is.

    A case is the numbers (below ``features``) of what it has.
    """
    rows = _padded(cases, features)
    labels = sorted(set(diseases))
    gold = np.asarray([labels.index(disease) for disease in diseases])
    scores = np.zeros((len(gold), len(labels)))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, gold)
    with tqdm(total=FOLDS + recipe.starts, desc=what) as progress:
        for fitted, left_out in folds:
            network = _Network(features, recipe, len(labels), seed).train_on(rows[fitted], gold[fitted], seed)
            scores[left_out] = network(rows[left_out]).detach().numpy()
            progress.update()
        inner, inner_bias, outer, outer_bias = _wide(rows, gold, features, len(labels), recipe, seed, progress)
    temperature = best_temperature(scores, gold)
    unseen = np.exp(logs(scores / temperature))
    mix = np.bincount(gold, minlength=len(labels)) / len(gold)
    return Fitted(labels, mix.round(4).tolist(), inner, inner_bias, outer, outer_bias, temperature, unseen, gold)


def _padded(cases: list[list[int]], features: int) -> torch.Tensor:
    """The cases as rows of equal length, filled up with the number ``features``, which stands for nothing."""
    rows = torch.full((len(cases), max(len(case) for case in cases)), features)
    for place, case in enumerate(cases):
        rows[place, : len(case)] = torch.tensor(case, dtype=torch.int64)
    return rows


def _wide(
    rows: torch.Tensor, gold: np.ndarray, features: int, labels: int, recipe: Recipe, seed: int, progress: tqdm
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The mean of the scores of several networks, which is one network with their hidden layers side by side."""
    parts = []
    for start in range(seed, seed + recipe.starts):
        parts.append(_Network(features, recipe, labels, start).train_on(rows, gold, start).arrays())
        progress.update()
    inner, inner_bias, outer, outer_bias = zip(*parts, strict=True)
    return (
        np.concatenate(inner, axis=1),
        np.concatenate(inner_bias),
        np.concatenate(outer) / recipe.starts,
        np.mean(outer_bias, axis=0),
    )


class _Network(nn.Module):
    """The inner weights of what a case has are added up, and again for the labels after the hidden layer."""

    def __init__(self, features: int, recipe: Recipe, labels: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.recipe = recipe
        self.inner = nn.Embedding(features + 1, recipe.hidden, padding_idx=features)
        nn.init.uniform_(self.inner.weight[:features], -(features**-0.5), features**-0.5)
        self.inner_bias = nn.Parameter(torch.zeros(recipe.hidden))
        self.drop_hidden = nn.Dropout(recipe.drop_hidden)
        self.outer = nn.Linear(recipe.hidden, labels)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        kept = nn.functional.dropout(torch.ones_like(rows, dtype=torch.float32), self.recipe.drop_inputs, self.training)
        hidden = torch.relu((self.inner(rows) * kept[:, :, None]).sum(dim=1) + self.inner_bias)
        scores: torch.Tensor = self.outer(self.drop_hidden(hidden))
        return scores

    def train_on(self, rows: torch.Tensor, gold: np.ndarray, seed: int) -> "_Network":
        """Go through the cases ``recipe.rounds`` times in an order that ``seed`` sets."""
        torch.manual_seed(seed)
        optimiser = torch.optim.AdamW(self.parameters(), lr=_LEARNING_RATE, weight_decay=self.recipe.decay)
        loss_of = nn.CrossEntropyLoss(label_smoothing=_SMOOTHING)
        targets = torch.tensor(gold)
        self.train()
        for _ in range(self.recipe.rounds):
            for batch in torch.randperm(len(rows)).split(_BATCH):
                optimiser.zero_grad()
                loss_of(self(rows[batch]), targets[batch]).backward()
                optimiser.step()
        return self.eval()

    def arrays(self) -> list[np.ndarray]:
        """Inner weights and bias, outer weights and bias."""
        inner = self.inner.weight[:-1]
        return [values.detach().numpy() for values in (inner, self.inner_bias, self.outer.weight.T, self.outer.bias)]


def best_temperature(scores: np.ndarray, gold: np.ndarray) -> float:
    """What scores must be divided by for the least surprise on unseen cases (Guo et al. 2017, arXiv:1706.04599)."""
    candidates = np.linspace(0.2, 3.0, 141)
    return float(min(candidates, key=lambda t: -logs(scores / t)[np.arange(len(gold)), gold].mean()))


def logs(scores: np.ndarray) -> np.ndarray:
    """Scores as logarithms of probabilities, row by row."""
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
