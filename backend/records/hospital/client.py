"""A client of one hospital's FHIR R4 server: read, search, create, update, transaction.

What comes in is validated off the event loop; what goes out is the caller's to make sound. The sections named below are
of https://hl7.org/fhir/R4/http.html.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode

from aiohttp import hdrs

from backend.clock import Clock
from backend.records.hospital.addresses import same_origin
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.transport import HospitalAddress, Limits, Transport
from backend.records.hospital.validation import (
    EntryAnswer,
    Page,
    Resource,
    read_capabilities,
    read_identity,
    read_page,
    read_resource,
    read_transaction,
)
from backend.worker_processes import WorkerDied, WorkerProcesses

P = ParamSpec("P")
T = TypeVar("T")

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ETAG = re.compile(r'(?:W/)?"([^"]+)"')
_LOCATION = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?/?$")
_RETURN_NOTHING = {"Prefer": "return=minimal"}

Parameters = Sequence[tuple[str, str]]
"""Search parameters in order; a name may come twice."""


@dataclass(frozen=True)
class Found:
    """What a search brought.

    Args:
        left_out: resources that were invalid or not asked for.
        complete: False where there is more than was read, because a bound was reached.
    """

    resources: tuple[Resource, ...]
    left_out: int = 0
    complete: bool = True


@dataclass(frozen=True)
class Versioned:
    """A resource and the version that an update of it has to name."""

    resource: Resource
    version: str


@dataclass(frozen=True)
class Written:
    """Where something was written.

    Args:
        created: False where a conditional create found that it is there already.
        version: "" where the hospital does not tell.
    """

    type: str
    id: str
    version: str
    created: bool


class HospitalClient:
    """One hospital. Close it when done.

    Args:
        validators: processes in which answers are validated; shared by every hospital.
    """

    def __init__(
        self, address: HospitalAddress, clock: Clock, validators: WorkerProcesses, limits: Limits | None = None
    ) -> None:
        self._url = address.url.rstrip("/")
        self._limits = limits or Limits()
        self._transport = Transport(address, clock, self._limits)
        self._validators = validators

    async def close(self) -> None:
        """End the connections."""
        await self._transport.close()

    async def probe(self) -> str:
        """Ask what the server is (section "capabilities") and give its FHIR version.

        Raises:
            HospitalFault: it does not answer, or speaks another version than R4.
        """
        answer = await self._transport.ask(hdrs.METH_GET, f"{self._url}/metadata")
        version = await self._run(read_capabilities, answer.body)
        if not version.startswith("4."):
            raise HospitalFault(FaultCode.NOT_FHIR, "another version of FHIR")
        return version

    async def read(self, type_: str, id_: str) -> Versioned:
        """Read one resource.

        Raises:
            HospitalFault: NOT_FOUND where there is none, else as its code says.
        """
        answer = await self._transport.ask(hdrs.METH_GET, self._at(type_, id_))
        resource = await self._run(read_resource, answer.body, frozenset({type_}))
        if resource["id"] != id_:
            raise HospitalFault(FaultCode.NOT_FHIR, "another resource")
        return Versioned(resource, _version(answer.etag) or _stated_version(resource))

    async def search(self, type_: str, parameters: Parameters, *, most: int | None = None) -> Found:
        """Search, following links to further pages of the same origin, until the end or a bound.

        Args:
            most: resources that are wanted; the bounds of `Limits` hold besides.

        Raises:
            HospitalFault: the first page cannot be had, or a further one is not to be trusted.
        """
        limits = self._limits
        wanted = min(most or limits.resources, limits.resources)
        asked = [*parameters, ("_count", str(min(wanted, limits.page_size)))]
        url = f"{self._url}/{_valid(_TYPE, type_)}?{urlencode(asked)}"
        resources: list[Resource] = []
        left_out, left_bytes = 0, limits.search_bytes
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) == limits.pages or len(resources) >= wanted:
                return Found(tuple(resources[:wanted]), left_out, complete=False)
            seen.add(url)
            try:
                answer = await self._transport.ask(hdrs.METH_GET, url, most_bytes=left_bytes)
            except HospitalFault as fault:
                if fault.fault is FaultCode.TOO_LARGE and resources:
                    return Found(tuple(resources), left_out, complete=False)
                raise
            left_bytes -= len(answer.body)
            page: Page = await self._run(read_page, answer.body, type_)
            resources += page.resources
            left_out += page.left_out
            url = same_origin(self._url, page.next_link) if page.next_link else ""
        return Found(tuple(resources[:wanted]), left_out, complete=len(resources) <= wanted)

    async def create(self, resource: Resource, *, if_none_exist: str) -> Written:
        """Create a resource unless one matches `if_none_exist` ("conditional create"), so that it can be repeated.

        Args:
            if_none_exist: search parameters, percent-encoded, such as `identifier=urn%3Aoid%3A1.2%7C7`.

        Raises:
            HospitalFault: CHANGED where several match already, else as its code says.
        """
        type_ = _valid(_TYPE, str(resource.get("resourceType")))
        headers = _RETURN_NOTHING | {"If-None-Exist": if_none_exist}
        answer = await self._transport.ask(hdrs.METH_POST, f"{self._url}/{type_}", headers=headers, body=resource)
        created = answer.status == 201
        if match := _LOCATION.search(answer.location):
            return Written(type_, match[2], _version(answer.etag) or match[3] or "", created)
        if answer.body:
            id_, version = await self._run(read_identity, answer.body, type_)
            return Written(type_, id_, _version(answer.etag) or version, created)
        return await self._matching(type_, if_none_exist, created)

    async def _matching(self, type_: str, parameters: str, created: bool) -> Written:
        """Find what a conditional create was about, where the hospital did not say."""
        found = await self.search(type_, parse_qsl(parameters), most=2)
        if len(found.resources) != 1:
            raise HospitalFault(FaultCode.CHANGED, f"{len(found.resources)} matches")
        resource = found.resources[0]
        return Written(type_, resource["id"], _stated_version(resource), created)

    async def update(self, resource: Resource, version: str) -> Written:
        """Update a resource that is still of `version` ("managing resource contention").

        Raises:
            HospitalFault: CHANGED where it is of another version, NOT_FOUND where it is gone, else as its code says.
                Where an answer was lost (aiohttp sends a PUT again by itself then) CHANGED may tell of this update, and
                DOWN leaves open whether it was made: read before another try.
        """
        type_, id_ = str(resource.get("resourceType")), str(resource.get("id"))
        headers = _RETURN_NOTHING | {hdrs.IF_MATCH: f'W/"{version}"'}
        answer = await self._transport.ask(
            hdrs.METH_PUT, self._at(type_, id_), headers=headers, body=resource, repeatable=False
        )
        return Written(type_, id_, _version(answer.etag), answer.status == 201)

    async def transaction(self, bundle: Resource, *, repeatable: bool) -> list[Written]:
        """Write a Bundle of type transaction, all of it or nothing.

        Args:
            repeatable: whether every entry says when it is not to be done again (ifNoneExist, ifMatch), so that a
                request whose answer was lost may be made again.

        Returns:
            What became of each entry, in order.

        Raises:
            HospitalFault: nothing of it was written; after SLOW or DOWN that is not known.
        """
        answer = await self._transport.ask(
            hdrs.METH_POST, self._url, headers=_RETURN_NOTHING, body=bundle, repeatable=repeatable
        )
        entries: list[EntryAnswer] = await self._run(read_transaction, answer.body)
        if len(entries) != len(bundle.get("entry", [])):
            raise HospitalFault(FaultCode.NOT_FHIR, "another number of entries")
        return [_entry_written(entry) for entry in entries]

    def _at(self, type_: str, id_: str) -> str:
        return f"{self._url}/{_valid(_TYPE, type_)}/{_valid(_ID, id_)}"

    async def _run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await self._validators.run(work, *arguments, **named)
        except WorkerDied:
            raise HospitalFault(FaultCode.TOO_LARGE, "validation ended") from None


def _valid(shape: re.Pattern[str], text: str) -> str:
    """Give `text` where it may stand in an address. Raises HospitalFault."""
    if shape.fullmatch(text) is None:
        raise HospitalFault(FaultCode.NOT_FOUND, "no identifier")
    return text


def _version(etag: str) -> str:
    match = _ETAG.fullmatch(etag.strip())
    return match[1] if match else ""


def _stated_version(resource: Resource) -> str:
    return str((resource.get("meta") or {}).get("versionId", ""))


def _entry_written(entry: EntryAnswer) -> Written:
    match = _LOCATION.search(entry.location)
    if match is None or not entry.status.startswith("2"):
        raise HospitalFault(FaultCode.NOT_FHIR, "entry without a location")
    return Written(match[1], match[2], _version(entry.etag) or match[3] or "", entry.status.startswith("201"))
