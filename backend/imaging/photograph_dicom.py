"""A photograph as a DICOM object: Secondary Capture Image Storage (PS3.3, A.8.1 and C.8.6).

VL Photographic Image (A.32.4) would be more exact for a wound. But what comes by chat may as well be a film against the
light, a paper or a screen, nobody says which, and VL Photographic says that visible light of the patient made it. A
Secondary Capture is true of all of them, and every PACS takes it.

A JPEG goes in as it lies in the file store (JPEG Baseline, one fragment), so nothing is lost a second time. The same
photograph gives the same bytes whenever it is converted: every identifier is derived, every time is when it was sent.
This runs in the processes that decode.
"""

import io
import uuid
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate

from backend.imaging.texts import PatientData
from backend.rendering import Undecodable

SOP_CLASS = uid.SecondaryCaptureImageStorage
MODALITY = "XC"
"""External-camera Photography (PS3.3, C.7.3.1.1.1)."""
ISSUER = "QIAOYI"
"""Who gives the patient number where no study of the case has the township centre's own."""

_NAMESPACE = uuid.UUID("5c5b1f0e-6d0c-5a57-9e4e-1f4f3c0a9b21")
SEXES = {"male": "M", "female": "F"}


@dataclass(frozen=True)
class About:
    """What the header says beside the pixels.

    Args:
        patient: as the header names them. issuer: who gave their number, where that is known.
        number: of the consultation (at most 16 characters), the accession number. place: that of the photograph in it.
        opened_at, sent_at: when the consultation began and the photograph came; in the zone that the header says.
        names_visible: whether a person has seen a name or a number in the picture.
    """

    consultation_id: str
    file_id: str
    patient: PatientData = field(repr=False)
    issuer: str
    number: str
    place: int
    institution: str
    opened_at: datetime
    sent_at: datetime
    names_visible: bool


def study_uid(consultation_id: str) -> str:
    """Give the Study Instance UID of the photographs of a consultation (PS3.5, B.2: derived from a UUID)."""
    return _derived("study", consultation_id)


def instance_uid(consultation_id: str, file_id: str) -> str:
    """Give the SOP Instance UID of a photograph."""
    return _derived("instance", f"{consultation_id}:{file_id}")


def secondary_capture(data: bytes, media_type: str, about: About) -> bytes:
    """Give a photograph as it is kept (`backend.photographs`) as a file in the DICOM file format.

    Raises:
        Undecodable: it is no such picture.
    """
    dataset = FileDataset("", _header(about), file_meta=FileMetaDataset(), preamble=bytes(128))
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            is_jpeg = media_type == "image/jpeg"
            _describe_pixels(dataset, image)
            if is_jpeg:
                _put_jpeg(dataset, data)
            else:
                dataset.PixelData = _padded(np.asarray(image.convert("L" if image.mode == "L" else "RGB")).tobytes())
                dataset["PixelData"].VR = "OB"
    except (OSError, SyntaxError, ValueError) as error:
        raise Undecodable from error
    syntax = uid.JPEGBaseline8Bit if is_jpeg else uid.ExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = SOP_CLASS
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _header(about: About) -> Dataset:
    told = Dataset()
    told.SpecificCharacterSet = "ISO_IR 192"
    told.SOPClassUID = SOP_CLASS
    told.SOPInstanceUID = instance_uid(about.consultation_id, about.file_id)
    told.TimezoneOffsetFromUTC = f"{about.sent_at:%z}"
    # Patient
    told.PatientName = about.patient.name
    told.PatientID = about.patient.patient_id
    if about.issuer:
        told.IssuerOfPatientID = about.issuer
    told.PatientBirthDate = about.patient.birth_date
    told.PatientSex = about.patient.sex
    # General study
    told.StudyInstanceUID = study_uid(about.consultation_id)
    told.StudyDate, told.StudyTime = _date_and_time(about.opened_at)
    told.ReferringPhysicianName = ""
    told.StudyID = told.AccessionNumber = about.number
    told.StudyDescription = "会诊照片"
    # General series
    told.Modality = MODALITY
    told.SeriesInstanceUID = _derived("series", about.consultation_id)
    told.SeriesNumber = 1
    told.SeriesDescription = "照片"
    # General equipment and SC equipment
    told.InstitutionName = about.institution
    told.ConversionType = "DI"  # from a digital camera (C.8.6.1)
    told.SecondaryCaptureDeviceManufacturer = "Qiaoyi"
    # General image and SC image
    told.InstanceNumber = about.place
    told.PatientOrientation = ""
    told.ImageType = ["DERIVED", "SECONDARY"]
    told.ContentDate, told.ContentTime = _date_and_time(about.sent_at)
    told.DateOfSecondaryCapture, told.TimeOfSecondaryCapture = _date_and_time(about.sent_at)
    told.BurnedInAnnotation = "YES" if about.names_visible else "NO"
    return told


def _describe_pixels(dataset: Dataset, image: Image.Image) -> None:
    is_grey = image.mode == "L"
    dataset.SamplesPerPixel = 1 if is_grey else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if is_grey else "RGB"
    if not is_grey:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = image.height, image.width
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0


def _put_jpeg(dataset: Dataset, data: bytes) -> None:
    if dataset.SamplesPerPixel == 3:
        dataset.PhotometricInterpretation = "YBR_FULL_422"  # of JPEG Baseline with 4:2:2 colour (PS3.5, 8.2.1)
    plain = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{plain / len(data):.2f}"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)


def _date_and_time(moment: datetime) -> tuple[str, str]:
    return f"{moment:%Y%m%d}", f"{moment:%H%M%S}"


def _derived(kind: str, name: str) -> str:
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'{kind}:{name}').int}"
