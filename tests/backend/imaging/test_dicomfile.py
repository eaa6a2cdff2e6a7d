"""Reading one instance: what it is, and what is wrong with it."""

import contextlib
import io
import struct
from pathlib import Path
from typing import Any

import pydicom
import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.filewriter import write_file_meta_info

from backend.imaging.contentdigest import NATIVE_FORM, decoded_digest
from backend.imaging.dicomfile import Instance, read_instance, valid_uid
from backend.imaging.headers import read_header
from backend.imaging.reasons import Reason, Unacceptable
from backend.imaging.texts import PatientData
from tests.support.imaging import as_file, ct_slice, of_patient

SAMPLES = Path(pydicom.data.__file__).parent / "test_files"
CHARACTER_SETS = Path(pydicom.data.__file__).parent / "charset_files"


def read(file: bytes) -> Instance:
    return read_instance(io.BytesIO(file), len(file))


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def reason_of(file: bytes) -> Reason:
    with pytest.raises(Unacceptable) as error:
        read(file)
    return error.value.reason


def test_what_an_instance_is_of_is_read_from_its_header() -> None:
    name = "Wang^Xiaoming=王^小明"
    said = of_patient(name, sex="M", born="19560312", patient_number="P1", accession="HZ20261121-0001")
    found = read(as_file(ct_slice(5, study=2, SeriesNumber=4, SeriesDescription="平扫", **said)))
    assert found.patient == PatientData("P1", name, "M", "19560312")
    assert found.accession_number == "HZ20261121-0001"
    assert (found.modality, found.series_number, found.instance_number) == ("CT", 4, 5)
    assert found.series_description == "平扫"
    assert (found.rows, found.columns, found.frames, found.pixel_form) == (128, 128, 1, NATIVE_FORM)


WRITTEN = [
    ("GB18030", "gb18030"),
    ("GBK", "gbk"),
    ("ISO_IR 192", "utf-8"),
    ("ISO_IR 100", "gbk"),  # what they say, and what they write
    ("", "gb18030"),
    ("", "utf-8"),
]


@pytest.mark.parametrize(("declared", "encoding"), WRITTEN)
def test_chinese_names_are_read_in_every_character_set_that_machines_write(declared: str, encoding: str) -> None:
    name = "欧阳^小明"
    written = name.encode(encoding)
    written += b" " * (len(written) % 2)
    placeholder = "X" * len(written)
    file = as_file(ct_slice(PatientName=placeholder, SpecificCharacterSet=declared or None))
    assert read(file.replace(placeholder.encode(), written)).patient.name == name


@pytest.mark.parametrize("transfer_syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
@pytest.mark.parametrize(("declared", "encoding"), WRITTEN)
def test_metadata_is_read_in_the_same_character_sets(declared: str, encoding: str, transfer_syntax: str) -> None:
    """The second byte of 誠 is a backslash in GBK: it separates no values."""
    words = {"A" * 12: "王秀英", "B" * 12: "胸部平扫", "C" * 12: "右肺", "D" * 12: "誠"}
    code = Dataset()
    code.CodeMeaning = "C" * 12
    dataset = ct_slice(
        PatientName="A" * 12,
        StudyDescription="B" * 12,
        PatientComments="D" * 12,
        AnatomicRegionSequence=[code],
        SpecificCharacterSet=declared or None,
    )
    file = as_file(dataset, transfer_syntax)
    for placeholder, word in words.items():
        written = word.encode(encoding)
        file = file.replace(placeholder.encode(), written.ljust(len(placeholder)))
    told = read_header(io.BytesIO(file))
    assert told["00100010"]["Value"] == [{"Alphabetic": "王秀英"}]
    assert told["00081030"]["Value"] == ["胸部平扫"]
    assert told["00104000"]["Value"] == ["誠"]
    assert told["00082218"]["Value"][0]["00080104"]["Value"] == ["右肺"]
    assert told.get("00080005", {"Value": ["ISO_IR 192"]})["Value"] == ["ISO_IR 192"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("chrX1.dcm", "Wang^XiaoDong=王^小東="),
        ("chrX2.dcm", "Wang^XiaoDong=王^小东="),
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ],
)
def test_names_of_the_standards_own_examples_are_read(name: str, said: str) -> None:
    assert read((CHARACTER_SETS / name).read_bytes()).patient.name == said


def test_nothing_that_names_the_patient_is_shown_where_an_instance_is_logged() -> None:
    found = read(
        as_file(ct_slice(StudyDescription="DDDD", **of_patient("NNNN", patient_number="PPPP", accession="AAAA")))
    )
    assert not any(word in repr(found) for word in ("NNNN", "PPPP", "AAAA", "DDDD"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_meta.dcm", Reason.NOT_DICOM),
        ("README.txt", Reason.NOT_DICOM),
        ("zipMR.gz", Reason.NOT_DICOM),
        ("meta_missing_tsyntax.dcm", Reason.NO_TRANSFER_SYNTAX),
        ("image_dfl.dcm", Reason.UNKNOWN_TRANSFER_SYNTAX),  # deflated
        ("MR_truncated.dcm", Reason.CUT_OFF),
        ("rtplan_truncated.dcm", Reason.CUT_OFF),
        ("SC_rgb_jpeg.dcm", Reason.OTHER_TRANSFER_SYNTAX),
        ("UN_sequence.dcm", Reason.MISSING_IDENTIFIER),
        ("badVR.dcm", Reason.UNREADABLE),
    ],
)
def test_a_file_that_is_not_right_is_refused_for_its_reason(name: str, reason: Reason) -> None:
    assert reason_of(sample(name)) is reason


@pytest.mark.parametrize("empty", [b"", b"DICM", bytes(128), bytes(128) + b"DICM"])
def test_what_is_no_file_at_all_is_refused(empty: bytes) -> None:
    assert reason_of(empty) in (Reason.NOT_DICOM, Reason.NO_TRANSFER_SYNTAX)


@given(st.binary(max_size=2_000))
def test_no_rubbish_is_taken_for_an_instance(rubbish: bytes) -> None:
    reason_of(rubbish)
    reason_of(bytes(128) + b"DICM" + rubbish)


FILE = as_file(ct_slice())
COMPRESSED = as_file(ct_slice(), uid.JPEGLSLossless)


@given(st.sampled_from([FILE, COMPRESSED]), st.data())
def test_a_file_that_was_cut_off_anywhere_is_refused(file: bytes, data: st.DataObject) -> None:
    reason_of(file[: data.draw(st.integers(0, len(file) - 1))])


@given(st.sampled_from([FILE, COMPRESSED]), st.data())
def test_a_damaged_file_is_read_or_refused_and_never_stops_the_reader(file: bytes, data: st.DataObject) -> None:
    damaged = bytearray(file)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(132, len(file) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Unacceptable):
        assert read(bytes(damaged)).size == len(file)


@given(st.integers(1, 128 * 128 * 2), st.integers(1, 255))
def test_a_changed_pixel_is_told_by_its_digest(from_the_end: int, change: int) -> None:
    changed = bytearray(FILE)
    changed[-from_the_end] ^= change
    assert read(bytes(changed)).pixel_digest != read(FILE).pixel_digest


@pytest.mark.parametrize("name", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", ["", "1.02.3", "1..2", "1.2.", "abc", "1." + "2" * 63])
def test_an_identifier_that_is_none_is_refused(name: str, value: str) -> None:
    one = ct_slice()
    setattr(one, name, value)
    written = io.BytesIO()
    one.save_as(written)
    expected = Reason.INVALID_IDENTIFIER if value else Reason.MISSING_IDENTIFIER
    assert reason_of(written.getvalue()) is expected


@pytest.mark.parametrize(
    ("value", "valid"), [("1.2.840.10008.1.2", True), ("0.1", True), ("1", False), ("1.2\n", False)]
)
def test_what_an_identifier_looks_like(value: str, valid: bool) -> None:
    assert valid_uid(value) is valid


def test_a_refused_instance_is_named_as_far_as_it_could_be_read() -> None:
    with pytest.raises(Unacceptable) as error:
        read(as_file(ct_slice(StudyInstanceUID="1.02")))
    assert error.value.sop_instance_uid == ct_slice().SOPInstanceUID


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian),
        (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian),
        (uid.ExplicitVRBigEndian, uid.ExplicitVRLittleEndian),
        (uid.JPEGLSLossless, uid.ExplicitVRLittleEndian),
        (uid.ExplicitVRLittleEndian, uid.JPEGLSLossless),
    ],
)
def test_a_data_set_in_another_syntax_than_it_says_is_refused(said: str, written: str) -> None:
    """Sizes and tags read the wrong way round lead anywhere: what matters is that it is not taken."""
    file = as_file(ct_slice(), written)
    meta = pydicom.dcmread(io.BytesIO(file)).file_meta
    length = meta.FileMetaInformationGroupLength
    meta.TransferSyntaxUID = uid.UID(said)
    head = io.BytesIO()
    write_file_meta_info(head, meta)  # type: ignore[arg-type]  # a file is all that it needs
    first = 132 + 12 + length
    assert reason_of(bytes(128) + b"DICM" + head.getvalue() + file[first:]) in (
        Reason.OTHER_TRANSFER_SYNTAX,
        Reason.CUT_OFF,
        Reason.UNREADABLE,
    )


def test_pixels_shorter_than_the_header_says_are_cut_off() -> None:
    one = ct_slice()
    one.PixelData = one.PixelData[:-2]
    assert reason_of(as_file(one)) is Reason.CUT_OFF


def test_a_header_that_nests_without_end_is_refused() -> None:
    nested = b"\xfe\xff\x00\xe0" + b"\xff" * 4
    deep = (struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + nested) * 3_000
    at = FILE.index(b"\x08\x00\x16\x00")
    assert reason_of(FILE[:at] + deep) in (Reason.UNREADABLE, Reason.CUT_OFF)


PAIRS = [
    ("MR_small.dcm", "MR_small_RLE.dcm"),
    ("MR_small.dcm", "MR_small_bigendian.dcm"),
    ("MR_small.dcm", "MR_small_implicit.dcm"),
    ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    ("MR_small.dcm", "MR_small_jp2klossless.dcm"),
    ("SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm"),
    ("rtdose.dcm", "rtdose_expb.dcm"),
    ("rtdose.dcm", "rtdose_rle.dcm"),
    ("liver_1frame.dcm", "liver_expb_1frame.dcm"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_an_instance_is_the_same_in_every_transfer_syntax(one: str, other: str) -> None:
    assert read(sample(one)).header_digest == read(sample(other)).header_digest
    assert decoded_digest(io.BytesIO(sample(one))) == decoded_digest(io.BytesIO(sample(other)))


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "rtdose.dcm", "examples_rgb_color.dcm"])
def test_pixels_that_lie_as_they_are_have_the_digest_of_the_decoded_ones(name: str) -> None:
    found = read(sample(name))
    assert found.pixel_form == NATIVE_FORM
    assert found.pixel_digest == decoded_digest(io.BytesIO(sample(name)))


@pytest.mark.parametrize(
    "syntax", [uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEGLSLossless, uid.JPEG2000Lossless]
)
def test_sequences_private_values_and_odd_texts_are_the_same_in_every_transfer_syntax(syntax: str) -> None:
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "T-D3000", "胸部"
    inner = Dataset()
    inner.PurposeOfReferenceCodeSequence = [item, item]
    one = ct_slice(SpecificCharacterSet="GB18030", ReferencedImageSequence=[inner], AnatomicRegionSequence=[item])
    block = one.private_block(0x0199, "QIAOYI TEST", create=True)
    block.add_new(1, "LO", "odd")
    block.add_new(2, "US", 32)
    block.add_new(3, "SQ", [item])
    assert read(as_file(one)).header_digest == read(as_file(one, syntax)).header_digest


@pytest.mark.parametrize(
    "change",
    [
        {"PatientName": "B"},
        {"PatientID": "B"},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"RescaleIntercept": "0"},
        {"AnatomicRegionSequence": [Dataset()]},
        {"PixelRepresentation": 0},
    ],
)
def test_another_content_has_another_digest(change: dict[str, Any]) -> None:
    assert read(as_file(ct_slice(**change))).header_digest != read(FILE).header_digest
