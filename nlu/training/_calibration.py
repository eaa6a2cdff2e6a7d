"""How far stated probabilities hold on cases that a fit has not seen."""

import numpy as np

BINS = 10


def reliability(probabilities: np.ndarray, gold: np.ndarray) -> dict:
    """Cases in ten equal bins of the probability of the first disease, and the expected calibration error over them.

    Each bin gives its cases, their mean probability and the share that was right (Guo et al. 2017, arXiv:1706.04599).
    """
    stated, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    places = np.minimum((stated * BINS).astype(int), BINS - 1)
    bins, error = [], 0.0
    for place in range(BINS):
        inside = places == place
        if inside.any():
            mean, share = float(stated[inside].mean()), float(right[inside].mean())
            error += float(inside.mean()) * abs(mean - share)
            bins.append({"cases": int(inside.sum()), "stated": round(mean, 4), "right": round(share, 4)})
    return {"accuracy": round(float(right.mean()), 4), "calibration_error": round(error, 4), "bins": bins}
