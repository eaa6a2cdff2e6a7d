"""The number that people call a consultation by: HZ20261121-0001, counted by the day in China."""

from sqlalchemy import select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation.tables import ConsultationNumber


async def next_number(session: AsyncSession, clock: Clock) -> str:
    """Give the next number of today, in the caller's transaction.

    Call it as late in the transaction as possible: whoever opens the next consultation of the day waits for the commit.
    One statement opens the day or counts up: an insert that fails and an update after it deadlock on MySQL.
    """
    day = f"{clock.today():%Y%m%d}"
    count_up = {"last": ConsultationNumber.last + 1}
    if session.get_bind().dialect.name == "mysql":
        await session.execute(
            mysql.insert(ConsultationNumber).values(day=day, last=1).on_duplicate_key_update(count_up)
        )
    else:
        opened = sqlite.insert(ConsultationNumber).values(day=day, last=1)
        await session.execute(opened.on_conflict_do_update(index_elements=["day"], set_=count_up))
    last = await session.scalar(
        select(ConsultationNumber.last).where(ConsultationNumber.day == day).execution_options(populate_existing=True)
    )
    return f"HZ{day}-{last:04d}"
