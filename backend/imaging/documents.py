"""What a document of the platform is made on: the header of a study as its images say it, and the images themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import select

from backend.errors import NotFound
from backend.imaging.desk import ImagingDesk
from backend.imaging.dicomfile import read_elements, read_meta
from backend.imaging.randomread import read_object
from backend.imaging.sealing import SealedObject
from backend.imaging.tables import ImagingInstance, ImagingSeries, ImagingStudy, sealed_object, sent_by_machine
from backend.imaging.texts import Texts
from backend.security.policy import Action, Actor, require

HEADER: Mapping[str, int] = {
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "IssuerOfPatientID": 0x00100021,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "PatientAge": 0x00101010,
    "PatientSize": 0x00101020,
    "PatientWeight": 0x00101030,
    "StudyDate": 0x00080020,
    "StudyTime": 0x00080030,
    "AccessionNumber": 0x00080050,
    "ReferringPhysicianName": 0x00080090,
    "StudyDescription": 0x00081030,
    "StudyID": 0x00200010,
}
"""What is the same in every instance of a study: of the modules Patient, Patient Study and General Study (PS3.3,
C.7.1.1, C.7.2.1, C.7.2.2), by keyword."""


@dataclass(frozen=True)
class Reference:
    """An instance that a document may refer to; `modality` of its series, `frames` where it is an image."""

    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    modality: str
    frames: int = 0


@dataclass(frozen=True)
class StudyBasis:
    """What a document in a study has to say as the images do.

    Args:
        header: texts by keyword, as one image says them; "" where it does not.
        evidence: the instances that were there, without the platform's own documents, in order.
        body_part: Body Part Examined of the first series that says it.
    """

    study_uid: str
    header: Mapping[str, str] = field(repr=False)
    evidence: tuple[Reference, ...] = field(repr=False)
    body_part: str


class Documents(ImagingDesk):
    """The part of `ImagingService` that documents of the platform are made on and read from.

    It is for the platform alone; who may see a document is decided by what it is a document of.
    """

    async def basis(self, actor: Actor, study_id: str, until: datetime) -> StudyBasis:
        """Give what a document is made on: of what had come `until` then, so that it is the same whenever it is asked.

        Raises:
            Forbidden: the actor is not the platform. NotFound: there is no such study, or nothing had come.
        """
        require(actor, Action.IMAGING_FILE_DOCUMENT)
        async with self._database.reading() as session:
            study = await session.get(ImagingStudy, study_id)
            query = (
                select(ImagingInstance, ImagingSeries)
                .join(ImagingSeries, ImagingSeries.id == ImagingInstance.series_id)
                .where(ImagingInstance.study_id == study_id, ImagingInstance.received_at <= until, sent_by_machine())
            )
            order = (ImagingSeries.number, ImagingSeries.series_uid, ImagingInstance.number, ImagingInstance.id)
            found = (await session.execute(query.order_by(*order))).all()
        if study is None or not found:
            raise NotFound("没有找到这份检查。")
        sealed = sealed_object(found[0][0])
        return StudyBasis(
            study_uid=study.study_uid,
            header=await read_object(self._objects, sealed, lambda file: _header(file, sealed)),
            evidence=tuple(
                Reference(series.series_uid, row.sop_class_uid, row.sop_instance_uid, series.modality, row.frames)
                for row, series in found
            ),
            body_part=next((series.body_part for _, series in found if series.body_part), ""),
        )

    async def document(self, actor: Actor, study_id: str, sop_instance_uid: str) -> bytes | None:
        """Give a document of the platform as the file that it is; None where it is not there yet.

        Raises:
            Forbidden: the actor is not the platform.
        """
        require(actor, Action.IMAGING_FILE_DOCUMENT)
        async with self._database.reading() as session:
            query = select(ImagingInstance).where(
                ImagingInstance.study_id == study_id,
                ImagingInstance.sop_instance_uid == sop_instance_uid,
                ~sent_by_machine(),
            )
            row = await session.scalar(query)
        if row is None:
            return None
        return b"".join([piece async for piece in self._objects.get(sealed_object(row))])


def _header(file: BinaryIO, sealed: SealedObject) -> dict[str, str]:
    syntax = read_meta(file)
    texts = Texts(read_elements(file, sealed.size, syntax))
    return {keyword: texts.get(tag) for keyword, tag in HEADER.items()}
