"""Instances made ready to be sent: as they are stored, decoded, or as de-identified copies for teaching."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

from pydicom import uid

from backend.db import key_ring
from backend.imaging.batches import Batch
from backend.imaging.deidentification import Pseudonyms
from backend.imaging.delivery import Parcel
from backend.imaging.forwarding import Forwarding
from backend.imaging.objects import ObjectMissing
from backend.imaging.randomread import read_object
from backend.imaging.retrieval import Retrieval, instance_view
from backend.imaging.rules import StudyState
from backend.imaging.sealing import ObjectDamaged
from backend.imaging.spool import Spool, SpoolFailed
from backend.imaging.tables import ImagingInstance, ImagingStudy, ImagingTransfer, Purpose
from backend.imaging.teaching_copy import NotForTeaching, TeachingCopy, plan_copy
from backend.imaging.transfer_rules import Failure
from backend.imaging.views import InstanceView
from backend.people import ConsentKind
from backend.rendering import Undecodable

log = logging.getLogger(__name__)

_UNREADABLE = (ObjectMissing, ObjectDamaged, SpoolFailed, OSError)


class Parcels(Forwarding, Retrieval):
    """The part of `ImagingService` that makes instances ready to be sent."""

    async def _parcel(
        self, batch: Batch, row: ImagingTransfer, instance: ImagingInstance, spools: AsyncExitStack
    ) -> Parcel | None:
        """Make an instance ready; None where it cannot be, which is written down in the batch."""
        view = instance_view("", instance, "")
        if batch.destination.purpose is Purpose.TEACHING:
            return await self._copy(batch, instance, view, spools)
        sop_uid = instance.sop_instance_uid
        if not row.decode:
            stored = self._watched(batch, sop_uid, lambda: self.stored_file(view))
            return Parcel(instance.sop_class_uid, sop_uid, instance.transfer_syntax, instance.size, stored)
        try:
            return await self._spooled(batch, instance, sop_uid, lambda: self.decoded_file(view), spools)
        except Undecodable:
            batch.failures[sop_uid] = Failure.UNSUPPORTED
            return None

    async def _copy(
        self, batch: Batch, instance: ImagingInstance, view: InstanceView, spools: AsyncExitStack
    ) -> Parcel | None:
        """Make a de-identified copy, where the patient agrees and nothing about it is doubtful."""
        sop_uid = instance.sop_instance_uid
        try:
            patient_id = await self._agreeing_patient(instance)
            key = key_ring().derive(f"imaging.teaching:{batch.destination.institution_id}")
            copy = await read_object(
                self._objects, view.sealed, lambda file: plan_copy(file, view.sealed.size, Pseudonyms(key), patient_id)
            )
            parcel = await self._spooled(
                batch, instance, copy.sop_instance_uid, lambda: self._copied_file(view, copy), spools
            )
        except NotForTeaching as error:
            batch.failures[sop_uid] = error.failure
            return None
        except _UNREADABLE:
            log.exception("forwarding: instance not read")
            batch.failures[sop_uid] = Failure.DAMAGED
            return None
        except Exception:  # of a library over a header that is not as it should be: what was not checked does not go
            log.exception("forwarding: instance not de-identified")
            batch.failures[sop_uid] = Failure.NOT_CLEANED
            return None
        batch.sent_as[sop_uid] = copy.sop_instance_uid
        return parcel

    async def _agreeing_patient(self, instance: ImagingInstance) -> str:
        """Give the patient of an instance, who may have taken their consent back since somebody asked."""
        async with self._database.reading() as session:
            study = await session.get_one(ImagingStudy, instance.study_id)
        agrees = study.patient_id and await self._people.has_consent(study.patient_id, ConsentKind.TEACHING)
        if study.state is not StudyState.LINKED or study.patient_id is None or not agrees:
            raise NotForTeaching(Failure.NO_CONSENT)
        return study.patient_id

    def _copied_file(self, view: InstanceView, copy: TeachingCopy) -> AsyncIterator[bytes]:
        return copy.stream(
            lambda start, end: self._objects.get(view.sealed, start, end),
            lambda number: self.decoded_frame(view, number),
        )

    async def _spooled(
        self,
        batch: Batch,
        instance: ImagingInstance,
        sent_as: str,
        source: Callable[[], AsyncIterator[bytes]],
        spools: AsyncExitStack,
    ) -> Parcel | None:
        """Keep what `source` makes of an instance until it is sent, because its length has to be told beforehand."""
        sop_uid = instance.sop_instance_uid
        spool = Spool()
        spools.callback(spool.close)
        size = 0
        try:
            async for piece in self._watched(batch, sop_uid, source)():
                size += await asyncio.to_thread(spool.write, piece)
        except _UNREADABLE:
            return None
        spooled = self._watched(batch, sop_uid, spool.chunks)
        return Parcel(instance.sop_class_uid, sent_as, uid.ExplicitVRLittleEndian, size, spooled)

    def _watched(
        self, batch: Batch, sop_uid: str, source: Callable[[], AsyncIterator[bytes]]
    ) -> Callable[[], AsyncIterator[bytes]]:
        """Give `source`, which writes down in the batch that an instance could not be read."""

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in source():
                    yield piece
            except _UNREADABLE:
                log.exception("forwarding: instance not read")
                batch.failures[sop_uid] = Failure.DAMAGED
                raise

        return pieces
