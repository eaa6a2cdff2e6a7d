"""The rooms lean on these private names; when an upgrade takes one away, this says which and what to do."""

import inspect
import re
from pathlib import Path

import pytest
from aioice.ice import CandidatePair, Connection, StunProtocol
from aioice.turn import TurnTransport
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCSctpTransport
from aiortc.rtcdtlstransport import State
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.sdp import candidate_from_sdp

from media.peer import Peer

METHODS = [
    (CandidatePair, "remote_addr"),
    (Connection, "data_received"),
    (RTCDtlsTransport, "_set_role"),
    (StunProtocol, "connection_made"),
    (TurnTransport, "sendto"),
]


def gone(name: str) -> str:
    return (
        f"{name} is gone: media/peer.py takes media out of the socket through it. Pin the release before, or adapt it."
    )


@pytest.mark.parametrize(("owner", "name"), METHODS)
def test_a_method_that_the_rooms_lean_on_is_there(owner: type, name: str) -> None:
    assert hasattr(owner, name), gone(f"{owner.__name__}.{name}")


async def test_every_attribute_that_the_rooms_lean_on_is_there() -> None:
    ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
    dtls = RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])
    sctp = RTCSctpTransport(dtls)
    connection = getattr(ice, "_connection", None)
    assert isinstance(connection, Connection), gone("RTCIceTransport._connection")
    for owner, name in [
        (connection, "_nominated"),
        (connection, "ice_controlling"),
        (dtls, "_rx_srtp"),
        (dtls, "_tx_srtp"),
        (sctp, "port"),
        (sctp, "mid"),
    ]:
        assert hasattr(owner, name), gone(f"{type(owner).__name__}.{name}")
    assert isinstance(connection._nominated, dict), gone("Connection._nominated as pairs by component")
    protocol = StunProtocol(connection)
    pair = CandidatePair(protocol, candidate_to_aioice(candidate_from_sdp("1 1 udp 1 192.0.2.1 5000 typ host")))
    assert pair.protocol is protocol, gone("CandidatePair.protocol")
    assert "transport" in StunProtocol.__annotations__, gone("StunProtocol.transport")
    assert {state.name for state in State} >= {"CONNECTED", "CLOSED", "FAILED"}, gone("RTCDtlsTransport.state")
    await ice.stop()


def test_datagrams_are_still_handed_to_the_name_that_the_rooms_replace() -> None:
    source = inspect.getsource(StunProtocol.datagram_received)
    assert "self.receiver.data_received(" in source, gone("the call of Connection.data_received for each datagram")


def test_every_private_name_in_the_code_is_listed_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    used = set()
    for module in Path(inspect.getfile(Peer)).parent.glob("*.py"):
        text = module.read_text(encoding="utf-8")
        used |= set(re.findall(r"self\._(?:ice|dtls|sctp|connection|channel)\.(_\w+)", text))
    assert used, "no private name is used any more: this file can go"
    assert {name for name in used if name not in here} == set()
