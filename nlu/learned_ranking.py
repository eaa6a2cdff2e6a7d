"""What a trained model makes of findings and words: children's common complaints, and what patients write of 17 diseases.

It says what the public consultations it learned from would say; ``nlu.differential`` weighs it against the knowledge base.
"""

import zlib
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


def ngram_counts(text: str, buckets: int) -> dict[int, int]:
    """How often each character n-gram of one to three characters occurs, by the bucket that its CRC-32 falls into."""
    plain = normalise(text[:LONGEST_TEXT]).text
    counted = Counter(
        plain[start : start + length]
        for length in range(1, LONGEST_NGRAM + 1)
        for start in range(len(plain) - length + 1)
    )
    buckets_hit: Counter[int] = Counter()
    for ngram, count in counted.items():
        buckets_hit[zlib.crc32(ngram.encode(errors="replace")) % buckets] += count
    return buckets_hit


class LearnedRanking:
    """The trained model. Building it takes some ten milliseconds, asking it some tenths of one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load the model in ``folder``; ``ModelError`` where a file is missing, damaged or of another shape."""
        self._session, described = load_model(MODEL, folder)
        try:
            self._complaints = tuple(str(name) for name in described["complaints"])
            self._texts = tuple(str(name) for name in described["texts"])
            self._features = {str(name): number for number, name in enumerate(described["features"])}
            self._buckets = int(described["buckets"])
            self.knows(("咳嗽",))
            found = (len(self.by_findings({}, ())), len(self.by_text("咳嗽")))
        except Exception as error:  # whatever a damaged description or graph raises, it is the same fault to the reader
            raise ModelError(f"{folder / MODEL}.json: does not fit its model ({type(error).__name__})") from error
        if found != (len(self._complaints), len(self._texts)):
            raise ModelError(f"{folder / MODEL}.json: does not fit its model (labels)")

    @property
    def complaints(self) -> tuple[str, ...]:
        """The diseases that findings are ranked among, as the public sets name them."""
        return self._complaints

    @property
    def texts(self) -> tuple[str, ...]:
        """The diseases that words are ranked among, as the public set names them."""
        return self._texts

    def knows(self, names: Collection[str]) -> int:
        """How many of these findings the model has learned from."""
        return sum(name in self._features for name in names)

    def by_findings(self, findings: Mapping[str, str], complaint: Collection[str]) -> dict[str, float]:
        """The calibrated probability of each of ``complaints``; see ``finding_features`` for what goes in."""
        features = finding_features(findings, complaint)
        known = [self._features[name] for name in features if name in self._features]
        return dict(zip(self._complaints, self._run("complaint", known, {}), strict=True))

    def by_text(self, text: str) -> dict[str, float]:
        """The calibrated probability of each of ``texts``, from what the patient wrote."""
        counts = ngram_counts(text, self._buckets)
        return dict(zip(self._texts, self._run("text", [], counts), strict=True))

    def _run(self, output: str, features: list[int], counts: Mapping[int, int]) -> list[float]:
        (probabilities,) = self._session.run(
            [output],
            {
                "features": np.asarray(features, dtype=np.int64),
                "ngrams": np.asarray(list(counts), dtype=np.int64),
                "counts": np.asarray(list(counts.values()), dtype=np.float32),
            },
        )
        return [float(value) for value in probabilities]


@cache
def learned_ranking() -> LearnedRanking:
    """The shipped model."""
    return LearnedRanking()
