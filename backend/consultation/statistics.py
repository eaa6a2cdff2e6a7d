"""How fast experts answer invitations, kept up with each answer so that nothing has to be counted again."""

from bisect import bisect_left
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.tables import ResponseStatistics

BUCKET_SECONDS = (15, 30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 3600)
"""Upper bounds of the histogram's buckets; one more bucket holds what took longer."""


async def add_answer(session: AsyncSession, expert_id: str, seconds: float) -> None:
    """Count an answer that took `seconds`, in the caller's transaction."""
    row = await _locked(session, expert_id)
    row.answered += 1
    row.total_seconds += max(seconds, 0.0)
    histogram = list(row.histogram)
    histogram[bisect_left(BUCKET_SECONDS, seconds)] += 1
    row.histogram = histogram


async def add_unanswered(session: AsyncSession, expert_ids: Collection[str]) -> None:
    """Count an invitation of each of the experts that ran out, in the caller's transaction."""
    # Always in the same order, so that two transactions never wait for each other.
    for expert_id in sorted(expert_ids):
        (await _locked(session, expert_id)).unanswered += 1


async def read(session: AsyncSession, expert_ids: Collection[str]) -> dict[str, ResponseStatistics]:
    """Give the statistics of those of the experts who have any."""
    rows = await session.scalars(select(ResponseStatistics).where(ResponseStatistics.expert_id.in_(expert_ids)))
    return {row.expert_id: row for row in rows}


def median_seconds(histogram: Sequence[int]) -> float | None:
    """Give the median, interpolated inside the bucket that holds it; None where nothing was counted."""
    count = sum(histogram)
    if count == 0:
        return None
    half, passed = count / 2, 0
    for index, held in enumerate(histogram):
        if held and passed + held >= half:
            low = BUCKET_SECONDS[index - 1] if index else 0
            high = BUCKET_SECONDS[index] if index < len(BUCKET_SECONDS) else BUCKET_SECONDS[-1] * 2
            return low + (high - low) * (half - passed) / held
        passed += held
    raise AssertionError("half of the count lies in some bucket")


async def _locked(session: AsyncSession, expert_id: str) -> ResponseStatistics:
    query = (
        select(ResponseStatistics)
        .where(ResponseStatistics.expert_id == expert_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = await session.scalar(query)
    if row is not None:
        return row
    fresh = ResponseStatistics(
        expert_id=expert_id,
        answered=0,
        unanswered=0,
        total_seconds=0.0,
        histogram=[0] * (len(BUCKET_SECONDS) + 1),
    )
    try:
        async with session.begin_nested():
            session.add(fresh)
            await session.flush()
    except IntegrityError:  # the expert's first two answers came in the same moment
        return (await session.scalars(query)).one()
    return fresh
