"""Whatever a page answers is an answer to the offer or refused; whatever it sends as control packets harms nobody."""

import asyncio
from functools import cache

from aiortc import RTCBundlePolicy, RTCCertificate, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from media.connections import Subscriber
from media.description import Answer, DescriptionError, Source, read_answer
from media.forwarding import RtpForwarding
from tests.media.pages import Told, running


@cache
def offer_and_answer() -> tuple[str, str]:
    """A publishing offer, and what a page that sends sound and a picture answers."""

    async def make() -> tuple[str, str]:
        async with running(RtpForwarding(Told())) as forwarding:
            offer = (await forwarding.publish("r", "doctor")).sdp
            page = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
            await page.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            for transceiver in page.getTransceivers()[:2]:
                transceiver.direction = "sendonly"
            await page.setLocalDescription(await page.createAnswer())
            answer = page.localDescription.sdp
            await page.close()
        return offer, answer

    return asyncio.run(make())


def test_an_answer_says_what_will_be_sent_and_how_the_page_is_reached() -> None:
    offer, sdp = offer_and_answer()
    answer = read_answer(sdp, offer)
    assert [(r.source, r.ssrc is not None) for r in answer.received] == [
        (Source.AUDIO, True),
        (Source.CAMERA, True),
        (Source.SCREEN, False),
    ]
    assert answer.received[1].rtx_ssrc is not None
    assert answer.transport.dtls.role == "client"
    assert answer.data_port == 5000


@given(st.data())
@settings(max_examples=200)
def test_an_answer_with_lines_lost_doubled_or_spoilt_is_read_or_refused(data: st.DataObject) -> None:
    offer, sdp = offer_and_answer()
    lines = sdp.split("\r\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(offer_and_answer()[1].split("\r\n")) - 5)) % len(lines)
        change = data.draw(st.sampled_from(["drop", "double", "cut", "number", "text"]))
        line = lines[at]
        lines[at : at + 1] = {
            "drop": [],
            "double": [line, line],
            "cut": [line[: data.draw(st.integers(0, 20))]],
            "number": [line.replace("1", "99999999999")],
            "text": [line[:5] + data.draw(st.text(max_size=10))],
        }[change]
    try:
        answer = read_answer("\r\n".join(lines), offer)
    except DescriptionError:
        return
    assert isinstance(answer, Answer)


@given(st.text(max_size=200))
def test_any_text_is_refused_as_an_answer(text: str) -> None:
    try:
        read_answer(text, offer_and_answer()[0])
    except DescriptionError:
        return
    raise AssertionError("that was no answer")


control = st.builds(
    lambda kind, count, body: bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2) + body[: len(body) // 4 * 4],
    st.sampled_from([200, 201, 202, 203, 204, 205, 206]),
    st.integers(0, 31),
    st.binary(max_size=60),
)


@given(st.lists(control, max_size=4).map(b"".join) | st.binary(max_size=60))
@settings(max_examples=200)
def test_any_control_packet_is_taken_or_passed_over(packet: bytes) -> None:
    async def take() -> None:
        subscriber = Subscriber(certificate(), [], lambda: None)
        subscriber._take_rtcp(packet)
        await subscriber.peer.close()

    asyncio.run(take())


@cache
def certificate() -> RTCCertificate:
    return RTCCertificate.generateCertificate()
