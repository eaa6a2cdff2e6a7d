"""C-STORE and C-ECHO (PS3.7, PS3.4 annex B): machines without DICOMweb send here.

pynetdicom serves each association in threads of its own; what has come is handed to the imaging service on the event
loop, and answered when it is durable. Only registered AE titles from their own networks are let in. An AE title is no
secret and DICOM is not encrypted: listen on an address that only the machines' network or a VPN reaches.
"""

import asyncio
import logging
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from pynetdicom import AE, AllStoragePresentationContexts, _config, dimse_messages, evt

from backend.imaging import (
    PROCESSING_FAILURE,
    STATUS,
    TRANSFER_SYNTAXES,
    Announced,
    ImagingService,
    Reason,
    Spool,
    SpoolFailed,
    Unacceptable,
)
from backend.security.policy import Actor

log = logging.getLogger(__name__)

T = TypeVar("T")

_LARGEST_PDU = 128 * 1024
_CALLING_TITLE_UNKNOWN = (0x01, 0x01, 0x03)  # permanent, service user, calling AE title not recognised (PS3.8, 9.3.4)
_VERIFICATION = "1.2.840.10008.1.1"  # the SOP class of C-ECHO (PS3.4, annex A)
_SUCCESS = 0x0000
_ANSWERED = "Sta13"  # refused, aborted or released: only the peer's closing is awaited (PS3.8, 9.2.2)


@dataclass(frozen=True)
class ScpSettings:
    """Where it listens, and how much it takes on.

    Args:
        host, port: of its socket. ae_title: by which it has to be called.
        most_associations: served at once; more are turned away and come again.
        idle_seconds: after which a silent association is ended.
        store_seconds: that storing one instance may take before the sender is told that it failed.
    """

    host: str = "127.0.0.1"
    port: int = 11112
    ae_title: str = "QIAOYI"
    most_associations: int = 20
    idle_seconds: float = 60
    store_seconds: float = 120


class StoreScp:
    """A storage service class provider in front of the imaging service. Make it and use it on the event loop."""

    def __init__(self, imaging: ImagingService, settings: ScpSettings) -> None:
        self._imaging = imaging
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._senders: dict[Any, Actor] = {}
        self._server: Any = None

    @property
    def port(self) -> int:
        """The port on which it listens, once it has started."""
        port: int = self._server.server_address[1]
        return port

    def start(self) -> None:
        """Listen, and serve in threads.

        Raises:
            OSError: the address cannot be used.
        """
        _spool_what_comes()
        settings = self._settings
        entity = AE(ae_title=settings.ae_title)
        entity.require_called_aet = True
        entity.maximum_associations = settings.most_associations
        entity.maximum_pdu_size = _LARGEST_PDU
        entity.acse_timeout = settings.idle_seconds
        entity.dimse_timeout = settings.idle_seconds
        entity.network_timeout = settings.idle_seconds
        entity.add_supported_context(_VERIFICATION)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), list(TRANSFER_SYNTAXES))
        self._server = entity.start_server(
            (settings.host, settings.port),
            block=False,
            evt_handlers=[
                (evt.EVT_CONN_OPEN, _answer_at_once),
                (evt.EVT_REQUESTED, self._requested),
                (evt.EVT_CONN_CLOSE, self._closed),
                (evt.EVT_C_ECHO, lambda _event: _SUCCESS),
                (evt.EVT_C_STORE, self._store),
            ],
        )

    async def stop(self) -> None:
        """End every association and listen no more."""
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(_end, server)

    def _requested(self, event: Any) -> None:
        """Let a registered machine in, and turn others away."""
        association = event.assoc
        primitive = association.requestor.primitive
        title, address = primitive.calling_ae_title.strip(), association.requestor.address
        try:
            sender = self._ask(self._imaging.sender_of_title(title, address))
        except Exception:
            log.exception("sender not looked up")
            sender = None
        if sender is None:
            log.warning("association refused: unknown calling AE title")
            association.acse.send_reject(*_CALLING_TITLE_UNKNOWN)
            association.kill()
            return
        self._senders[association] = sender

    def _closed(self, event: Any) -> None:
        self._senders.pop(event.assoc, None)

    def _store(self, event: Any) -> int:
        """Take one instance, and give the status of the answer (PS3.4, table B.2-1)."""
        request = event.request
        announced = Announced(
            sop_class_uid=str(request.AffectedSOPClassUID), sop_instance_uid=str(request.AffectedSOPInstanceUID)
        )
        sender = self._senders.get(event.assoc)
        if sender is None:
            return PROCESSING_FAILURE
        try:
            self._ask(self._imaging.receive(sender, request._dataset_file.chunks(), announced))
        except Unacceptable as error:
            return STATUS[error.reason]
        except SpoolFailed:
            log.exception("instance not spooled")
            return STATUS[Reason.NO_ROOM]
        except Exception:
            log.exception("instance not stored")
            return PROCESSING_FAILURE
        return _SUCCESS

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the event loop and wait for it in this thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(self._settings.store_seconds)


def _end(server: Any) -> None:
    for association in server.active_associations:
        if association.is_rejected or association.dul.state_machine.current_state == _ANSWERED:
            association.dul.kill_dul()  # there is nothing left to abort, and the peer may never close
        else:
            association.abort()
    server.shutdown()


def _answer_at_once(event: Any) -> None:
    """Send small answers without waiting to fill a packet, which costs 40 ms each."""
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _spool_what_comes() -> None:
    """Let the library hand what comes to a spool of ours instead of a readable file in the temporary folder."""
    _config.STORE_RECV_CHUNKED_DATASET = True
    setattr(dimse_messages, "NamedTemporaryFile", _spool)  # noqa: B010  # no name that the library exports


def _spool(**_options: Any) -> Spool:
    return Spool()
