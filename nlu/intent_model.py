"""The intent of a message with its probability: rules say what must be and what can be, a trained model what is likely.

1. A steering word, a danger sign and a cry for help settle the intent (``intent_rules.settled``). The confidence is the
   share of our own examples on which that rule is right.
2. Otherwise the model gives every intent that is possible (``intent_rules.possible``) a probability. It reads the
   characters and what the rules found (``intent_features``). Its temperature is fitted on examples that it was not
   trained on, so that of the messages judged with a confidence of 0.8, eight in ten have the intent.
3. Where no intent reaches the threshold, what tells of the case (a symptom, another fact) describes symptoms or
   answers; anything else is out of scope. The confidence, then low, is still the probability of the intent given.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlu.intent_features import BUCKETS, NAMES, findings, pieces
from nlu.intent_rules import Signs, possible, settled, waits_for_answer
from nlu.models import FOLDER, ModelError, load_model
from nlu.types import Context, Intent

NAME = "intents"


class IntentModel:
    """The trained judge of intents."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Load the model; ``ModelError`` where it is missing, damaged, or made for other features or intents."""
        self._session, described = load_model(NAME, folder)
        _check(folder / f"{NAME}.json", described)
        self._intents = tuple(Intent(intent) for intent in described["intents"])
        self._place = {intent: place for place, intent in enumerate(self._intents)}
        self._temperature = float(described["temperature"])
        self._threshold = float(described["threshold"])
        self._certainty: dict[str, float] = described["certainty"]

    def judge(self, text: str, context: Context, signs: Signs) -> tuple[Intent, float]:
        """The intent of the normalised ``text`` and the probability that it is right (0–1)."""
        certain = settled(signs)
        if certain is not None:
            intent, rule = certain
            return intent, self._certainty[rule]
        probabilities = self._probabilities(text, context, signs)
        best = int(np.argmax(probabilities))
        if probabilities[best] < self._threshold:
            best = self._place[_unsure(context, signs)]
        return self._intents[best], min(1.0, float(probabilities[best]))

    def _probabilities(self, text: str, context: Context, signs: Signs) -> NDArray[np.float64]:
        inputs = {"pieces": pieces(text), "findings": findings(text, context, signs)[None, :]}
        logits: NDArray[np.float32] = self._session.run(None, inputs)[0][0]
        can_be = possible(text, context, signs)
        barred = [place for place, intent in enumerate(self._intents) if intent not in can_be]
        scaled = logits.astype(np.float64) / self._temperature
        scaled[barred] = -np.inf
        shares = np.exp(scaled - scaled.max())
        probabilities: NDArray[np.float64] = shares / shares.sum()
        return probabilities


def _unsure(context: Context, signs: Signs) -> Intent:
    """What to take a message for that is like nothing known."""
    if signs.correction and signs.facts:
        return Intent.CORRECT
    if waits_for_answer(context):
        return Intent.ANSWER if signs.answers else Intent.OUT_OF_SCOPE
    return Intent.DESCRIBE_SYMPTOMS if signs.facts else Intent.OUT_OF_SCOPE


def _check(path: Path, described: dict[str, Any]) -> None:
    """``ModelError`` where the model does not fit this code."""
    expected = {"intents": sorted(Intent), "features": list(NAMES), "buckets": BUCKETS}
    for field, value in expected.items():
        given = described.get(field)
        if (sorted(given) if field == "intents" and isinstance(given, list) else given) != value:
            raise ModelError(f"{path}: {field} do not fit this version; train the model again")
    certainty = described.get("certainty")
    numbers = [described.get("temperature"), described.get("threshold")]
    if not isinstance(certainty, dict) or {"command", "danger", "cry"} - set(certainty):
        raise ModelError(f"{path}: the certainty of the rules is missing")
    if not all(isinstance(number, int | float) for number in (*numbers, *certainty.values())):
        raise ModelError(f"{path}: temperature, threshold and certainty must be numbers")
