"""A whole consultation of people with names nobody else has: none of it is in logs, metrics or traces."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from qiaoyi.logs import set_up
from tests.e2e.product import free_port
from tests.support.product import BookedCase, booked_case, running_product
from tests.support.trace_collector import TraceCollector, collecting_traces

PATIENT, PHONE, IDENTITY = "欧阳念慈", "13912345678", "420101197001010020"
WORDS = f"我叫{PATIENT}，电话{PHONE}，胸口像压了块磨盘石"
OPINION = "疑似不稳定型心绞痛磨盘征"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Logging as it was before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


async def consult(case: BookedCase) -> None:
    """Bring a case to its end, with all that people say on the way, and with questions that are refused."""
    product, care = case.product, case.product.house.consultations
    patient, expert = await case.patient.actor(), await case.expert.actor()
    await product.house.people.update_person(patient, patient.person_id, name=PATIENT, phone=PHONE)
    await case.patient.phone.say(WORDS, wait_reply=True)
    await case.patient.log_in(f"/h5/rooms/{case.id}")
    await case.patient.ask("GET", f"/consultations/{case.id}")
    await case.patient.ask("GET", f"/consultations/{patient.person_id}")
    await product.call("GET", f"/people/{PHONE}", token=WORDS.encode().hex())
    forged = f"{product.house.settings.public}/wechat/callback?signature={PHONE}"
    async with product.http.post(forged, data=WORDS.encode()) as answer:
        assert answer.status == 400
    await care.start(expert, case.id)
    await care.post(expert, case.id, text=WORDS)
    await care.record_opinion(expert, case.id, icd10="I20.0", diagnosis=OPINION, plan="住院")
    await care.complete(expert, case.id)
    await case.patient.phone.wait_for(lambda message: "意见" in message.text or "结果" in message.text)


async def test_no_name_number_openid_or_word_is_in_logs_metrics_or_traces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("INFO")
    port = free_port()
    async with (
        collecting_traces() as collector,
        running_product(tmp_path, traces_url=collector.url, metrics_port=port) as product,
    ):
        case = await booked_case(product)
        await consult(case)
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            figures = await answer.text()
    people = (case.patient, case.doctor, case.expert)
    secret = [PATIENT, PHONE, IDENTITY, "磨盘", "李梅", "张强", "王小明", "测试T9医院", "测试路"]
    secret += [one.phone.openid for one in people] + [case.patient.token]
    told = capsys.readouterr().err
    assert leaks(secret, json.dumps(WORDS)) == [PATIENT, PHONE, "磨盘"]
    assert leaks(secret, told) == []
    assert leaks(secret, figures) == []
    assert leaks([*secret, *(one.person_id for one in people), case.id], spoken(collector)) == []
    [refused] = [line for line in map(json.loads, told.splitlines()) if "callback refused" in line["message"]]
    assert refused["trace"] in {span.trace for span in collector.named("POST /wechat/callback")}


def spoken(collector: TraceCollector) -> str:
    """All that the collector was sent, whatever field it stands in."""
    return "\n".join(body.decode("utf-8", "replace") for body in collector.raw)


def leaks(secret: list[str], text: str) -> list[str]:
    """What of it is there, plain or as JSON or an address would escape it."""
    assert text
    forms = {one: (one, json.dumps(one)[1:-1], one.encode().hex()) for one in secret}
    return [one for one, written in forms.items() if any(form in text for form in written)]
