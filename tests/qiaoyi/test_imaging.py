"""A township centre's images in a running product: from the machine to the expert's card, and out again."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom

from backend.imaging.linking import SETTLED_AFTER, SETTLED_TIMER
from backend.security.policy import SYSTEM, Role
from tests.support.dicomweb import Answer
from tests.support.imaging import ROOT_UID, as_file, ct_slice, of_patient
from tests.support.processes import free_port
from tests.support.product import BookedCase, Member, RunningProduct, booked_case, running_product
from tests.support.programs import run_program
from tests.support.waiting import eventually

STUDY = f"{ROOT_UID}.1"
FIRST = f"/{STUDY}/series/{ROOT_UID}.1.1/instances/{ROOT_UID}.1.1.1"
RELATED = 'multipart/related; type="application/dicom"'


async def view(member: Member, path: str, accept: str = "") -> Answer:
    """Ask for something below the studies as somebody who has opened their card."""
    headers = {"Authorization": f"Bearer {member.token}"} | ({"Accept": accept} if accept else {})
    url = f"{member.product.house.settings.public}/dicomweb/view/studies{path}"
    async with member.product.http.get(url, headers=headers) as answer:
        return Answer(answer.status, answer.headers["Content-Type"], await answer.read(), dict(answer.headers))


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

        answer = await view(case.expert, f"/{STUDY}", f"{RELATED}; transfer-syntax=*")
        assert (answer.status, answer.media_type) == (200, "multipart/related")
        found = [pydicom.dcmread(io.BytesIO(content)) for _, content in answer.parts()]
        assert {one.SOPInstanceUID for one in found} == set(sent)
        for one in found:
            assert np.array_equal(one.pixel_array, sent[one.SOPInstanceUID].pixel_array)


async def test_what_comes_over_dicomweb_is_compressed_and_seen_by_those_who_take_part_alone(tmp_path: Path) -> None:
    async with running_product(tmp_path) as product:
        case = await booked_case(product)
        imaging, public = product.house.imaging, product.house.settings.public
        token = (await imaging.register_stow_sender(SYSTEM, await institution_of(case), "放射科CT")).token
        sent = ct_slice(**of_patient("王^小明", accession=await number_of(case)))
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + as_file(sent) + b"\r\n--b--\r\n"
        headers = {"Content-Type": f"{RELATED}; boundary=b"}
        for authorization, status in ((f"Bearer {token}", 200), ("Bearer wrong", 401)):
            given = headers | {"Authorization": authorization}
            async with product.http.post(f"{public}/dicomweb/studies", data=body, headers=given) as answer:
                assert answer.status == status
                assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        await settled(product)
        await case.expert.open_card("检查图像到了", "/h5/viewer/")

        async def is_compressed() -> bool:
            return (await imaging.savings(SYSTEM)).instances == 1

        await eventually(is_compressed)
        query = f"?consultation={case.id}"
        assert (await view(case.expert, query)).status == 200
        [(kind, samples)] = (await view(case.expert, f"{FIRST}/frames/1")).parts()
        assert (kind.partition(";")[0], samples) == ("application/octet-stream", bytes(sent.PixelData))
        shown = await view(case.expert, f"{FIRST}/rendered")
        assert (shown.media_type, shown.headers["Cache-Control"]) == ("image/png", "no-store")

        stranger = await product.practitioner("赵六", Role.EXPERT, (await case.expert.actor()).institution_id or "")
        await stranger.log_in(f"/h5/viewer/{case.id}")
        for path in (query, f"/{STUDY}/series", f"/{STUDY}", f"{FIRST}/rendered"):
            refused = await view(stranger, path)
            assert (refused.status, json.loads(refused.body)["code"]) == (404, "not_found"), path
        nobody = replace(stranger, token="")
        assert (await view(nobody, query)).status == 401
        machine = replace(stranger, token=token)
        assert (await view(machine, query)).status == 401
