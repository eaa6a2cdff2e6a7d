"""Sending by C-STORE (PS3.7, section 9.1.1): one association for a few instances.

The library loses a response now and then, and says so by an answer without a status: the association is then ended, and
what is left is sent over another.
"""

import asyncio
import io
import logging
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import pydicom
from pydicom import uid
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when the module is loaded

from backend.imaging.delivery import Answer, Parcel, Probe, StoreAddress
from backend.imaging.transfer_rules import Failure

log = logging.getLogger(__name__)

_LARGEST_PDU = 128 * 1024
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 10.0
_SLOWEST_BYTES_PER_SECOND = 50_000
_ENDING_SECONDS = 5.0
_ASSOCIATIONS = 2
_NATIVE = [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian]
_NO_CONTEXT, _NOT_AS_ENCODED = 0x0122, 0xC122
# PS3.8, table 9-21: rejected for good by the service user, because it does not know one of the two AE titles.
_PERMANENT, _SERVICE_USER = 0x01, 0x01


async def send_by_store(address: StoreAddress, parcels: Sequence[Parcel]) -> Answer:
    """Send instances over one association, or two where a response gets lost. One instance is held in memory."""
    answer = Answer()
    for _ in range(_ASSOCIATIONS):
        left = [parcel for parcel in parcels if parcel.sop_instance_uid not in answer.statuses]
        answer.failure = await _send(address, left, answer.statuses)
        if answer.failure is not Failure.AWAY:
            break
    return answer


async def echo(address: StoreAddress) -> Probe:
    """Ask by C-ECHO (PS3.7, section 9.1.5) whether anybody is there who knows us."""
    return await asyncio.to_thread(_echo, address)


def _echo(address: StoreAddress) -> Probe:
    association = _associated(address, [build_context(Verification)], _ANSWER_SECONDS)
    if not association.is_established:
        failure = _why_not(association, (), {}) or Failure.WRONG_ADDRESS  # it is no DICOM that takes no C-ECHO
        return Probe(failure, _rejection(association))
    try:
        answer = association.send_c_echo()
    except (RuntimeError, OSError):  # the association has ended
        return Probe(Failure.AWAY, "association ended")
    finally:
        _end(association)
    if "Status" not in answer:
        return Probe(Failure.AWAY, "no response to C-ECHO")
    return Probe(None if answer.Status == 0 else Failure.WRONG_ADDRESS, f"C-ECHO 0x{answer.Status:04X}")


def _rejection(association: Any) -> str:
    if association.is_rejected:
        rejection = association.acceptor.primitive
        return f"association rejected: {rejection.source_str}, {rejection.reason_str}"
    if association.rejected_contexts:
        return "association without C-ECHO"
    return "no association"


async def _send(address: StoreAddress, parcels: Sequence[Parcel], statuses: dict[str, int]) -> Failure | None:
    """Send what can be sent over one association, and write down what is answered; give what ended it early."""
    association = await asyncio.to_thread(_associate, address, parcels)
    if not association.is_established:
        return _why_not(association, parcels, statuses)
    accepted = {
        (str(context.abstract_syntax), str(context.transfer_syntax[0])) for context in association.accepted_contexts
    }
    try:
        for parcel in parcels:
            refusal = _refusal(parcel, accepted)
            if refusal is None:
                file = b"".join([piece async for piece in parcel.open()])
                refusal = await asyncio.to_thread(_store, association, file)
            if refusal is None:
                return Failure.AWAY
            statuses[parcel.sop_instance_uid] = refusal
    finally:
        await asyncio.to_thread(_end, association)
    return None


def _associate(address: StoreAddress, parcels: Sequence[Parcel]) -> Any:
    contexts = []
    for sop_class in {parcel.sop_class_uid for parcel in parcels}:
        stored = {parcel.transfer_syntax for parcel in parcels if parcel.sop_class_uid == sop_class}
        contexts += [build_context(sop_class, syntax) for syntax in [*_NATIVE, *sorted(stored - set(_NATIVE))]]
    # Short, because a lost response costs as much; it runs from when the library begins to send.
    longest = max(parcel.size for parcel in parcels)
    return _associated(address, contexts, _ANSWER_SECONDS + longest / _SLOWEST_BYTES_PER_SECOND)


def _associated(address: StoreAddress, contexts: list[Any], seconds: float) -> Any:
    """Give an association, established or not, in which an answer is waited for so long."""
    entity = AE(ae_title=address.own_ae_title)
    entity.maximum_pdu_size = _LARGEST_PDU
    entity.connection_timeout = entity.acse_timeout = _CONNECT_SECONDS
    entity.dimse_timeout = entity.network_timeout = seconds
    association = entity.associate(
        address.host,
        address.port,
        contexts=contexts,
        ae_title=address.ae_title,
        max_pdu=_LARGEST_PDU,
        evt_handlers=[(evt.EVT_CONN_OPEN, _send_at_once)],
    )
    if not association.is_established:
        _let_go(association)
    return association


def _end(association: Any) -> None:
    (association.release if association.is_established else association.abort)()
    _let_go(association)


def _let_go(association: Any) -> None:
    """Close the socket of an association that has ended: the library leaves it open where the peer broke off, because
    its shutdown fails then and the close behind that is left out."""
    if association.dul.is_alive():
        association.dul.join(_ENDING_SECONDS)
    opened = getattr(association, "opened", None)
    if opened is not None:
        opened.close()


def _why_not(association: Any, parcels: Iterable[Parcel], statuses: dict[str, int]) -> Failure | None:
    if association.is_rejected:
        rejection = association.acceptor.primitive
        known = (rejection.result, rejection.result_source) == (_PERMANENT, _SERVICE_USER)
        return Failure.WRONG_ADDRESS if known else Failure.AWAY
    if association.rejected_contexts and not association.accepted_contexts:
        statuses |= {parcel.sop_instance_uid: _NO_CONTEXT for parcel in parcels}
        return None
    return Failure.AWAY


def _refusal(parcel: Parcel, accepted: set[tuple[str, str]]) -> int | None:
    """Give the status of what need not be sent, because the association has no presentation context for it."""
    syntaxes = {parcel.transfer_syntax} if parcel.transfer_syntax not in _NATIVE else set(map(str, _NATIVE))
    if any((parcel.sop_class_uid, str(syntax)) in accepted for syntax in syntaxes):
        return None
    return _NOT_AS_ENCODED


def _store(association: Any, file: bytes) -> int | None:
    """Send one, and give its status; None where there is no answer."""
    dataset = pydicom.dcmread(io.BytesIO(file))
    try:
        answer = association.send_c_store(dataset)
    except (RuntimeError, OSError):  # the association has ended
        return None
    return int(answer.Status) if "Status" in answer else None


def _send_at_once(event: Any) -> None:
    """Send small messages without waiting to fill a packet, which costs 40 ms each; keep the socket for `_let_go`."""
    event.assoc.opened = event.assoc.dul.socket.socket
    event.assoc.opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
