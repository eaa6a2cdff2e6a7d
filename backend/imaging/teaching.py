"""Copies for teaching: somebody asks for those of one study, and says why; they go de-identified, through the queue."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import require_text
from backend.errors import Conflict, ConsentRequired, NotFound
from backend.imaging.forwarding import Forwarding, TransferView, transfer_view
from backend.imaging.quarantine import LONGEST_REASON, NO_SUCH_STUDY, Quarantine
from backend.imaging.rules import StudyState
from backend.imaging.tables import ImagingDestination, ImagingStudy, Purpose, sent_by_machine
from backend.people import ConsentKind
from backend.security.policy import Action, Actor


class Teaching(Forwarding, Quarantine):
    """The part of `ImagingService` that lets copies for teaching go."""

    async def send_for_teaching(self, actor: Actor, study_id: str, destination_id: str, reason: str) -> TransferView:
        """Let de-identified copies of the images that a study has now go to a destination for teaching. Whether an
        instance may go is found out when it is its turn (`transfers` says what became of it); asked again, only what
        is not there yet goes.

        Args:
            reason: why, in words; kept and audited.

        Raises:
            NotFound: no such study of a consultation, or no such destination for teaching.
            Forbidden: it is none of the actor's business.
            InvalidInput: no reason. ConsentRequired: the patient has not agreed to it.
            Conflict: nothing is sent to that destination any more.
        """
        said = require_text(reason, "理由", longest=LONGEST_REASON)
        async with self._database.transaction() as session:
            study = await session.get(ImagingStudy, study_id)
            if study is None or study.state is not StudyState.LINKED or study.consultation_id is None:
                raise NotFound(NO_SUCH_STUDY)
            reference = await self._case(actor, study.consultation_id, Action.IMAGING_TEACH)
            if not await self._people.has_consent(reference.patient_id, ConsentKind.TEACHING):
                raise ConsentRequired(
                    "患者还没有同意把检查图像用于教学，不能发送。患者可以在微信里发“教学用图”，看过说明再决定。"
                )
            destination = await _destination(session, destination_id)
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
            await self._queue_instances(session, forwarding, sent_by_machine())
            return await transfer_view(session, forwarding, destination)


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
