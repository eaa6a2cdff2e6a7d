"""Pages whose network lets nothing through but a TURN server, on coturn with the configuration that we ship."""

import asyncio
import ssl
import time
from typing import Any

import pytest
from aiortc import RTCIceServer

from media.forwarding import RtpForwarding
from media.turn import VALID_SECONDS, credentials, relays
from tests.media.pages import Page, Told, join, running
from tests.support.coturn import SECRET, Coturn, running_coturn
from tests.support.waiting import eventually


def test_without_a_turn_server_a_page_is_told_of_none() -> None:
    assert relays([], "", time.time) == []


def test_credentials_differ_each_time_and_say_when_they_end() -> None:
    first, second = credentials("secret", 1000.9), credentials("secret", 1000.9)
    assert first.username != second.username
    assert first.password != second.password
    assert first.username.startswith(f"{1000 + VALID_SECONDS}:")


def _relays(coturn: Coturn, transport: str, *, secret: str = SECRET, late: float = 0) -> list[dict[str, Any]]:
    return relays([coturn.url(transport)], secret, lambda: time.time() - late)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_page_behind_a_relay_sees_and_is_seen(transport: str) -> None:
    async with running_coturn() as coturn, running(RtpForwarding(Told())) as forwarding:
        (expert,) = await join(forwarding, "r", "expert")
        patient = Page(forwarding, "r", "patient", _relays(coturn, transport))
        await patient.publish()
        await patient.subscribe()
        assert (await expert.picture("patient")).size > 0
        assert (await patient.picture("expert")).size > 0
        await eventually(lambda: coturn.log.count("ALLOCATE processed, success") >= 2)


@pytest.mark.parametrize("wrong", [{"late": VALID_SECONDS + 60}, {"secret": "another"}], ids=["expired", "forged"])
async def test_credentials_that_are_not_good_open_no_relay(wrong: dict[str, Any]) -> None:
    async with running_coturn() as coturn, running(RtpForwarding(Told())) as forwarding:
        patient = Page(forwarding, "r", "patient", _relays(coturn, "udp", **wrong))
        await patient.publish()
        assert "a=candidate" not in patient.connections["publish"].localDescription.sdp
        assert "ALLOCATE processed, success" not in coturn.log


async def test_a_relay_leads_nowhere_but_to_the_media_processes() -> None:
    async with running_coturn(media_address="203.0.113.9") as coturn, running(RtpForwarding(Told())) as forwarding:
        patient = Page(forwarding, "r", "patient", _relays(coturn, "udp"))
        await patient.publish()
        await eventually(lambda: "error 403: Forbidden IP" in coturn.log, timeout=20)
        assert patient.connections["publish"].iceConnectionState != "completed"


async def test_tls_is_spoken_on_its_port() -> None:
    async with running_coturn() as coturn:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection(coturn.address, coturn.tls_port, ssl=context)
        assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_media_process_behind_address_translation_asks_for_its_public_address() -> None:
    async with running_coturn() as coturn:
        stun = [RTCIceServer(f"stun:{coturn.address}:{coturn.port}")]
        async with running(RtpForwarding(Told(), lambda: stun)) as forwarding:
            offer = await forwarding.publish("r", "expert")
            assert "typ srflx" in offer.sdp
