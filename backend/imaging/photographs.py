"""Photographs of a case beside its studies: who sent which; and one of them made an image of a study, where a person
asks for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from backend.clock import local
from backend.consultation import CaseReference
from backend.errors import Conflict, NotFound
from backend.imaging.intake import Intake
from backend.imaging.linking import patient_of
from backend.imaging.photograph_dicom import ISSUER, SEXES, About, instance_uid, secondary_capture, study_uid
from backend.imaging.reasons import Reason, Unacceptable
from backend.imaging.retrieval import Retrieval
from backend.imaging.rules import StudyState
from backend.imaging.tables import ImagingInstance, ImagingStudy
from backend.imaging.texts import PatientData
from backend.photographs import UnfitPicture, thumbnail
from backend.security.policy import SYSTEM, Action, Actor, Role, allowed

_PIECE = 256 * 1024


@dataclass(frozen=True)
class PhotographView:
    """A photograph of a case.

    Args:
        file_id: opens by `ConsultationService.open_file`. converted: whether it is an image of a study too.
    """

    file_id: str
    note: str = field(repr=False)
    sender: str = field(repr=False)
    sent_at: datetime
    converted: bool


class Photographs(Intake, Retrieval):
    """The part of `ImagingService` about photographs."""

    async def photographs(self, actor: Actor, consultation_id: str) -> list[PhotographView]:
        """Give the photographs of a consultation in the order in which they were sent; the read is audited.

        Raises:
            NotFound: there is no such consultation. Forbidden: it is none of the actor's business.
        """
        pictures = await self._consultations.pictures(actor, consultation_id)
        uids = {instance_uid(consultation_id, one.file_id): one.file_id for one in pictures}
        async with self._database.reading() as session:
            query = select(ImagingInstance.sop_instance_uid).where(ImagingInstance.sop_instance_uid.in_(uids))
            converted = {uids[uid] for uid in await session.scalars(query)}
        return [
            PhotographView(one.file_id, one.note, one.sender, one.sent_at, one.file_id in converted) for one in pictures
        ]

    async def photograph_thumbnail(self, actor: Actor, consultation_id: str, file_id: str) -> bytes:
        """Give a photograph of a consultation as a small JPEG.

        Raises:
            NotFound: it does not belong to it. Forbidden: it is none of the actor's business.
        """
        data, _media_type = await self._consultations.open_file(actor, consultation_id, file_id)
        try:
            return await self._in_process(thumbnail, data)
        except UnfitPicture:  # a recording, or a picture from before pictures were cleaned
            raise NotFound("这例会诊里没有这张照片。") from None

    async def may_convert(self, actor: Actor, consultation_id: str) -> bool:
        """Tell whether the actor is one of those who make images of a consultation's photographs."""
        reference = await self._consultations.reference(consultation_id)
        return reference is not None and allowed(
            actor,
            Action.IMAGING_CONVERT,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )

    async def convert_photograph(
        self, actor: Actor, consultation_id: str, file_id: str, *, names_visible: bool
    ) -> PhotographView:
        """Make a photograph an image of a study of its consultation, a DICOM Secondary Capture; it takes the way of
        all images from there. One that is converted already stays as it is.

        Args:
            names_visible: whether the actor sees a name or a number in the picture.

        Raises:
            NotFound: no such photograph in this consultation. Forbidden: the actor does not treat here.
            Conflict: it could not be kept.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_CONVERT)
        for place, one in enumerate(await self.photographs(actor, consultation_id), 1):
            if one.file_id == file_id:
                if not one.converted:
                    await self._convert(actor, reference, place, one, names_visible=names_visible)
                return PhotographView(one.file_id, one.note, one.sender, one.sent_at, converted=True)
        raise NotFound("这例会诊里没有这张照片。")

    async def _convert(
        self, actor: Actor, reference: CaseReference, place: int, picture: PhotographView, *, names_visible: bool
    ) -> None:
        data, media_type = await self._consultations.open_file(actor, reference.id, picture.file_id)
        about = await self._about(reference, place, picture, names_visible=names_visible)
        file = await self._in_process(secondary_capture, data, media_type, about)
        # It arrives like what a machine of the township centre sends, in the name of whoever asked for it.
        sender = Actor(actor.person_id, frozenset({Role.DEVICE}), institution_id=reference.institution_id)
        try:
            await self.receive(sender, _pieces(file))
        except Unacceptable as error:
            # Two who ask at one moment may have answered otherwise: the first one's stays.
            if error.reason is not Reason.OTHER_CONTENT:
                raise Conflict("照片没有存成影像，请稍后再试。") from error

    async def _about(
        self, reference: CaseReference, place: int, picture: PhotographView, *, names_visible: bool
    ) -> About:
        patient = await self._photographed(reference)
        view = await self._consultations.get(SYSTEM, reference.id)
        return About(
            consultation_id=reference.id,
            file_id=picture.file_id,
            patient=patient,
            issuer=ISSUER if patient.patient_id == reference.patient_id else "",
            number=reference.number,
            place=place,
            institution=view.institution_name,
            opened_at=local(view.opened_at),
            sent_at=local(picture.sent_at),
            names_visible=names_visible,
        )

    async def _photographed(self, reference: CaseReference) -> PatientData:
        """Give whom the header says it is of: the same as of the photographs before, for a study is of one patient;
        else the person of the case, under the number by which the other studies of the case know them."""
        async with self._database.reading() as session:
            of_case = (ImagingStudy.consultation_id == reference.id, ImagingStudy.state == StudyState.LINKED)
            rows = (await session.scalars(select(ImagingStudy).where(*of_case).order_by(ImagingStudy.id))).all()
        for row in rows:
            if row.study_uid == study_uid(reference.id):
                return patient_of(row)
        person = await self._people.person(SYSTEM, reference.patient_id)
        number = next((row.dicom_patient_id for row in rows if row.dicom_patient_id), reference.patient_id)
        born = f"{person.birth_date:%Y%m%d}" if person.birth_date else ""
        return PatientData(number, person.name, SEXES.get(person.sex, ""), born)


async def _pieces(file: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(file), _PIECE):
        yield file[start : start + _PIECE]
