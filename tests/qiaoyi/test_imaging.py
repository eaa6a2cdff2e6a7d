"""A township centre's images in a running product: from the machine to the expert's card, and out again."""

import email
import io
from pathlib import Path

import numpy as np
import pydicom

from backend.imaging.linking import SETTLED_AFTER, SETTLED_TIMER
from backend.security.policy import SYSTEM
from tests.support.imaging import ROOT_UID, as_file, ct_slice, of_patient
from tests.support.processes import free_port
from tests.support.product import BookedCase, Member, RunningProduct, booked_case, running_product
from tests.support.programs import run_program
from tests.support.waiting import eventually

STUDY = f"{ROOT_UID}.1"
SERIES = f"{STUDY}/series/{ROOT_UID}.1.1"
RELATED = 'multipart/related; type="application/dicom"'


async def view(member: Member, path: str, accept: str = "") -> tuple[int, str, bytes]:
    """Ask for something below the studies as somebody who has opened their card."""
    headers = {"Authorization": f"Bearer {member.token}"} | ({"Accept": accept} if accept else {})
    url = f"{member.product.house.settings.public}/dicomweb/view/studies{path}"
    async with member.product.http.get(url, headers=headers) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.read()


def parts(content_type: str, body: bytes) -> list[bytes]:
    """Give what is in the parts of an answer."""
    message = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]  # type: ignore[misc]


async def number_of(case: BookedCase) -> str:
    return (await case.product.house.consultations.get(SYSTEM, case.id)).number


async def institution_of(case: BookedCase) -> str:
    institution_id = (await case.doctor.actor()).institution_id
    assert institution_id is not None
    return institution_id


async def settled(product: RunningProduct) -> None:
    """Let the time pass after which a study is told of."""
    await eventually(lambda: product.has_timer(SETTLED_TIMER))
    await product.wechat.client.advance(SETTLED_AFTER.total_seconds() + 1)


async def test_a_ct_sent_by_a_modality_is_on_the_experts_phone_and_comes_back_with_identical_pixels(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with running_product(tmp_path, dicom_port=port) as product:
        case = await booked_case(product)
        imaging, township = product.house.imaging, await institution_of(case)
        await imaging.register_store_sender(SYSTEM, township, "放射科CT", "CT1", "127.0.0.0/8")
        said = of_patient("Wang^Xiaoming=王^小明", accession=await number_of(case))
        sent = {one.SOPInstanceUID: one for one in (ct_slice(number, **said) for number in range(1, 6))}
        files = [tmp_path / f"{number}.dcm" for number in range(len(sent))]
        for path, one in zip(files, sent.values(), strict=True):
            path.write_bytes(as_file(one))
        status, output = await run_program("storescu", "-aet", "CT1", "-aec", "QIAOYI", "127.0.0.1", str(port), *files)
        assert status == 0, output
        await settled(product)

        assert await case.expert.open_card("检查图像到了", "/h5/viewer/") == case.id
        await case.doctor.open_card("检查图像到了", "/h5/viewer/")
        told = await case.patient.phone.wait_for(lambda message: "检查图像" in message.text)
        assert "/h5/viewer/" not in told.raw.get("url", "")

        status, kind, body = await view(case.expert, f"/{STUDY}", f"{RELATED}; transfer-syntax=*")
        assert (status, kind.partition(";")[0]) == (200, "multipart/related")
        found = [pydicom.dcmread(io.BytesIO(part)) for part in parts(kind, body)]
        assert {one.SOPInstanceUID for one in found} == set(sent)
        for one in found:
            assert np.array_equal(one.pixel_array, sent[one.SOPInstanceUID].pixel_array)
