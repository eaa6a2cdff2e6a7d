"""Which instances go to which PACS, and what people hear of it; `sending` brings them there.

A row for each instance and destination. A study of a consultation goes to the PACS of the institution whose expert has
it, from the moment at which the expert has it; what arrives later follows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.errors import NotFound
from backend.events import Event
from backend.ids import new_id
from backend.imaging.destinations import Destinations
from backend.imaging.rules import StudyState
from backend.imaging.tables import (
    ImagingDestination,
    ImagingForwarding,
    ImagingInstance,
    ImagingStudy,
    ImagingTransfer,
    Purpose,
    sent_by_machine,
)
from backend.imaging.transfer_rules import SENTENCES, Failure, TransferState, worth_telling
from backend.security.policy import SYSTEM, Action, Actor, require

MAY_FORWARD = (
    "consultation.assigned",
    "consultation.given_back",
    "consultation.cancelled",
    "imaging.study_arrived",
    "imaging.document_filed",
)
"""Events after which other instances may have to go, or to other places."""


@dataclass(frozen=True)
class TransferView:
    """How far a study is on its way to a destination.

    Args:
        total, arrived: how many of the instances that machines sent; reports travel with them and are not counted.
        dead: how many of all. sentence: why some do not arrive, for people; "" where all is well.
    """

    study_id: str
    destination_id: str
    destination: str
    purpose: Purpose
    total: int
    arrived: int
    dead: int
    failure: Failure | None
    sentence: str


class Forwarding(Destinations):
    """The part of `ImagingService` that knows what goes where."""

    async def _on_forwarding(self, event: Event) -> None:
        """Let the studies of a consultation go to the expert's PACS, and take back what waits for another's."""
        reference = await self._consultations.reference(str(event.payload["consultation_id"]))
        if reference is None:
            return
        wanted = [] if event.type == "consultation.cancelled" else await self._destinations_for(reference)
        async with self._database.transaction() as session:
            query = select(ImagingStudy).where(
                ImagingStudy.consultation_id == reference.id, ImagingStudy.state == StudyState.LINKED
            )
            for study in (await session.scalars(query)).all():
                await self._take_back(session, study, wanted)
                for destination_id in wanted:
                    await self._put_in_queue(session, study, destination_id)

    async def _destinations_for(self, reference: CaseReference) -> list[str]:
        if reference.expert_id is None:
            return []
        expert = await self._people.practitioner(reference.expert_id)
        async with self._database.reading() as session:
            query = select(ImagingDestination.id).where(
                ImagingDestination.institution_id == expert.institution_id,
                ImagingDestination.purpose == Purpose.CARE,
                ImagingDestination.active,
            )
            return list(await session.scalars(query.order_by(ImagingDestination.id)))

    async def _put_in_queue(self, session: AsyncSession, study: ImagingStudy, destination_id: str) -> None:
        forwarding, is_new = await self._forwarding(session, study, destination_id)
        if is_new:
            await self._audit.record(
                session,
                SYSTEM,
                Action.IMAGING_FORWARD,
                patient_id=study.patient_id,
                subject=f"imaging_study:{study.id}",
                reason=f"imaging_destination:{destination_id}",
            )
        await self._queue_instances(session, forwarding)

    async def _forwarding(
        self, session: AsyncSession, study: ImagingStudy, destination_id: str
    ) -> tuple[ImagingForwarding, bool]:
        """Give that a study goes to a destination, and whether that is new."""
        query = select(ImagingForwarding).where(
            ImagingForwarding.study_id == study.id, ImagingForwarding.destination_id == destination_id
        )
        found: ImagingForwarding | None = await session.scalar(query)
        if found is not None:
            return found, False
        made = ImagingForwarding(
            id=new_id(), study_id=study.id, destination_id=destination_id, told=0, created_at=self._clock.now()
        )
        session.add(made)
        await session.flush()
        return made, True

    async def _queue_instances(
        self, session: AsyncSession, forwarding: ImagingForwarding, *which: ColumnElement[bool]
    ) -> None:
        """Let the instances of a study, or `which` of them, that are not on their way yet go there."""
        now = self._clock.now()
        known = select(ImagingTransfer.instance_id).where(ImagingTransfer.forwarding_id == forwarding.id)
        fresh = select(ImagingInstance.id).where(
            ImagingInstance.study_id == forwarding.study_id, ImagingInstance.id.not_in(known), *which
        )
        session.add_all(
            [
                _transfer(forwarding, instance_id, now)
                for instance_id in await session.scalars(fresh.order_by(ImagingInstance.number, ImagingInstance.id))
            ]
        )

    async def _take_back(self, session: AsyncSession, study: ImagingStudy, wanted: Collection[str]) -> None:
        """Forget what has not gone yet to a PACS whose institution has nothing to do with the study any more."""
        for_care = select(ImagingDestination.id).where(ImagingDestination.purpose == Purpose.CARE)
        await session.execute(
            delete(ImagingTransfer).where(
                ImagingTransfer.forwarding_id.in_(
                    select(ImagingForwarding.id).where(ImagingForwarding.study_id == study.id)
                ),
                ImagingTransfer.destination_id.in_(for_care),
                ImagingTransfer.destination_id.not_in(wanted),
                ImagingTransfer.state != TransferState.ARRIVED,
            )
        )

    async def transfers(self, actor: Actor, consultation_id: str) -> list[TransferView]:
        """Give how far the studies of a consultation are on their way.

        Raises:
            NotFound: there is no such consultation. Forbidden: it is none of the actor's business.
        """
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        require(
            actor,
            Action.CONSULTATION_VIEW,
            patient_id=reference.patient_id,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )
        async with self._database.reading() as session:
            query = (
                select(ImagingForwarding, ImagingDestination)
                .join(ImagingStudy, ImagingStudy.id == ImagingForwarding.study_id)
                .join(ImagingDestination, ImagingDestination.id == ImagingForwarding.destination_id)
                .where(ImagingStudy.consultation_id == consultation_id)
            )
            found = (await session.execute(query.order_by(ImagingForwarding.id))).all()
            return [await transfer_view(session, forwarding, destination) for forwarding, destination in found]

    async def resend(self, actor: Actor, destination_id: str) -> int:
        """Try again, at once, everything that came to a dead end at a destination; give how many instances that are.

        Raises: Forbidden, NotFound.
        """
        async with self._database.transaction() as session:
            destination = await self._managed(session, actor, destination_id)
            destination.failures, destination.resume_at = 0, None
            changes = {"state": TransferState.WAITING, "due_at": self._clock.now(), "attempts": 0, "refusals": 0}
            mended = await session.execute(
                update(ImagingTransfer)
                .where(ImagingTransfer.destination_id == destination_id, ImagingTransfer.state == TransferState.DEAD)
                .values(**changes, claim=None, failure=None, status=None)
            )
            await session.execute(
                update(ImagingForwarding).where(ImagingForwarding.destination_id == destination_id).values(stuck=None)
            )
            count: int = mended.rowcount  # type: ignore[attr-defined]  # of an UPDATE
            return count

    async def _tell_progress(self, session: AsyncSession, forwarding_id: str) -> None:
        """Tell of what has arrived, where that is news."""
        forwarding = await session.get_one(ImagingForwarding, forwarding_id)
        everything = await _counts(session, forwarding_id)
        if everything.get(TransferState.ARRIVED, 0) == sum(everything.values()):
            forwarding.stuck = None
        counts = await _counts(session, forwarding_id, sent_by_machine())
        there, total = counts.get(TransferState.ARRIVED, 0), sum(counts.values())
        if not worth_telling(forwarding.told, there, total):
            return
        forwarding.told = there
        ended = there == total
        name = "imaging.transfer_finished" if ended else "imaging.transfer_progress"
        await self._tell(session, name, forwarding, arrived=there, total=total)

    async def _tell_stuck(self, session: AsyncSession, forwarding_id: str, failure: Failure) -> None:
        """Tell once that a study does not go on, or not all of it."""
        forwarding = await session.get_one(ImagingForwarding, forwarding_id)
        if forwarding.stuck in (None, Failure.AWAY) and forwarding.stuck != failure:
            forwarding.stuck = failure
            await self._tell(session, "imaging.transfer_stuck", forwarding, reason=failure.value)

    async def _tell(self, session: AsyncSession, name: str, forwarding: ImagingForwarding, **facts: Any) -> None:
        destination = await session.get_one(ImagingDestination, forwarding.destination_id)
        if destination.purpose is Purpose.TEACHING:
            return  # it is no news about the patient's care
        study = await session.get_one(ImagingStudy, forwarding.study_id)
        reference = await self._consultations.reference(study.consultation_id or "")
        if reference is not None:
            await self._events.publish(
                session,
                name,
                study_id=study.id,
                destination_id=forwarding.destination_id,
                consultation_id=reference.id,
                doctor_id=reference.doctor_id,
                expert_id=reference.expert_id,
                **facts,
            )


def _transfer(forwarding: ImagingForwarding, instance_id: str, now: datetime) -> ImagingTransfer:
    return ImagingTransfer(
        id=new_id(),
        forwarding_id=forwarding.id,
        destination_id=forwarding.destination_id,
        instance_id=instance_id,
        state=TransferState.WAITING,
        due_at=now,
    )


async def _counts(session: AsyncSession, forwarding_id: str, *which: ColumnElement[bool]) -> dict[TransferState, int]:
    how_many = func.count().label("how_many")
    query = select(ImagingTransfer.state, how_many).where(ImagingTransfer.forwarding_id == forwarding_id, *which)
    if which:
        query = query.join(ImagingInstance, ImagingInstance.id == ImagingTransfer.instance_id)
    return {row.state: row.how_many for row in await session.execute(query.group_by(ImagingTransfer.state))}


async def transfer_view(
    session: AsyncSession, forwarding: ImagingForwarding, destination: ImagingDestination
) -> TransferView:
    """Give how far a study is on its way."""
    counts = await _counts(session, forwarding.id, sent_by_machine())
    everything = await _counts(session, forwarding.id)
    return TransferView(
        study_id=forwarding.study_id,
        destination_id=destination.id,
        destination=destination.label,
        purpose=destination.purpose,
        total=sum(counts.values()),
        arrived=counts.get(TransferState.ARRIVED, 0),
        dead=everything.get(TransferState.DEAD, 0),
        failure=forwarding.stuck,
        sentence=SENTENCES[forwarding.stuck] if forwarding.stuck else "",
    )
