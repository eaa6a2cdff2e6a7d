"""All pictures of a consultation in one list: attached, answered with, and said in the conversation."""

from sqlalchemy import select

from backend.consultation.desk import own_people, speaker
from backend.consultation.reading import Reading
from backend.consultation.tables import Attachment, Consultation, MessageRow, Supplement
from backend.consultation.views import PictureView
from backend.files import FileView
from backend.security.policy import Action, Actor, Role

_MOST_PICTURES = 200


class Pictures(Reading):
    """The part of `ConsultationService` that lists pictures; `open_file` opens one."""

    async def pictures(self, actor: Actor, consultation_id: str) -> list[PictureView]:
        """Give the pictures of a consultation in the order in which they were sent, at most 200; audited.

        Raises:
            NotFound: there is no such consultation. Forbidden: its record is none of the actor's business.
        """
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_READ_RECORD)
            of_case = select(Attachment.file_id, Attachment.note).where(Attachment.consultation_id == case.id)
            attached = (await session.execute(of_case.limit(_MOST_PICTURES))).all()
            notes: dict[str, str] = {file_id: note for file_id, note in attached}  # noqa: C416  # rows are no pairs
            answers = select(Supplement.file_ids).where(Supplement.consultation_id == case.id)
            notes |= {file_id: "" for ids in await session.scalars(answers) for file_id in ids if file_id not in notes}
            said = select(MessageRow.file_id).where(MessageRow.consultation_id == case.id, MessageRow.kind == "image")
            newest = said.order_by(MessageRow.id.desc()).limit(_MOST_PICTURES)
            notes |= {file_id: "" for file_id in await session.scalars(newest) if file_id not in notes}
            files = await self._files.describe_all(notes)
        pictures = sorted(
            (file for file in files.values() if file.media_type.startswith("image/")),
            key=lambda file: (file.created_at, file.id),
        )[:_MOST_PICTURES]
        senders = await self._senders(case, pictures)
        return [PictureView(file.id, notes[file.id], senders.get(file.id, ""), file.created_at) for file in pictures]

    async def _senders(self, case: Consultation, files: list[FileView]) -> dict[str, str]:
        names = await self._people.practitioner_names({file.owner_id for file in files})
        expert = await self._people.names({case.expert_id} if case.expert_id else set())
        said = {
            owner: speaker(Role.EXPERT if name in expert.values() else Role.GRASSROOTS_DOCTOR, name)
            for owner, name in names.items()
        }
        said |= dict.fromkeys(own_people(case), speaker(Role.PATIENT, ""))
        return {file.id: said.get(file.owner_id, "") for file in files}
