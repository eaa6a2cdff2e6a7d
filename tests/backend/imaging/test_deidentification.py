"""Copies for teaching: every element that is left over is read, of real files and of files that name their patient in
every element."""

import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pydicom
import pytest
from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom import uid
from pydicom._dicom_dict import DicomDictionary
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from backend.imaging.deidentification import Pseudonyms
from backend.imaging.deidentified_pixels import may_show_who
from backend.imaging.frames import read_frame
from backend.imaging.teaching_copy import NotForTeaching, plan_copy
from backend.imaging.transfer_rules import Failure
from backend.rendering import DecodedFrame, decode
from tests.support.imaging import as_file, ct_slice

EDITION = "dicomfields_2026c"
TABLE = dicom_anonymization_database_selector(EDITION)
TABLED = {Tag(tag[0], tag[1]) for tag in TABLE["ALL_TAGS"]}
KEY = b"a key of thirty-two bytes, really"
PATIENT = "0190aaaabbbbccccddddeeeeffff0000"
CANARY = "CANARY"
CANARY_UID = "1.2.3.271828"
CANARY_NUMBER = 27182
# How the canary looks in a value of each kind.
CANARIES: dict[str, Any] = {
    "UI": CANARY_UID,
    "DA": "19710203",
    "DT": "19710203040506",
    "TM": "040506.271828",
    "AS": "071Y",
    "DS": str(CANARY_NUMBER),
    "IS": str(CANARY_NUMBER),
    "FL": float(CANARY_NUMBER),
    "FD": float(CANARY_NUMBER),
    "AT": 0x00100010,
} | dict.fromkeys(("US", "SS", "UL", "SL", "UV", "SV"), CANARY_NUMBER)
BYTES = {"OB", "OW", "OD", "OF", "OL", "OV", "UN"}
# What says how the pixels are read, and what the file is: seeding these would make another file of it.
STRUCTURAL = {"SpecificCharacterSet", "SOPClassUID"}

# Texts about the machine, which pass where the table does not name them.
MACHINE = ["ConvolutionKernel", "SequenceName", "RescaleType", "CodingSchemeDesignator", "CodingSchemeVersion"]
MACHINE += ["FilterType", "ImagedNucleus", "ReceiveCoilName", "TransmitCoilName", "WindowCenterWidthExplanation"]
MACHINE += ["ContrastBolusRoute", "LUTExplanation", "ModalityLUTType", "PulseSequenceName", "Radiopharmaceutical"]
MACHINE += ["StackID", "CodeValue", "CodeMeaning", "Manufacturer", "ManufacturerModelName"]
DUMMIES = {"ANONYMIZED", "000Y", "http://anonymized.invalid", "19000101", "19000101000000", "000000", "b'Anonymized'"}
# What identifies nobody there, and stands in what passes as well: the manufacturer's name, a value of Image Type.
PASSING = {"TOSHIBA", "WHOLE BODY"}
DUMMIES |= {Pseudonyms(KEY).patient(PATIENT)}
TELLING = {"PN", "LT", "ST", "UT", "UC", "UR", "UN", "AE", "AS", "DA", "DT", "TM"}
NUMBERS = {"SQ", "US", "SS", "UL", "SL", "FL", "FD", "DS", "IS", "AT", "OB", "OW", "UN"}
# Images of pydicom's own that are taken in: every one whose pixels are decoded here.
REAL = [
    "693_J2KI",
    "CT_small",
    "JPEG2000",
    "JPEGLSNearLossless_08",
    "JPEGLSNearLossless_16",
    "MR_small",
    "MR_small_RLE",
    "MR_small_implicit",
    "MR_small_jp2klossless",
    "MR_small_jpeg_ls_lossless",
    "MR_small_padded",
    "SC_rgb_rle",
    "SC_rgb_rle_16bit",
    "SC_rgb_rle_2frame",
    "SC_rgb_small_odd",
    "SC_ybr_full_422_uncompressed",
    "examples_jpeg2k",
    "examples_overlay",
    "examples_palette",
    "examples_rgb_color",
]


def assert_tells_of_nobody(element: DataElement) -> None:
    """That an element which is left over is of no kind that could name somebody, unless it is a known dummy."""
    assert not element.tag.is_private
    assert element.tag.group & 0xFF00 not in (0x5000, 0x6000)
    assert element.VR not in TELLING or element.is_empty or str(element.value) in DUMMIES, element


def canary(tag: BaseTag, representation: str, inner: bool = True) -> DataElement:
    """An element of this kind that names its patient, in a nested data set where it is a sequence."""
    if representation == "SQ":
        item = Dataset()
        if inner:
            item.PatientName, item.PatientComments, item.ReferencedSOPInstanceUID = CANARY, CANARY, CANARY_UID
            item.TextValue = item.CodeMeaning = CANARY
        return DataElement(tag, "SQ", Sequence([item]))
    if representation in BYTES:
        return DataElement(tag, representation, (CANARY * 4).encode())
    return DataElement(tag, representation, CANARIES.get(representation, CANARY))


def safe(dataset: FileDataset) -> FileDataset:
    dataset.BurnedInAnnotation = dataset.RecognizableVisualFeatures = "NO"
    return dataset


async def copy_of(file: bytes, key: bytes = KEY) -> bytes:
    """Make the copy of a file as the service does."""
    plan = plan_copy(io.BytesIO(file), len(file), Pseudonyms(key), PATIENT)

    async def native(start: int, end: int) -> AsyncIterator[bytes]:
        for at in range(start, end, 1001):  # cuts pixels in two
            yield file[at : min(at + 1001, end)]

    async def frame(number: int) -> DecodedFrame:
        return decode(read_frame(io.BytesIO(file), number))

    return b"".join([piece async for piece in plan.stream(native, frame)])


def read(file: bytes) -> FileDataset:
    return pydicom.dcmread(io.BytesIO(file))


def every(dataset: Dataset) -> Iterator[DataElement]:
    """Every element, also of the nested data sets and of the file meta information."""
    for element in [*getattr(dataset, "file_meta", Dataset()), *dataset]:
        yield element
        for item in element.value if element.VR == "SQ" else ():
            yield from every(item)


def defined() -> list[tuple[BaseTag, str]]:
    """Every element of table E.1-1 with its representation; texts where the dictionary does not know it yet."""
    known = []
    for tag in TABLE["ALL_TAGS"]:
        place = Tag(tag[0], tag[1])
        try:
            known.append((place, dictionary_VR(place).split(" or ")[-1]))
        except KeyError:
            known.append((place, "LO"))
    return known


def seeded(elements: list[tuple[BaseTag, str]]) -> FileDataset:
    """A CT slice with a canary in each of these, at the top and in a nested data set, and in the rest of the file."""
    dataset, inside = safe(ct_slice()), Dataset()
    for tag, representation in elements:
        structural = tag.group in (0x0028, 0x7FE0) and tag not in TABLED  # of the pixels
        if tag.group in (0, 2) or tag.element == 0 or structural:
            continue  # 0 and 2 are no groups of a data set
        if pydicom.datadict.keyword_for_tag(tag) not in STRUCTURAL:
            dataset[tag] = canary(tag, representation)
            inside[tag] = canary(tag, representation, inner=False)
    dataset.ReferencedImageSequence = Sequence([inside])
    dataset.add_new(0x60000010, "US", CANARY_NUMBER)
    dataset.private_block(0x0011, CANARY, create=True).add_new(1, "LO", CANARY)
    dataset.preamble = (CANARY * 30)[:128].encode()
    dataset.file_meta.SourceApplicationEntityTitle = CANARY
    dataset.file_meta.PrivateInformationCreatorUID = uid.UID(CANARY_UID)
    dataset.file_meta.PrivateInformation = CANARY.encode()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.add_new(0xFFFCFFFC, "OB", CANARY.encode())
    return dataset


def test_the_table_names_what_the_standard_names() -> None:
    """The whole table is taken from the library: a few rows of it, from the standard itself."""
    rows = {
        "X_TAGS": [0x00081030, 0x00104000, 0x00321032, 0x00380500, 0x04000561],
        "Z_TAGS": [0x00080020, 0x00080050, 0x00080090, 0x00100010, 0x00100030, 0x00100040],
        "Z_D_TAGS": [0x00100020, 0x00080023],
        "U_TAGS": [0x00080018, 0x0020000D, 0x0020000E, 0x00200052],
        "X_Z_U_STAR_TAGS": [0x00081140, 0x00082112],
    }
    for name, tags in rows.items():
        assert {Tag(tag) for tag in tags} <= {Tag(tag[0], tag[1]) for tag in TABLE[name]}
    assert len(TABLE["ALL_TAGS"]) > 650
    whole_groups = {tag[0] for tag in TABLE["ALL_TAGS"] if len(tag) == 4}
    assert whole_groups == {0x5000, 0x6000}


async def test_no_element_of_the_table_keeps_what_it_said() -> None:
    dataset = seeded(defined())
    file = as_file(dataset)
    assert file.count(CANARY.encode()) > 500
    made = await copy_of(file)
    assert CANARY.encode() not in made
    assert CANARY_UID.encode() not in made
    copy = read(made)
    removed = {Tag(tag[0], tag[1]) for tag in TABLE["X_TAGS"]}
    emptied = {Tag(tag[0], tag[1]) for tag in TABLE["Z_TAGS"]} - {Tag("PatientName")}
    for element in every(copy):
        assert element.tag not in removed
        assert element.tag not in emptied or element.is_empty
        if element.tag in TABLED and not element.is_empty:
            assert element.value != CANARIES.get(element.VR), element


async def test_no_element_of_the_whole_dictionary_carries_a_text_a_date_or_an_identifier_through() -> None:
    representations = ((Tag(tag), entry[0].split(" or ")[-1]) for tag, entry in DicomDictionary.items())
    # Codes in capitals pass, as long as they are no name of the patient's.
    dataset = seeded([one for one in representations if one[0] < 0x60000000 and one[1] != "CS"])
    dataset.Manufacturer = dataset.ManufacturerModelName = "Siemens"
    for keyword in MACHINE:
        for place in (dataset, dataset.ReferencedImageSequence[0]):
            setattr(place, keyword, "Machine")
    file = as_file(dataset)
    assert file.count(CANARY.encode()) > 4000
    made = await copy_of(file)
    copy = read(made)
    assert CANARY_UID.encode() not in made
    for element in every(copy):
        assert_tells_of_nobody(element)
    assert CANARY.encode() not in made


@pytest.mark.parametrize("name", REAL)
async def test_nothing_of_a_real_file_that_identifies_is_in_its_copy(name: str) -> None:
    path = str(get_testdata_file(f"{name}.dcm", download=False))
    original = safe(pydicom.dcmread(path))
    made = await copy_of(as_file(original))
    copy = read(made)
    header = made[: -len(copy.PixelData)]
    looked_for = 0
    for element in every(original):
        if element.VR in NUMBERS or not (element.tag in TABLED or element.tag.is_private):
            continue
        for value in map(str, element.value if element.VM > 1 else [element.value]):
            if len(value) > 3 and not value.startswith("1.2.840.10008.") and value not in PASSING:
                assert value.encode() not in header, element
                looked_for += 1
    assert looked_for
    for element in every(copy):
        assert_tells_of_nobody(element)
    assert copy.PatientIdentityRemoved == "YES"
    assert copy.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert copy.LongitudinalTemporalInformationModified == "REMOVED"
    assert copy.file_meta.MediaStorageSOPInstanceUID == copy.SOPInstanceUID
    assert np.array_equal(copy.pixel_array, pydicom.dcmread(path).pixel_array)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("liver_1frame", Failure.NO_IMAGE),  # a segmentation
        ("rtdose_1frame", Failure.NO_IMAGE),
        ("test-SR", Failure.NO_IMAGE),
        ("waveform_ecg", Failure.NO_IMAGE),
        ("examples_ybr_color", Failure.NOT_CLEANED),  # JPEG, which is not decoded here
    ],
)
async def test_what_is_no_image_or_cannot_be_decoded_does_not_go(name: str, why: Failure) -> None:
    dataset = safe(pydicom.dcmread(str(get_testdata_file(f"{name}.dcm", download=False))))
    with pytest.raises(NotForTeaching) as refusal:
        await copy_of(as_file(dataset))
    assert refusal.value.failure is why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"BurnedInAnnotation": "NO"}, None),
        ({"BurnedInAnnotation": "YES"}, Failure.BURNED_IN),
        ({"BurnedInAnnotation": ""}, Failure.BURNED_IN),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, Failure.BURNED_IN),
        ({"ImageType": "ORIGINAL"}, Failure.BURNED_IN),
        ({"ImageType": None}, Failure.BURNED_IN),
        ({"ConversionType": "WSD"}, Failure.BURNED_IN),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, Failure.BURNED_IN),
        ({"SOPClassUID": uid.UltrasoundImageStorage}, Failure.BURNED_IN),
        ({"SOPClassUID": uid.UltrasoundImageStorage, "BurnedInAnnotation": "NO"}, None),
        ({"SOPClassUID": uid.XRayAngiographicImageStorage}, Failure.BURNED_IN),
        ({"SOPClassUID": uid.ComputedRadiographyImageStorage}, Failure.BURNED_IN),
        ({"SOPClassUID": uid.SecondaryCaptureImageStorage, "BurnedInAnnotation": "NO"}, Failure.RECOGNIZABLE),
        ({"SOPClassUID": uid.VLPhotographicImageStorage, "BurnedInAnnotation": "NO"}, Failure.RECOGNIZABLE),
        ({"RecognizableVisualFeatures": "YES"}, Failure.RECOGNIZABLE),
        ({"SOPClassUID": uid.EncapsulatedPDFStorage, "BurnedInAnnotation": "NO"}, Failure.NO_IMAGE),
    ],
)
def test_only_a_picture_that_shows_nobodys_name_and_face_goes(changes: dict[str, Any], why: Failure | None) -> None:
    dataset = ct_slice(**changes)
    assert may_show_who(dataset, has_pixels=True) is why


async def test_bits_beside_the_pixels_and_bytes_behind_them_do_not_go() -> None:
    dataset = safe(ct_slice(BitsStored=12, HighBit=11, PixelRepresentation=0))
    values = np.frombuffer(dataset.PixelData, "<u2") & 0x0FFF
    overlay = values | 0x8000  # an overlay in the highest bit, as older machines keep it
    dataset.PixelData = overlay.astype("<u2").tobytes() + CANARY.encode()
    made = await copy_of(as_file(dataset))
    assert CANARY.encode() not in made
    assert np.array_equal(np.frombuffer(read(made).PixelData, "<u2"), values)


@pytest.mark.parametrize(("stored", "high"), [(12, 11), (12, 15), (10, 12)])
@pytest.mark.parametrize("signed", [0, 1])
async def test_values_of_pixels_stay_wherever_their_bits_lie(stored: int, high: int, signed: int) -> None:
    low = high - stored + 1
    values = np.arange(128 * 128) % 2**stored - (2 ** (stored - 1) if signed else 0)
    dataset = safe(ct_slice(BitsStored=stored, HighBit=high, PixelRepresentation=signed))
    field = ((values & (2**stored - 1)) << low).astype("<u2")
    dataset.PixelData = (field | np.uint16(0xFFFF ^ (2**stored - 1) << low)).tobytes()
    copied = np.frombuffer(read(await copy_of(as_file(dataset))).PixelData, "<i2" if signed else "<u2")
    assert np.array_equal(copied >> low, values)
    assert not (copied & (2**low - 1)).any()


async def test_the_same_is_replaced_by_the_same_and_nobody_without_the_key_can_tell_by_what() -> None:
    first, second = (safe(ct_slice(number)) for number in (1, 2))
    second.ReferencedImageSequence = Sequence([Dataset()])
    second.ReferencedImageSequence[0].ReferencedSOPClassUID = first.SOPClassUID
    second.ReferencedImageSequence[0].ReferencedSOPInstanceUID = first.SOPInstanceUID
    one, again, other = [read(await copy_of(as_file(each))) for each in (first, first, second)]
    assert one == again
    assert one.StudyInstanceUID == other.StudyInstanceUID
    assert one.PatientID == other.PatientID
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert other.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert uid.UID(one.SOPInstanceUID).is_valid
    elsewhere = read(await copy_of(as_file(first), b"another institution's key, longer"))
    assert elsewhere.StudyInstanceUID != one.StudyInstanceUID
    assert elsewhere.PatientID != one.PatientID


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientName": "王小明", "Manufacturer": "王小明影像", "SpecificCharacterSet": "ISO_IR 192"},
        {"PatientName": "Wang^Xiaoming", "ManufacturerModelName": "of WANG"},
        {"PatientID": "QL-7781", "ConvolutionKernel": "QL-7781"},
    ],
)
async def test_a_name_where_none_belongs_stops_the_copy(changes: dict[str, Any]) -> None:
    with pytest.raises(NotForTeaching) as refusal:
        await copy_of(as_file(safe(ct_slice(**changes))))
    assert refusal.value.failure is Failure.NOT_CLEANED


async def test_an_enhanced_image_keeps_what_each_frame_needs() -> None:
    dataset = safe(ct_slice(SOPClassUID=uid.EnhancedCTImageStorage, NumberOfFrames=2))
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.PixelData *= 2
    frames = []
    for number in (1, 2):
        content, position, frame = Dataset(), Dataset(), Dataset()
        content.FrameAcquisitionDateTime, content.FrameComments = "20260102030405", CANARY
        content.DimensionIndexValues = [1, number]
        position.ImagePositionPatient = [0, 0, number]
        frame.FrameContentSequence, frame.PlanePositionSequence = Sequence([content]), Sequence([position])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    copy = read(await copy_of(as_file(dataset)))
    groups = copy.PerFrameFunctionalGroupsSequence
    assert [group.PlanePositionSequence[0].ImagePositionPatient[2] for group in groups] == [1, 2]
    assert [group.FrameContentSequence[0].DimensionIndexValues[1] for group in groups] == [1, 2]
    assert {str(group.FrameContentSequence[0].FrameAcquisitionDateTime) for group in groups} == {"19000101000000"}
    assert "FrameComments" not in groups[0].FrameContentSequence[0]
    assert len(copy.PixelData) == len(dataset.PixelData)
