"""Imaging to test on: the service on a clinic, and made studies of real images."""

import io
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset

from backend.events import EventBus
from backend.imaging import FolderStore, ImagingService, ObjectStore, SealedObjects
from backend.reporting import CriticalValueService, ReportDocuments, ReportService
from backend.timers import Timers
from tests.support.clinic import Clinic

ROOT_UID = "1.2.826.0.1.3680043.8.498"


def imaging_on(clinic: Clinic, store: ObjectStore) -> ImagingService:
    """Wire the imaging service on a clinic's parts."""
    return ImagingService(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.timers,
        clinic.audit,
        clinic.people,
        clinic.care,
        SealedObjects(store),
        clinic.files,
    )


def reports_on(clinic: Clinic, imaging: ImagingService) -> ReportService:
    """Wire the reports of that imaging service."""
    return ReportService(
        clinic.database, clinic.clock, clinic.events, clinic.audit, clinic.people, clinic.care, imaging
    )


def critical_values_on(clinic: Clinic, imaging: ImagingService) -> CriticalValueService:
    """Wire the critical values of that imaging service."""
    return CriticalValueService(
        clinic.timers,
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.audit,
        clinic.people,
        clinic.care,
        imaging,
    )


def documents_on(clinic: Clinic, imaging: ImagingService, reports: ReportService) -> ReportDocuments:
    """Wire the documents of those reports."""
    return ReportDocuments(
        clinic.database,
        clinic.clock,
        clinic.events,
        clinic.audit,
        clinic.people,
        clinic.care,
        imaging,
        reports,
        public_url="https://qiaoyi.example",
    )


def beside(clinic: Clinic) -> Clinic:
    """Give a clinic's parts as another process has them: on the same database, with events and timers of its own."""
    database, clock = clinic.database, clinic.clock
    return replace(clinic, events=EventBus(database, clock), timers=Timers(database, clock))


def folder_store(folder: Path) -> FolderStore:
    """Give the default store in a folder of the test."""
    return FolderStore(folder / "objects")


@cache
def _template() -> FileDataset:
    return pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))


def ct_slice(number: int = 1, *, study: int = 1, series: int = 1, **changes: Any) -> FileDataset:
    """Give a CT slice made of pydicom's, other pixels and identifiers for each number; `changes` by keyword."""
    dataset = deepcopy(_template())
    dataset.StudyInstanceUID = f"{ROOT_UID}.{study}"
    dataset.SeriesInstanceUID = f"{ROOT_UID}.{study}.{series}"
    dataset.SOPInstanceUID = f"{ROOT_UID}.{study}.{series}.{number}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.InstanceNumber = number
    pixels = np.roll(dataset.pixel_array, number, axis=0)
    dataset.PixelData = pixels.tobytes()
    del dataset[0xFFFCFFFC]  # padding after the pixels
    for name, value in changes.items():
        setattr(dataset, name, value)
    return dataset


def of_patient(
    name: str, *, sex: str = "", born: str = "", patient_number: str = "", accession: str = ""
) -> dict[str, Any]:
    """Give the header elements that say whom a slice is of."""
    return {
        "SpecificCharacterSet": "GB18030",
        "PatientName": name,
        "PatientSex": sex,
        "PatientBirthDate": born,
        "PatientID": patient_number,
        "AccessionNumber": accession,
    }


def as_file(dataset: FileDataset, transfer_syntax: str | None = None) -> bytes:
    """Give the data set as a file, in another transfer syntax where one is named."""
    if transfer_syntax is not None:
        dataset = deepcopy(dataset)
        syntax = pydicom.uid.UID(transfer_syntax)
        if syntax.is_encapsulated:
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = syntax
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


async def streamed(file: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    """Stream a file in pieces."""
    for start in range(0, len(file), size):
        yield file[start : start + size]
