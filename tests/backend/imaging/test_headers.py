"""Headers for viewers: they say what pydicom reads, and are kept once arrivals have paused."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_charset_files, get_testdata_file
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless
from sqlalchemy import func, select

from backend.imaging import ImagingService, InstanceView
from backend.imaging.headers import packed_header, read_header, unpacked_header, written_header
from backend.imaging.tables import ImagingHeader
from backend.security.policy import Actor
from tests.support.clinic import Clinic
from tests.support.imaging import ROOT_UID, as_file, ct_slice, of_patient, streamed

REAL = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "liver_1frame.dcm", "rtplan.dcm",
    "examples_palette.dcm", "examples_rgb_color.dcm", "examples_jpeg2k.dcm", "nested_priv_SQ.dcm",
    "reportsi.dcm", "waveform_ecg.dcm", "693_J2KI.dcm",
)  # fmt: skip
# What says of itself that it is Latin is read as GBK here, where it is valid as that: not a difference of this model.
ASIAN = [file for file in get_charset_files("chr[AHIKX]*.dcm") if "SQ" not in file]


def comparable(told: dict[str, Any]) -> dict[str, Any]:
    """Leave out what either may leave out: group lengths, long binary values, padding, lists that are empty."""
    kept = {tag: one for tag, one in told.items() if tag != "00080005" and tag < "7FE00000" and tag[4:] != "0000"}
    return {tag: _bare(one) for tag, one in kept.items() if len(one.get("InlineBinary", "")) <= 1368}


def _bare(element: dict[str, Any]) -> dict[str, Any]:
    values = [
        comparable(one) if element["vr"] == "SQ" else (one.strip() or None) if isinstance(one, str) else one
        for one in element.get("Value", [])
    ]
    return {**element, "Value": values}


@pytest.mark.parametrize("name", [*REAL, *ASIAN])
def test_a_header_says_what_pydicom_reads(name: str) -> None:
    path = Path(name) if name.startswith("/") else Path(str(get_testdata_file(name, download=False)))
    told = json.loads(written_header(io.BytesIO(path.read_bytes())))
    read = pydicom.dcmread(path)
    expected = comparable(read.to_json_dict(suppress_invalid_tags=True))
    assert told.pop("00083002")["Value"] == [read.file_meta.TransferSyntaxUID]
    assert comparable(told) == expected


def test_a_text_in_gbk_that_says_it_is_latin_is_read() -> None:
    image = ct_slice(PatientName="Wang^Xiaoming", SpecificCharacterSet="ISO_IR 100")
    file = as_file(image).replace(b"Wang^Xiaoming", "王^小明abcdef".encode("gbk"))
    told = read_header(io.BytesIO(file))
    assert told["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "王^小明abcdef"}]}
    assert told["00080005"]["Value"] == ["ISO_IR 192"]


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
def test_look_up_tables_come_whole_and_pixels_never(syntax: str | None) -> None:
    table = Dataset()
    table.add_new(0x00283002, "US", [4096, 0, 16])
    table.add_new(0x00283006, "OW", bytes(range(256)) * 32)
    told = read_header(io.BytesIO(as_file(ct_slice(VOILUTSequence=[table]), syntax)))
    [item] = told["00283010"]["Value"]
    assert base64.b64decode(item["00283006"]["InlineBinary"]) == bytes(range(256)) * 32
    assert item["00283002"] == {"vr": "SS" if syntax else "US", "Value": [4096, 0, 16]}
    assert not any(tag.startswith("7FE0") for tag in told)


def test_numbers_that_json_cannot_say_and_values_that_are_none_are_left_out() -> None:
    image = ct_slice()
    image.add_new(0x00189305, "FD", float("nan"))
    file = as_file(image).replace(b"DS\x06\x00-1024 ", b"DS\x06\x00-1x24 ")
    told = read_header(io.BytesIO(file))
    assert told["00189305"] == {"vr": "FD"}
    assert "00281052" not in told


def test_a_kept_header_says_how_the_instance_is_stored_now() -> None:
    file = io.BytesIO(as_file(ct_slice()))
    packed = packed_header(file)
    assert packed is not None
    assert json.loads(unpacked_header(packed, JPEGLSLossless))["00083002"]["Value"] == [JPEGLSLossless]
    assert json.loads(unpacked_header(packed, "1.2.840.10008.1.2.1")) == json.loads(written_header(file))


async def kept(clinic: Clinic) -> int:
    async with clinic.database.reading() as session:
        return int(await session.scalar(select(func.count()).select_from(ImagingHeader)) or 0)


async def instances(clinic: Clinic, imaging: ImagingService, machine: Actor) -> list[InstanceView]:
    """Let three slices come; give what is stored, for a doctor of their institution."""
    slices: list[FileDataset] = [ct_slice(number, **of_patient("王小明")) for number in range(1, 4)]
    for one in slices:
        await imaging.receive(machine, streamed(as_file(one)))
    study = await imaging.study(await clinic.doctor(), f"{ROOT_UID}.1")
    return await imaging.instances_of(study, limit=10)


async def test_headers_are_kept_once_and_read_the_same_before_and_after(
    clinic: Clinic, imaging: ImagingService, machine: Actor
) -> None:
    stored = await instances(clinic, imaging, machine)
    before = [await imaging.header(one) for one in stored]
    assert await kept(clinic) == 0
    await imaging.keep_headers()
    assert await kept(clinic) == 3
    assert [json.loads(await imaging.header(one)) for one in stored] == [json.loads(one) for one in before]
    imaging._want_header(stored[0].id, stored[0].sealed)  # as a process that does not know
    await imaging.keep_headers()
    assert await kept(clinic) == 3


async def test_what_a_killed_process_did_not_keep_is_kept_after_somebody_has_asked(
    clinic: Clinic, imaging: ImagingService, machine: Actor
) -> None:
    stored = await instances(clinic, imaging, machine)
    imaging._without.clear()
    await imaging.keep_headers()
    assert await kept(clinic) == 0
    await imaging.header(stored[1])
    await imaging.keep_headers()
    assert await kept(clinic) == 1


async def test_what_lies_beside_the_row_is_encrypted(clinic: Clinic, imaging: ImagingService, machine: Actor) -> None:
    await instances(clinic, imaging, machine)
    await imaging.keep_headers()
    async with clinic.database.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT header FROM imaging_headers")
        raw = [bytes(row[0]) for row in rows]
    assert len(raw) == 3
    packed = packed_header(io.BytesIO(as_file(ct_slice(**of_patient("王小明")))))
    assert packed is not None
    assert not any(packed[:8] in one for one in raw)
