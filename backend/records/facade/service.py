"""The façade: reading and searching what the sources hold, with every read in the audit log."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden, NotFound
from backend.fhir.elements import Resource, instant
from backend.fhir.searching import Found, FoundPage, ResourceSource, Search, SearchParameter
from backend.records.facade.capability import capability_statement
from backend.records.facade.cursors import Cursor, seal, unseal
from backend.records.facade.outcomes import UnknownType, outcome
from backend.records.facade.parameters import IDENTIFIER, MOST_COUNT, SearchRequest, Understood, understand
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor

_CHANGED = date(2026, 11, 22)
_OURS = re.compile(r"[0-9a-f]{32}")
_NOT_THERE = "没有找到这份资料。"


class Facade:
    """Resources of FHIR R4 over what the subjects hold.

    Args:
        sources: all there are; several may give the same type. How one is added: docs/fhir.md.
        base: the address below which resources are read, without a slash at its end.
        software: our version.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        sources: Iterable[ResourceSource],
        base: str,
        software: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._base = base
        self._software = software
        self._sources: dict[str, list[ResourceSource]] = {}
        for source in sources:
            self._sources.setdefault(source.type, []).append(source)

    def capability(self) -> Resource:
        """Describe what can be read and how it can be searched."""
        types = {name: (self._parameters(name).values(), self._orders(name)) for name in self._sources}
        return capability_statement(types, self._base, self._software, _CHANGED)

    async def read(self, actor: Actor, type_: str, resource_id: str) -> Resource:
        """Give one resource; the read is audited.

        Raises:
            UnknownType: there are none of this type. Forbidden: the actor may see none of them.
            NotFound: there is none of this identifier, or none that the actor may see.
        """
        sources = self._of(type_)
        if IDENTIFIER.fullmatch(resource_id) is None:
            raise NotFound(_NOT_THERE)
        found = await self._first(actor, sources, resource_id)
        await self._record(actor, sources[0].action, {found.patient_id}, f"fhir:{type_}/{resource_id}")
        return _versioned(found.resource)

    async def search(self, actor: Actor, request: SearchRequest) -> Resource:
        """Give a page of what fits and what the actor may see, as a `Bundle`; the read is audited.

        Raises:
            UnknownType, Forbidden: as `read`. InvalidInput, Unsupported, TooCostly: what was asked cannot be.
            Expired: the page is of a search that was begun too long ago.
        """
        sources = self._of(request.type)
        understood = self._understand(actor, request)
        page = await self._merged(actor, sources, understood.search)
        asked = {one for one in understood.search.patients if _OURS.fullmatch(one)}
        concerned = {item.patient_id for item in page.items} | asked
        await self._record(actor, sources[0].action, concerned, f"fhir:{request.type}")
        return self._bundle(actor, request.type, understood, page)

    async def everything(self, actor: Actor, patient_id: str) -> Resource:
        """Give all that there is of a patient as one `Bundle` of type collection; every read is audited.

        Raises:
            Forbidden, NotFound: the actor may not see the patient.
        """
        resources = [await self.read(actor, "Patient", patient_id)]
        for type_ in self._sources:
            if "patient" in self._parameters(type_) and self._sources[type_][0].action is not Action.AUDIT_READ:
                resources += await self._all(actor, type_, patient_id)
        entries = [{"fullUrl": f"{self._base}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": instant(self._clock.now()),
            "entry": entries,
        }

    async def _all(self, actor: Actor, type_: str, patient_id: str) -> list[Resource]:
        found: list[Resource] = []
        parameters: tuple[tuple[str, str], ...] = (("patient", patient_id), ("_count", str(MOST_COUNT)))
        while True:
            page = await self.search(actor, SearchRequest(type_, parameters))
            found += [entry["resource"] for entry in page.get("entry", []) if entry["search"]["mode"] == "match"]
            further = [link["url"] for link in page["link"] if link["relation"] == "next"]
            if not further:
                return found
            parameters = (("_cursor", parse_qs(urlsplit(further[0]).query)["_cursor"][0]),)

    def _of(self, type_: str) -> list[ResourceSource]:
        try:
            return self._sources[type_]
        except KeyError:
            raise UnknownType from None

    def _parameters(self, type_: str) -> dict[str, SearchParameter]:
        """Give the parameters that every source of the type understands."""
        first, *others = self._sources[type_]
        return {
            name: one for name, one in first.parameters.items() if all(name in other.parameters for other in others)
        }

    def _orders(self, type_: str) -> Sequence[str]:
        first, *others = self._sources[type_]
        return [name for name in first.orders if all(name in other.orders for other in others)]

    def _understand(self, actor: Actor, request: SearchRequest) -> Understood:
        known, orders = self._parameters(request.type), self._orders(request.type)
        sealed = next((value for name, value in request.parameters if name == "_cursor"), None)
        if sealed is None:
            return understand(request, known, orders, self._base)
        cursor = unseal(sealed, request.type, actor.person_id, self._clock.now())
        continued = replace(request, parameters=cursor.parameters)
        return understand(continued, known, orders, self._base, cursor.after)

    async def _first(self, actor: Actor, sources: Sequence[ResourceSource], resource_id: str) -> Found:
        refused: Exception = NotFound(_NOT_THERE)
        for source in sources:
            try:
                return await source.read(actor, resource_id)
            except NotFound:
                continue
            except Forbidden as refusal:
                refused = refusal
        raise refused

    async def _merged(self, actor: Actor, sources: Sequence[ResourceSource], search: Search) -> FoundPage:
        """Search several sources as if they were one."""
        pages = [await source.search(actor, search) for source in sources]
        items = [item for page in pages for item in page.items]
        items.sort(key=_place, reverse=search.descending)
        totals = [page.total for page in pages]
        known = [total for total in totals if total is not None]
        more = any(page.more for page in pages) or len(items) > search.count
        return FoundPage(tuple(items[: search.count]), more, sum(known) if len(known) == len(totals) else None)

    async def _record(self, actor: Actor, action: Action, patients: set[str | None], subject: str) -> None:
        about: list[str | None] = [*sorted(one for one in patients if one)]
        if not about and action is Action.PEOPLE_READ_DIRECTORY:
            return  # it tells of no patient
        async with self._database.transaction() as session:
            for patient_id in about or [None]:
                await self._audit.record(session, actor, action, patient_id=patient_id, subject=subject)

    def _bundle(self, actor: Actor, type_: str, understood: Understood, page: FoundPage) -> Resource:
        here = f"{self._base}/{type_}"
        links = [{"relation": "self", "url": f"{here}?{urlencode(understood.used)}" if understood.used else here}]
        if page.more and page.items:
            cursor = Cursor(type_, understood.used, page.items[-1].position, actor.person_id)
            links.append({"relation": "next", "url": f"{here}?_cursor={seal(cursor, self._clock.now())}"})
        entries = [
            {
                "fullUrl": f"{here}/{item.resource['id']}",
                "resource": _versioned(item.resource),
                "search": {"mode": "match"},
            }
            for item in page.items
        ]
        if understood.ignored:
            sentence = "没有用到这些参数：" + "、".join(name[:40] for name in understood.ignored)
            notice = outcome("not-supported", "parameters_ignored", sentence, severity="warning")
            entries.append({"resource": notice, "search": {"mode": "outcome"}})
        bundle: Resource = {
            "resourceType": "Bundle",
            "meta": {"lastUpdated": instant(self._clock.now())},
            "type": "searchset",
            "link": links,
        }
        if page.total is not None:
            bundle["total"] = page.total
        return bundle | ({"entry": entries} if entries else {})


def _place(item: Found) -> tuple[Any, Any]:
    return item.position.key, item.position.id


def _versioned(resource: Resource) -> Resource:
    """Give a resource with a version: its own, else a digest of what it says."""
    meta: Resource = resource.get("meta", {})
    if "versionId" in meta:
        return resource
    said = json.dumps(resource, ensure_ascii=False, sort_keys=True).encode()
    return {**resource, "meta": {**meta, "versionId": hashlib.sha256(said).hexdigest()[:32]}}
