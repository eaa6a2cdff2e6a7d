"""Health records in the running product: a value in chat, and a slip that the reader's own process reads."""

from sandbox.client import SandboxClient
from tests.e2e.product import Product
from tests.support.slips import BLOOD_SLIP, photograph

READING_SECONDS = 200.0
"""The machine may be busy with other tests; loading the models alone takes some seconds."""


async def test_a_value_and_a_photographed_slip_go_from_the_phone_into_the_record(product: Product) -> None:
    async with SandboxClient(product.sandbox_url) as sandbox:
        phone = await sandbox.phone("化验的人")
        await phone.follow()
        await phone.wait_for("您同意吗")
        await phone.tap("同意")
        await phone.say("血压150/95")
        assert "血压150/95mmHg（偏高）" in (await phone.wait_for("记下了")).text
        await phone.send_image(photograph(BLOOD_SLIP).data, "slip.jpg")
        await phone.wait_for("照片收到了")
        await phone.say("这是化验单")
        await phone.wait_for("正在看")
        card = await phone.wait_for("我读到的是", READING_SECONDS)
        assert "白细胞 11.20 10^9/L ↑偏高" in card.text
        await phone.say("第3项是118")
        await phone.wait_for("血红蛋白 118 g/L")
        await phone.tap("都对，记下")
        await phone.wait_for("记下了6项")
    assert "Traceback" not in product.log_file.read_text()
