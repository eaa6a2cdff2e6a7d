"""CT slices for measuring: a real image of 512 x 512 (of pydicom's own), varied."""

import io
from copy import deepcopy

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

EDGE = 512


def ct_series(count: int, accession: str, patient_name: str) -> list[bytes]:
    """Give the files of one series, uncompressed, about 560 kB each: each slice is rolled by its number and lies 1 mm
    from the next; its header is a real one of some 250 elements."""
    template, values = _template()
    study = str(generate_uid())[:50].rstrip(".")
    files = []
    for number in range(1, count + 1):
        dataset = deepcopy(template)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"{study}.1.{number}")
        dataset.InstanceNumber = number
        dataset.ImagePositionPatient = [-180, -180, number]
        dataset.AccessionNumber, dataset.PatientName = accession, patient_name
        dataset.PixelData = np.roll(values, number, axis=0).tobytes()
        written = io.BytesIO()
        dataset.save_as(written, enforce_file_format=True)
        files.append(written.getvalue())
    return files


def _template() -> tuple[FileDataset, "np.ndarray[tuple[int, int], np.dtype[np.int16]]"]:
    """A rich header, and the pixels of the larger image with the scanner's noise of the lowest bits kept."""
    header = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    del header[0xFFFCFFFC]  # padding after the pixels
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientSex = header.PatientBirthDate = ""
    header.Rows = header.Columns = EDGE
    header.PixelSpacing, header.SliceThickness = [0.7, 0.7], 1
    header.SeriesDescription, header.SeriesNumber = "1 mm", 1
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pixels = pydicom.dcmread(str(get_testdata_file("693_J2KI.dcm", download=False))).pixel_array
    return header, pixels.astype("<i2")
