"""What the tasks that name departments share: our directions under the names of a set."""

from collections.abc import Mapping

from nlu.directions import TEMPERATURE, rank_directions
from nlu.facts import CaseFacts


def named_shares(
    facts: CaseFacts, names: Mapping[str, str], rest: str, temperature: float = TEMPERATURE
) -> dict[str, float]:
    """The probability of each name of the set: ``names`` has it for a direction of ours, any other is ``rest``."""
    shares: dict[str, float] = {}
    for suggestion in rank_directions(facts, temperature):
        name = names.get(suggestion.code, rest)
        shares[name] = shares.get(name, 0.0) + suggestion.probability
    return shares
