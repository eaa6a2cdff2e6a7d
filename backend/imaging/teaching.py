"""Copies for teaching: somebody asks for those of one study, and says why; once the patient agrees they go
de-identified, through the queue."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.consultation.rules import require_text
from backend.errors import Conflict, ConsentRequired, NotFound
from backend.events import Event
from backend.imaging.forwarding import Forwarding, TransferView, transfer_view
from backend.imaging.quarantine import LONGEST_REASON, NO_SUCH_STUDY, Quarantine
from backend.imaging.rules import StudyState
from backend.imaging.tables import (
    ImagingDestination,
    ImagingForwarding,
    ImagingStudy,
    ImagingTransfer,
    Purpose,
    sent_by_machine,
)
from backend.imaging.transfer_rules import Failure, TransferState
from backend.people import ConsentKind
from backend.security.policy import Action, Actor

MAY_RELEASE = ("consent.given", "consent.refused")
"""Events after which copies may go that were asked for before, or never will."""

_DECLINED = "患者不同意把检查图像用于教学，不能发送。患者改了主意的话，可以在微信里发“教学用图”。"


class Teaching(Forwarding, Quarantine):
    """The part of `ImagingService` that lets copies for teaching go."""

    async def send_for_teaching(self, actor: Actor, study_id: str, destination_id: str, reason: str) -> TransferView:
        """Let de-identified copies of the images that a study has now go to a destination for teaching. A patient who
        has not said yet whether they agree is asked, and the copies go when they do. Whether an instance may go is
        found out when it is its turn (`transfers` says what became of it); asked again, only what is not there yet
        goes.

        Args:
            reason: why, in words; kept and audited.

        Raises:
            NotFound: no such study of a consultation, or no such destination for teaching.
            Forbidden: it is none of the actor's business.
            InvalidInput: no reason. ConsentRequired: the patient does not agree to it.
            Conflict: nothing is sent to that destination any more.
        """
        said = require_text(reason, "理由", longest=LONGEST_REASON)
        async with self._database.transaction() as session:
            study = await session.get(ImagingStudy, study_id)
            if study is None or study.state is not StudyState.LINKED or study.consultation_id is None:
                raise NotFound(NO_SUCH_STUDY)
            reference = await self._case(actor, study.consultation_id, Action.IMAGING_TEACH)
            agrees = await self._agrees(reference.patient_id)
            destination = await _destination(session, destination_id)
            is_asked = agrees or bool(await _waiting(session, [reference.patient_id]))
            forwarding, _ = await self._forwarding(session, study, destination.id)
            forwarding.asked_by, forwarding.asked_reason = actor.practitioner_id or actor.person_id, said
            await self._audit.record(
                session,
                actor,
                Action.IMAGING_TEACH,
                patient_id=reference.patient_id,
                subject=f"imaging_study:{study.id}",
                reason=f"imaging_destination:{destination.id}: {said}",
            )
            if agrees:
                await self._release(session, forwarding)
            elif not is_asked:
                await self._ask_patient(session, actor, reference, forwarding)
            return await transfer_view(session, forwarding, destination)

    async def _agrees(self, patient_id: str) -> bool:
        """Tell whether the patient agrees, False where they have not said.

        Raises:
            ConsentRequired: they do not, or they took back the consent to care.
        """
        if await self._people.has_consent(patient_id, ConsentKind.TEACHING):
            return True
        declined = await self._people.has_declined(patient_id, ConsentKind.TEACHING)
        if declined or not await self._people.has_consent(patient_id):
            raise ConsentRequired(_DECLINED)
        return False

    async def _ask_patient(
        self, session: AsyncSession, actor: Actor, reference: CaseReference, forwarding: ImagingForwarding
    ) -> None:
        await self._events.publish(
            session,
            "imaging.teaching_asked",
            consultation_id=reference.id,
            patient_id=reference.patient_id,
            destination_id=forwarding.destination_id,
            asked_by=forwarding.asked_by,
            actor_id=actor.person_id,
        )

    async def _on_teaching_consent(self, event: Event) -> None:
        """Let go what waits for the patient's agreement, and let those hear of the answer who asked."""
        person_id, declined = str(event.payload["person_id"]), event.type == "consent.refused"
        if declined and event.payload["kind"] != ConsentKind.TEACHING:
            return
        if not declined and not await self._people.has_consent(person_id, ConsentKind.TEACHING):
            return
        patients = await self._people.spoken_for(person_id)
        async with self._database.transaction() as session:
            waiting = await _waiting(session, patients)
            for forwarding, study in waiting:
                await self._events.publish(
                    session,
                    "imaging.teaching_answered",
                    consultation_id=study.consultation_id,
                    study_id=study.id,
                    destination_id=forwarding.destination_id,
                    asked_by=forwarding.asked_by,
                    agreed=not declined,
                )
            if not declined:
                for forwarding, _study in [*waiting, *await _stopped(session, patients)]:
                    await self._release(session, forwarding)

    async def _release(self, session: AsyncSession, forwarding: ImagingForwarding) -> None:
        """Let go what is not there yet, also what had stayed for want of consent."""
        await self._queue_instances(session, forwarding, sent_by_machine())
        await session.execute(
            update(ImagingTransfer)
            .where(
                ImagingTransfer.forwarding_id == forwarding.id,
                ImagingTransfer.state == TransferState.DEAD,
                ImagingTransfer.failure == Failure.NO_CONSENT,
            )
            .values(
                state=TransferState.WAITING, due_at=self._clock.now(), attempts=0, claim=None, failure=None, status=None
            )
        )
        if forwarding.stuck is Failure.NO_CONSENT:
            forwarding.stuck = None


def _asked_of(patients: Collection[str]) -> Any:
    """Give the query for what somebody asked for of these patients' studies, with each study."""
    return (
        select(ImagingForwarding, ImagingStudy)
        .join(ImagingStudy, ImagingStudy.id == ImagingForwarding.study_id)
        .join(ImagingDestination, ImagingDestination.id == ImagingForwarding.destination_id)
        .where(
            ImagingStudy.patient_id.in_(patients),
            ImagingStudy.state == StudyState.LINKED,
            ImagingDestination.purpose == Purpose.TEACHING,
            ImagingDestination.active,
        )
        .order_by(ImagingForwarding.id)
    )


async def _waiting(session: AsyncSession, patients: Collection[str]) -> Sequence[Any]:
    """Give what was asked for and has not been let go, because the patient has not agreed."""
    transfers = exists().where(ImagingTransfer.forwarding_id == ImagingForwarding.id)
    return (await session.execute(_asked_of(patients).where(~transfers))).all()


async def _stopped(session: AsyncSession, patients: Collection[str]) -> Sequence[Any]:
    """Give what was let go, and stopped on its way because the patient took the consent back."""
    stopped = exists().where(
        ImagingTransfer.forwarding_id == ImagingForwarding.id, ImagingTransfer.failure == Failure.NO_CONSENT
    )
    return (await session.execute(_asked_of(patients).where(stopped))).all()


async def _destination(session: AsyncSession, destination_id: str) -> ImagingDestination:
    """Give a destination for teaching, locked, so that two who ask at once ask one after another."""
    query = select(ImagingDestination).where(
        ImagingDestination.id == destination_id, ImagingDestination.purpose == Purpose.TEACHING
    )
    found: ImagingDestination | None = await session.scalar(query.with_for_update())
    if found is None:
        raise NotFound("没有找到这个教学用的影像系统。")
    if not found.active:
        raise Conflict("这个教学用的影像系统已经停用了。")
    return found
