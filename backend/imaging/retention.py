"""Studies that a person rejected are removed some time after that, with everything that lies of them."""

import asyncio
import logging
from datetime import timedelta

from sqlalchemy import delete, select

from backend.imaging.desk import ImagingDesk
from backend.imaging.rules import StudyState
from backend.imaging.tables import ImagingHeader, ImagingInstance, ImagingSeries, ImagingStudy
from backend.security.policy import SYSTEM, Action

log = logging.getLogger(__name__)

REJECTED_KEPT = timedelta(days=90)
"""How long a rejected study is kept unless a setting says otherwise. No rule names a time; data is to be kept no longer
than its purpose needs (《个人信息保护法》, article 19), and a quarter is our judgement of how long it may take until a
wrong rejection comes out."""


class Retention(ImagingDesk):
    """The part of `ImagingService` that removes what a person rejected."""

    async def remove_rejected(self, kept: timedelta = REJECTED_KEPT) -> int:
        """Remove the studies that were rejected longer ago than `kept`; give how many that were.

        A study goes with its rows in one transaction, and then its objects; those that a process which is killed in
        between leaves are removed by `sweep_objects`.
        """
        before = self._clock.now() - kept
        overdue = (ImagingStudy.state == StudyState.REJECTED, ImagingStudy.decided_at <= before)
        async with self._database.reading() as session:
            found = list(await session.scalars(select(ImagingStudy.id).where(*overdue).order_by(ImagingStudy.id)))
        removed = 0
        for study_id in found:
            async with self._database.transaction() as session:
                query = select(ImagingStudy).where(ImagingStudy.id == study_id, *overdue).with_for_update()
                study = await session.scalar(query)
                if study is None:
                    continue  # more of it came meanwhile, and it waits for a decision again
                await self._audit.record(
                    session, SYSTEM, Action.IMAGING_REMOVE, subject=f"imaging_study:{study.id}", reason="rejected"
                )
                of_study = ImagingInstance.study_id == study.id
                objects = list(await session.scalars(select(ImagingInstance.object_id).where(of_study)))
                of_its_instances = ImagingHeader.instance_id.in_(select(ImagingInstance.id).where(of_study))
                await session.execute(delete(ImagingHeader).where(of_its_instances))
                await session.execute(delete(ImagingInstance).where(of_study))
                await session.execute(delete(ImagingSeries).where(ImagingSeries.study_id == study.id))
                await session.delete(study)
            for object_id in objects:
                await self._objects.delete(object_id)
            removed += 1
        return removed

    async def keep_rejected_removed(self, kept: timedelta, interval: timedelta = timedelta(hours=6)) -> None:
        """Remove what is overdue at each `interval` until cancelled; what fails is tried again."""
        while True:
            try:
                removed = await self.remove_rejected(kept)
            except Exception:
                log.exception("rejected studies not removed")
            else:
                if removed:
                    log.info("rejected studies removed: count=%d", removed)
            await asyncio.sleep(interval.total_seconds())
