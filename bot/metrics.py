"""Counters of what the process did, for the operator: names and codes only, never who or what was said."""

from collections import Counter


class Metrics:
    """Counts by name and labels; read by whoever publishes figures."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def count(self, name: str, amount: int = 1, **labels: object) -> None:
        """Add `amount` to the counter `name` with these labels (few values each: codes, kinds, outcomes)."""
        self._counts[name, tuple(sorted((key, str(value)) for key, value in labels.items()))] += amount

    def counts(self) -> list[tuple[str, tuple[tuple[str, str], ...], int]]:
        """Give every counter: its name, its labels with their values, and the count."""
        return [(name, labels, count) for (name, labels), count in self._counts.items()]

    def value(self, name: str, **labels: object) -> int:
        """Give the sum of the counters `name` that carry these labels."""
        wanted = {(key, str(value)) for key, value in labels.items()}
        return sum(count for (held, has), count in self._counts.items() if held == name and wanted <= set(has))
