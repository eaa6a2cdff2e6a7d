"""Patients' words → diseases: a logistic regression over character n-grams and over what they mean.

What n-grams mean is learned without labels from all texts that may train (latent semantic analysis, Deerwester 1990): a
projection is linear, so that it folds into the weights of the n-grams and costs nothing when the model runs.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from nlu.learned_ranking import ngram_counts
from nlu.training._network import FOLDS, best_temperature, logs

RAREST = 4
"""An n-gram in fewer texts is left out."""
MOST = 24_000
TOPICS = 200
TOPIC_SCALE = 2.0
STRENGTH = 15.0


@dataclass(frozen=True)
class FittedTexts:
    """Weights of every n-gram (rows) for every disease, and how unseen texts fared.

    ``rarity`` is the inverse document frequency of each n-gram; ``mix`` the share of each label.
    """

    labels: list[str]
    mix: list[float]
    ngrams: list[str]
    rarity: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    unseen: np.ndarray
    gold: np.ndarray


def fit(data: Path, seed: int) -> FittedTexts:
    """Fit on all texts of DialMed, after cross-validation has told how good and how sure of itself such a fit is."""
    rows = _rows(data / "diagnosis_text_dev.jsonl")
    labels = sorted({row["disease"] for row in rows})
    gold = np.asarray([labels.index(row["disease"]) for row in rows])
    counted = [ngram_counts("\n".join(row["patient_turns"])) for row in rows]
    unlabelled = [ngram_counts(text) for text in tqdm(_unlabelled(data), desc="words")]
    ngrams, rarity = _vocabulary(counted, counted + unlabelled)
    own = _weighted(counted, ngrams, rarity)
    topics = TruncatedSVD(TOPICS, random_state=seed).fit(_weighted(counted + unlabelled, ngrams, rarity))
    projection = TOPIC_SCALE * topics.components_.T
    inputs = csr_matrix(hstack([own, csr_matrix(own @ projection)]))
    scores = np.full((len(gold), len(labels)), -20.0)
    for fitted, left_out in tqdm(list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(own, gold))):
        model = _regression().fit(inputs[fitted], gold[fitted])
        scores[np.ix_(left_out, model.classes_)] = model.decision_function(inputs[left_out])
    model = _regression().fit(inputs, gold)
    direct, folded = model.coef_.T[: len(ngrams)], projection @ model.coef_.T[len(ngrams) :]
    temperature = best_temperature(scores, gold)
    return FittedTexts(
        labels=labels,
        mix=(np.bincount(gold) / len(gold)).round(4).tolist(),
        ngrams=ngrams,
        rarity=rarity,
        weights=direct + folded,
        bias=model.intercept_,
        temperature=temperature,
        unseen=np.exp(logs(scores / temperature)),
        gold=gold,
    )


def _regression() -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=300)


def _unlabelled(data: Path) -> list[str]:
    """Texts whose labels are not used here: the other sets that may train."""
    dialogues: dict[str, list[str]] = {}
    for row in _rows(data / "symptoms_train.jsonl"):
        dialogues.setdefault(row["dialogue"], []).append(row["text"])
    internal = [f"{row['title']}\n{row['text']}" for row in _rows(data / "department_internal_train.jsonl")]
    return ["\n".join(turns) for turns in dialogues.values()] + internal


def _vocabulary(own: list[Counter[str]], everything: list[Counter[str]]) -> tuple[list[str], np.ndarray]:
    """The n-grams that DialMed uses often enough, and how rare each is in all texts."""
    used = Counter(ngram for counts in own for ngram in counts)
    frequent = sorted(ngram for ngram, count in used.most_common(MOST) if count >= RAREST)
    known = set(frequent)
    seen = Counter(ngram for counts in everything for ngram in counts if ngram in known)
    return frequent, np.log((1 + len(everything)) / (1 + np.asarray([seen[ngram] for ngram in frequent]))) + 1


def _weighted(counted: list[Counter[str]], ngrams: list[str], rarity: np.ndarray) -> csr_matrix:
    """TF-IDF rows of length one, the same as the graph computes."""
    number = {ngram: place for place, ngram in enumerate(ngrams)}
    rows, columns, values = [], [], []
    for row, counts in enumerate(counted):
        known = [(number[ngram], count) for ngram, count in counts.items() if ngram in number]
        weights = np.asarray([(1 + np.log(count)) * rarity[place] for place, count in known])
        rows += [row] * len(known)
        columns += [place for place, _ in known]
        values += (weights / np.sqrt((weights**2).sum() + 1e-12)).tolist()
    return csr_matrix((values, (rows, columns)), shape=(len(counted), len(ngrams)))


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
