"""Reading and keeping weights and standings, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.ranking import Criterion, Weights, Widening
from backend.consultation.rules import Urgency
from backend.consultation.weights import DEFAULT, Percentages, Standing, check_percentages
from backend.consultation.weights_tables import MatchingStandings, MatchingWeights


@dataclass(frozen=True)
class WeightsVersion:
    """A version of the weights; version 0 is the one that the product comes with, which nobody has published."""

    version: int
    percentages: Percentages
    reason: str = field(default="", repr=False)
    published_by: str = ""
    published_at: datetime | None = None

    @property
    def weights(self) -> Weights:
        """As the ranking takes them."""
        return check_percentages(self.percentages)


ORIGINAL = WeightsVersion(0, DEFAULT)


async def published(session: AsyncSession) -> WeightsVersion:
    """Give the version that holds now: read anew for every search, so that all processes have it at once."""
    latest = select(func.max(MatchingWeights.version)).scalar_subquery()
    row = await session.scalar(select(MatchingWeights).where(MatchingWeights.version == latest))
    return ORIGINAL if row is None else version_of(row)


def version_of(row: MatchingWeights) -> WeightsVersion:
    """Show a row."""
    percentages = {
        Urgency(urgency): {Criterion(criterion): percent for criterion, percent in held.items()}
        for urgency, held in row.percentages.items()
    }
    return WeightsVersion(row.version, percentages, row.reason, row.published_by, row.published_at)


async def keep_standings(session: AsyncSession, consultation_id: str, found: Sequence[Standing]) -> None:
    """Keep how everybody stood when the search of a case began."""
    held = [
        {
            "expert_id": one.expert_id,
            "step": one.step.value,
            "criteria": [one.criteria[criterion] for criterion in Criterion],
            "wait_minutes": one.wait_minutes,
            "running": one.running,
        }
        for one in found
    ]
    session.add(MatchingStandings(consultation_id=consultation_id, standings=held))


def standings_of(held: Sequence[dict[str, Any]]) -> list[Standing]:
    """Give back what `keep_standings` has kept."""
    return [
        Standing(
            one["expert_id"],
            Widening(one["step"]),
            dict(zip(Criterion, one["criteria"], strict=True)),
            one["wait_minutes"],
            one["running"],
        )
        for one in held
    ]
