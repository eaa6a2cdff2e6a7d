"""Key images in a running product: marked on the page's API, pictures on the other side's phone."""

from pathlib import Path

from backend.imaging.keyimages import KEY_IMAGES_TIMER, QUIET_FOR
from backend.security.policy import SYSTEM
from tests.qiaoyi.test_imaging import institution_of, number_of, settled
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.product import booked_case, running_product
from tests.support.waiting import eventually


async def test_what_the_doctor_marks_comes_to_the_experts_phone_as_pictures(tmp_path: Path) -> None:
    async with running_product(tmp_path) as product:
        case = await booked_case(product)
        imaging = product.house.imaging
        token = (await imaging.register_stow_sender(SYSTEM, await institution_of(case), "放射科CT")).token
        machine = await imaging.sender_of_token(token)
        assert machine is not None
        slices = [ct_slice(one, **of_patient("王^小明", accession=await number_of(case))) for one in (1, 2)]
        for one in slices:
            await imaging.receive(machine, streamed(as_file(one)))
        await settled(product)
        await case.doctor.open_card("检查图像到了", "/h5/viewer/")
        await case.expert.phone.say("我的任务", wait_reply=True)  # opens the window in which pictures may be sent
        for one in slices:
            body = {"instance": one.SOPInstanceUID, "window": {"center": 40, "width": 400}}
            status, marked = await case.doctor.ask("POST", f"/consultations/{case.id}/key-images", body)
            assert (status, marked["marker"]) == (201, "李梅医生")
        await eventually(lambda: product.has_timer(KEY_IMAGES_TIMER))
        # What was only announced so far has come by now and has used up pushes; a word brings them back.
        await case.expert.phone.say("我的任务", wait_reply=True)
        await product.wechat.client.advance(QUIET_FOR.total_seconds() + 1)
        words = await case.expert.phone.wait_for("李梅医生在图像里标了2张关键图", after=0)

        async def came() -> bool:
            later = [one for one in await case.expert.phone.messages(0) if one.seq > words.seq]
            return [one.kind for one in later] == ["image", "image"]

        await eventually(came)
