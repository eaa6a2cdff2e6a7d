"""Sending by STOW-RS (PS3.18, section 10.5): several instances in one streamed request, each with its own answer."""

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp import hdrs

from backend.imaging.delivery import Answer, Parcel, Probe, StowAddress
from backend.imaging.transfer_rules import Failure

_LONGEST_ANSWER = 8 * 1024**2
_CONNECT_SECONDS = 10.0
# PS3.18, section 10.5.3: Retrieve, Referenced and Failed SOP Sequence, Failure and Warning Reason.
_REFERENCED_SEQUENCE, _FAILED_SEQUENCE = "00081199", "00081198"
_INSTANCE, _FAILURE_REASON, _WARNING_REASON = "00081155", "00081197", "00081196"
_UNKNOWN_FAILURE = 0x0110
_PROBE_SECONDS = 20.0
_JSON = {"application/dicom+json", "application/json"}

_FAILURES = {
    401: Failure.UNAUTHORIZED,
    403: Failure.UNAUTHORIZED,
    407: Failure.UNAUTHORIZED,
    413: Failure.TOO_LARGE,
    429: Failure.AWAY,
}
_REFUSALS = dict.fromkeys((401, 403, 407), Failure.UNAUTHORIZED) | dict.fromkeys(
    (301, 302, 307, 308, 404, 405, 410), Failure.WRONG_ADDRESS
)
"""What a request without instances is answered for another reason than that it has none."""


async def send_by_stow(
    http: aiohttp.ClientSession, address: StowAddress, parcels: Sequence[Parcel], seconds: float
) -> Answer:
    """Send instances in one request.

    Args:
        seconds: that it may take in all.
    """
    boundary = secrets.token_hex(16)
    ends = [_head(boundary, place == 0) for place in range(len(parcels))]
    closing = f"\r\n--{boundary}--\r\n".encode()
    size = sum(map(len, ends)) + sum(parcel.size for parcel in parcels) + len(closing)
    headers = _headers(address, boundary, size)

    async def body() -> AsyncIterator[bytes]:
        for head, parcel in zip(ends, parcels, strict=True):
            yield head
            async for piece in parcel.open():
                yield piece
        yield closing

    limits = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
    request = http.post(f"{address.url}/studies", data=body(), headers=headers, timeout=limits, allow_redirects=False)
    try:
        async with request as response:
            said = bytearray()
            async for piece in response.content.iter_any():
                if len(said) < _LONGEST_ANSWER:
                    said += piece
    except aiohttp.InvalidURL:
        return Answer(failure=Failure.WRONG_ADDRESS)
    except aiohttp.ClientConnectorError:
        return Answer(failure=Failure.AWAY)
    except (aiohttp.ClientOSError, aiohttp.ClientConnectionResetError, aiohttp.ServerDisconnectedError):
        return Answer(failure=await _refusal_of_nothing(http, address, boundary))
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Answer(failure=Failure.AWAY)
    return _understood(response.status, bytes(said), {parcel.sop_instance_uid for parcel in parcels})


async def _refusal_of_nothing(http: aiohttp.ClientSession, address: StowAddress, boundary: str) -> Failure:
    """Give why a destination takes nothing at all from us; AWAY where it did not say so.

    A server may answer and close while the instances are still being sent, and the answer is then lost together with
    the connection (RFC 9112, section 9.6). A request without a body stores nothing, and its answer is heard.
    """
    limits = aiohttp.ClientTimeout(total=_PROBE_SECONDS, sock_connect=_CONNECT_SECONDS)
    headers = _headers(address, boundary, 0)
    try:
        async with http.post(
            f"{address.url}/studies", headers=headers, timeout=limits, allow_redirects=False
        ) as response:
            return _REFUSALS.get(response.status, Failure.AWAY)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Failure.AWAY


def _headers(address: StowAddress, boundary: str, size: int) -> dict[str, str]:
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: f'multipart/related; type="application/dicom"; boundary={boundary}',
        # Told beforehand, because not every server takes a body of unknown length.
        hdrs.CONTENT_LENGTH: str(size),
        hdrs.ACCEPT: "application/dicom+json",
    }
    if address.authorization:
        headers[hdrs.AUTHORIZATION] = address.authorization
    return headers


async def probe(address: StowAddress) -> Probe:
    """Search for one study (QIDO-RS, PS3.18, section 10.6), of which nothing is kept, to see whether one answers."""
    limits = aiohttp.ClientTimeout(total=_PROBE_SECONDS, sock_connect=_CONNECT_SECONDS)
    headers = {hdrs.ACCEPT: "application/dicom+json"}
    if address.authorization:
        headers[hdrs.AUTHORIZATION] = address.authorization
    url = f"{address.url}/studies?limit=1"
    try:
        async with (
            aiohttp.ClientSession(trust_env=False) as http,
            http.get(url, headers=headers, timeout=limits, allow_redirects=False) as response,
        ):
            is_dicomweb = response.status == 204 or response.content_type in _JSON
            return Probe(_failure_of(response.status, is_dicomweb), f"HTTP {response.status} {response.content_type}")
    except aiohttp.InvalidURL:
        return Probe(Failure.WRONG_ADDRESS, "no address")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Probe(Failure.AWAY, type(error).__name__)


def _failure_of(status: int, is_dicomweb: bool) -> Failure | None:
    if status in (200, 204):
        return None if is_dicomweb else Failure.WRONG_ADDRESS
    default = Failure.AWAY if status >= 500 else Failure.WRONG_ADDRESS
    return _FAILURES.get(status, default)


def _head(boundary: str, first: bool) -> bytes:
    return f"{'' if first else chr(13) + chr(10)}--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()


def _understood(status: int, said: bytes, sent: set[str]) -> Answer:
    if status not in (200, 202, 409):
        return Answer(failure=_failure_of(status, is_dicomweb=True))
    try:
        dataset = json.loads(said)
        dataset = dataset[0] if isinstance(dataset, list) else dataset
        statuses = _statuses(dataset, _FAILED_SEQUENCE, _FAILURE_REASON, _UNKNOWN_FAILURE)
        statuses |= _statuses(dataset, _REFERENCED_SEQUENCE, _WARNING_REASON, 0)
    except (ValueError, LookupError, TypeError, AttributeError):
        return Answer(failure=Failure.WRONG_ADDRESS)  # something that is no DICOMweb answers there
    known = {uid: one for uid, one in statuses.items() if uid in sent}
    return Answer(known, None if len(known) == len(sent) else Failure.AWAY)


def _statuses(dataset: Mapping[str, Any], sequence: str, reason: str, default: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in dataset.get(sequence, {}).get("Value", []):
        uid = item.get(_INSTANCE, {}).get("Value", [""])[0]
        value = int(item.get(reason, {}).get("Value", [default])[0])
        found[str(uid)] = value
    return found
