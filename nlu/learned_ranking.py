"""What a trained model makes of findings (children's common complaints) and of patients' words (17 diseases).

It says what the public consultations that it learned from would say; ``nlu.disease_probability`` weighs it against the
knowledge base.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from nlu.models import FOLDER, ModelError, load_model
from nlu.normalise import normalise

MODEL = "differential"
LONGEST_TEXT = 2000
"""Characters of the patient's words that are read; a whole consultation of the public sets has a tenth of it."""
LONGEST_NGRAM = 3


def finding_features(findings: Mapping[str, str], complaint: Collection[str]) -> list[str]:
    """The features of a case: each finding, its status, and whether the patient came because of it.

    ``findings`` gives for a finding's name its status (positive, negative, unknown); ``complaint`` are the names told
    first, before any question.
    """
    features = []
    for name, status in findings.items():
        features += [name, f"{name}|{status}"]
        if name in complaint:
            features.append(f"{name}|{status}|complaint")
    return features


def ngram_counts(text: str) -> Counter[str]:
    """How often each character n-gram of one to three characters occurs in the normalised text."""
    plain = normalise(text[:LONGEST_TEXT]).text
    return Counter(
        plain[start : start + length]
        for length in range(1, LONGEST_NGRAM + 1)
        for start in range(len(plain) - length + 1)
    )


class LearnedRanking:
    """The trained model. Building it takes some ten milliseconds, asking it some tenths of one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load the model in ``folder``; ``ModelError`` where a file is missing, damaged or of another shape."""
        self._session, described = load_model(MODEL, folder)
        try:
            self.complaints = _mix(described["complaints"], described["complaint_mix"])
            self.texts = _mix(described["texts"], described["text_mix"])
            self._features = {str(name): number for number, name in enumerate(described["features"])}
            self._ngrams = {str(ngram): number for number, ngram in enumerate(described["ngrams"])}
            self._run("complaint", [len(self._features) - 1], {}, self.complaints)
            self._run("text", [], {len(self._ngrams) - 1: 1}, self.texts)
        except Exception as error:  # whatever a damaged description or graph raises is one fault to the reader
            raise ModelError(f"{folder / MODEL}.json: does not fit its model ({type(error).__name__})") from error

    complaints: dict[str, float]
    """The diseases that findings are ranked among, as the public sets name them, with their shares of the cases."""
    texts: dict[str, float]
    """The diseases that words are ranked among, likewise."""

    def knows(self, names: Collection[str]) -> int:
        """How many of these findings the model has learned from."""
        return sum(name in self._features for name in names)

    def by_findings(self, findings: Mapping[str, str], complaint: Collection[str]) -> dict[str, float]:
        """The calibrated probability of each of ``complaints``; see ``finding_features`` for what goes in."""
        features = finding_features(findings, complaint)
        known = [self._features[name] for name in features if name in self._features]
        return self._run("complaint", known, {}, self.complaints)

    def by_text(self, text: str) -> dict[str, float]:
        """The calibrated probability of each of ``texts``, from what the patient wrote."""
        counts = {self._ngrams[ngram]: n for ngram, n in ngram_counts(text).items() if ngram in self._ngrams}
        return self._run("text", [], counts, self.texts)

    def _run(
        self, output: str, features: list[int], counts: Mapping[int, int], labels: Mapping[str, float]
    ) -> dict[str, float]:
        (probabilities,) = self._session.run(
            [output],
            {
                "features": np.asarray(features, dtype=np.int64),
                "ngrams": np.asarray(list(counts), dtype=np.int64),
                "counts": np.asarray(list(counts.values()), dtype=np.float32),
            },
        )
        return dict(zip(labels, map(float, probabilities), strict=True))


def _mix(labels: list[str], shares: list[float]) -> dict[str, float]:
    return {str(label): float(share) for label, share in zip(labels, shares, strict=True)}


@cache
def learned_ranking() -> LearnedRanking:
    """The shipped model."""
    return LearnedRanking()
