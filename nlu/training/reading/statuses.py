"""Fits the linear model of statuses (``nlu/reader_status.py``)."""

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from nlu.reader_status import ROWS, asked_features, hashed, said_features
from nlu.training.reading.dataset import STATUSES, Row
from nlu.types import Speaker

_STRENGTH = 0.3
_ROUNDS = 400


class StatusNetwork(nn.Module):
    """The fitted weights as a network: rows of features in, logarithms of the shares of the statuses out."""

    def __init__(self, weights: np.ndarray, biases: np.ndarray) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float32))
        self.biases = nn.Parameter(torch.tensor(biases, dtype=torch.float32))

    def forward(self, features: Tensor) -> Tensor:
        """One share for each status, from the rows of a mention."""
        return (self.weights[features].sum(dim=0) + self.biases).log_softmax(dim=0)


def fit_statuses(rows: list[Row]) -> StatusNetwork:
    """Learn from every marked mention of the sentences and of the questions."""
    mentions = [mention for row in rows for mention in _mentions(row)]
    columns = np.concatenate([features for features, _ in mentions])
    ends = np.cumsum([0, *(len(features) for features, _ in mentions)])
    table = csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(mentions), ROWS))
    model = LogisticRegression(C=_STRENGTH, max_iter=_ROUNDS)
    model.fit(table, np.array([status for _, status in mentions]))
    return StatusNetwork(model.coef_.T, model.intercept_)


def _mentions(row: Row) -> list[tuple[np.ndarray, int]]:
    """The features and the status of each mention of the sentence, or of the question that it answers."""
    found = []
    before = tuple((said.speaker is Speaker.DOCTOR, said.text) for said in row.before)
    for mark in row.marks.get(len(row.before), ()):
        features = said_features(row.text, mark["start"], mark["end"], mark["name"], before)
        found.append((hashed(features), STATUSES.index(mark["status"])))
    if len(row.before) not in row.marks:
        question = row.before[-1].text
        mentions = [mark["mention"] for mark in row.marks[0]]
        for mark in row.marks[0]:
            features = asked_features(question, mark["start"], mark["end"], mark["name"], row.text, mentions)
            found.append((hashed(features), STATUSES.index(mark["status"])))
    return found
