"""The number that people call a consultation by: HZ20261121-0001, counted by the day in China."""

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation.tables import ConsultationNumber


async def next_number(session: AsyncSession, clock: Clock) -> str:
    """Give the next number of today, in the caller's transaction.

    Call it as late in the transaction as possible: whoever opens the next consultation of the day waits for the commit.
    """
    day = f"{clock.today():%Y%m%d}"
    if not await _count_up(session, day):
        try:
            async with session.begin_nested():
                session.add(ConsultationNumber(day=day, last=1))
                await session.flush()
        except IntegrityError:  # somebody else opened the day
            await _count_up(session, day)
    last = await session.scalar(
        select(ConsultationNumber.last).where(ConsultationNumber.day == day).execution_options(populate_existing=True)
    )
    return f"HZ{day}-{last:04d}"


async def _count_up(session: AsyncSession, day: str) -> bool:
    counted = await session.execute(
        update(ConsultationNumber)
        .where(ConsultationNumber.day == day)
        .values(last=ConsultationNumber.last + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(counted.rowcount == 1)  # type: ignore[attr-defined]  # of an UPDATE
