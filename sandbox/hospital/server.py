"""The hospital's HTTP: FHIR R4 below ``/fhir``, tokens at ``/oauth/token``, its faults at ``/control/faults``."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from sandbox.errors import ApiError
from sandbox.hospital.access import Access
from sandbox.hospital.faults import KINDS, Faults
from sandbox.hospital.store import TYPES, Refusal, Resource, Store, bounds
from sandbox.requests import number_field, read_body, text_field

FHIR_JSON = "application/fhir+json"
_PAGE = "<!doctype html><title>登录</title><h1>请登录医院信息系统</h1>"
_MILLION = 1_000_000
Parameters = Sequence[tuple[str, str]]


class Hospital:
    """One hospital: what it keeps, whom it lets in, and how its day is."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.store = Store()
        self.access = Access(now)
        self.faults = Faults()
        self.asked: list[str] = []

    def clear(self) -> None:
        """Forget every resource and every bad day."""
        self.store.restore({})
        self.faults.clear()
        self.asked.clear()

    def application(self) -> web.Application:
        """The hospital's server, to be run or mounted."""
        application = web.Application(middlewares=[self._bad_day], client_max_size=16 << 20)
        add = application.router.add_route
        add("GET", "/fhir/metadata", self._metadata)
        add("POST", "/fhir", self._transaction)
        add("POST", "/fhir/", self._transaction)
        add("GET", "/fhir/{type}", self._search)
        add("POST", "/fhir/{type}/_search", self._search)
        add("POST", "/fhir/{type}", self._create)
        add("GET", "/fhir/{type}/{id}", self._read)
        add("PUT", "/fhir/{type}/{id}", self._update)
        add("POST", "/oauth/token", self._token)
        add("GET", "/control/faults", self._list_faults)
        add("POST", "/control/faults", self._add_fault)
        add("DELETE", "/control/faults", self._clear_faults)
        return application

    @web.middleware
    async def _bad_day(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer as the day is, and turn refusals into OperationOutcomes."""
        if "/fhir" not in request.path:
            return await handler(request)
        self.asked.append(f"{request.method} {request.path}")
        if (spoiled := await self._spoiled()) is not None:
            return spoiled
        try:
            if "unauthorized" in self.faults.on or not self.access.allows(request.headers.get("Authorization", "")):
                raise Refusal(401, "login", "who asks?")
            answer = await handler(request)
        except Refusal as refusal:
            return _outcome(refusal)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _outcome(Refusal(400, "invalid", "the request makes no sense"))
        if "lost_answer" in self.faults.on and request.method != "GET" and request.transport is not None:
            request.transport.abort()
        if "truncated" in self.faults.on and isinstance(answer, web.Response) and answer.body:
            return web.Response(body=bytes(answer.body)[: len(answer.body) // 2], content_type=FHIR_JSON)  # type: ignore[arg-type]
        return answer

    async def _spoiled(self) -> web.Response | None:
        on = self.faults.on
        if "slow" in on:
            await asyncio.sleep(self.faults.seconds)
        if "error" in on:
            return _outcome(Refusal(500, "exception", "database"))
        if "throttled" in on:
            return _outcome(Refusal(429, "throttled", "later"))
        if "html" in on:
            return web.Response(text=_PAGE, content_type="text/html")
        if "wrong_type" in on:
            return web.Response(text="{}", content_type="text/plain")
        if "redirect" in on:
            return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
        return None

    async def _metadata(self, request: web.Request) -> web.Response:
        resources = [{"type": type_} for type_ in sorted(TYPES)]
        statement = {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-01",
            "kind": "instance",
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "rest": [{"mode": "server", "resource": resources}],
        }
        return _answer(statement)

    async def _read(self, request: web.Request) -> web.Response:
        return self._told(self.store.read(request.match_info["type"], request.match_info["id"]), 200)

    async def _search(self, request: web.Request) -> web.Response:
        parameters = list(request.query.items())
        if request.method == "POST":
            parameters += parse_qsl(await request.text())
        type_ = request.match_info["type"]
        asked = parameters
        if "foreign" in self.faults.on:
            asked = [(name, value) for name, value in parameters if name not in ("patient", "subject")]
        found = self.store.matching(type_, asked)
        if "duplicate_patient" in self.faults.on and type_ == "Patient":
            found += [one | {"id": f"{one['id']}-2"} for one in found]
        offset, count = bounds(dict(parameters))
        total = len(found)
        if "endless" in self.faults.on and found and type_ != "Patient":
            total = _MILLION
            found = [found[place % len(found)] | {"id": f"n{place}"} for place in range(offset, offset + count)]
            shown = found
        else:
            shown = found[offset : offset + count]
        links = self._links(request, type_, parameters, offset, count, total)
        entries = [
            {
                "fullUrl": f"{_base(request)}/{type_}/{one['id']}",
                "resource": self.faults.told(one),
                "search": {"mode": "match"},
            }
            for one in shown
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries}
        return _answer(bundle)

    def _links(
        self, request: web.Request, type_: str, parameters: Parameters, offset: int, count: int, total: int
    ) -> list[Resource]:
        links = [{"relation": "self", "url": f"{_base(request)}/{type_}?{urlencode(parameters)}"}]
        if count and offset + count < total:
            further = [one for one in parameters if one[0] not in ("_offset", "_count")]
            further += [("_count", str(count)), ("_offset", str(offset + count))]
            base = "http://127.0.0.1:9/fhir" if "foreign_link" in self.faults.on else _base(request)
            links.append({"relation": "next", "url": f"{base}/{type_}?{urlencode(further)}"})
        return links

    async def _create(self, request: web.Request) -> web.Response:
        resource = json.loads(await request.text())
        if resource["resourceType"] != request.match_info["type"]:
            raise Refusal(400, "invalid", "another type")
        kept, created = self._created(resource, request.headers.get("If-None-Exist", ""))
        return self._told(kept, 201 if created else 200, request)

    def _created(self, resource: Resource, if_none_exist: str) -> tuple[Resource, bool]:
        there = self._existing(resource, if_none_exist)
        return (there, False) if there else (self.store.create(resource), True)

    def _existing(self, resource: Resource, if_none_exist: str) -> Resource | None:
        """What a conditional create finds; 412 where that is several."""
        if not if_none_exist:
            return None
        found = self.store.matching(resource["resourceType"], parse_qsl(if_none_exist))
        if len(found) > 1:
            raise Refusal(412, "multiple-matches", "several match")
        return found[0] if found else None

    async def _update(self, request: web.Request) -> web.Response:
        resource = json.loads(await request.text())
        type_, id_ = request.match_info["type"], request.match_info["id"]
        kept, created = self.store.update(resource, type_, id_, request.headers.get("If-Match", ""))
        return self._told(kept, 201 if created else 200, request)

    async def _transaction(self, request: web.Request) -> web.Response:
        bundle = json.loads(await request.text())
        if bundle["resourceType"] != "Bundle" or bundle["type"] != "transaction":
            raise Refusal(400, "invalid", "a transaction is needed")
        before = self.store.snapshot()
        try:
            written = self._write_all(bundle["entry"])
        except BaseException:
            self.store.restore(before)
            raise
        entries = [
            {
                "response": {
                    "status": "201 Created" if created else "200 OK",
                    "location": f"{kept['resourceType']}/{kept['id']}/_history/{kept['meta']['versionId']}",
                    "etag": f'W/"{kept["meta"]["versionId"]}"',
                }
            }
            for kept, created in written
        ]
        return _answer({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})

    def _write_all(self, entries: list[Resource]) -> list[tuple[Resource, bool]]:
        """Write the entries; what they call each other becomes the addresses that they get."""
        places = [self._place(entry) for entry in entries]
        names = {
            entry["fullUrl"]: f"{entry['resource']['resourceType']}/{id_}"
            for entry, (id_, _) in zip(entries, places, strict=True)
            if entry.get("fullUrl")
        }
        return [
            self._write(entry, _renamed(entry["resource"], names), *place)
            for entry, place in zip(entries, places, strict=True)
        ]

    def _place(self, entry: Resource) -> tuple[str, Resource | None]:
        """The identifier that an entry gets, and what is there already where it is not to be made again."""
        asked = entry["request"]
        if asked["method"] == "PUT":
            return str(asked["url"]).rpartition("/")[2], None
        if asked["method"] != "POST":
            raise Refusal(400, "not-supported", "method")
        there = self._existing(entry["resource"], asked.get("ifNoneExist", ""))
        return (there["id"] if there else uuid.uuid4().hex), there

    def _write(self, entry: Resource, resource: Resource, id_: str, there: Resource | None) -> tuple[Resource, bool]:
        asked = entry["request"]
        if asked["method"] == "PUT":
            return self.store.update(resource, resource["resourceType"], id_, asked.get("ifMatch", ""))
        # Two entries of one transaction may be the same thing.
        there = there or self._existing(resource, asked.get("ifNoneExist", ""))
        return (there, False) if there else (self.store.create(resource, id_), True)

    async def _token(self, request: web.Request) -> web.Response:
        given = self.access.grant(await request.post(), str(request.url))
        if given is None:
            return web.json_response({"error": "invalid_client"}, status=400)
        return web.json_response(given)

    async def _list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"on": sorted(self.faults.on), "kinds": KINDS})

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            body = await read_body(request)
            seconds = number_field({"seconds": 30.0} | body, "seconds", 0, 600)
            self.faults.switch_on(text_field(body, "kind", 40), seconds)
        except ApiError as error:
            return web.json_response({"code": error.code, "message": error.message}, status=error.status)
        return await self._list_faults(request)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self.faults.clear()
        return await self._list_faults(request)

    def _told(self, resource: Resource, status: int, request: web.Request | None = None) -> web.Response:
        version = resource["meta"]["versionId"]
        headers = {"ETag": f'W/"{version}"'}
        if request is None:
            return _answer(self.faults.told(resource), status, headers)
        headers["Location"] = f"{_base(request)}/{resource['resourceType']}/{resource['id']}/_history/{version}"
        if request.headers.get("Prefer") == "return=minimal":
            return web.Response(status=status, headers=headers)
        return _answer(resource, status, headers)


def _base(request: web.Request) -> str:
    path = request.path[: request.path.index("/fhir") + len("/fhir")]
    return str(request.url.origin()) + path


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A resource whose references are those that ``names`` knows."""
    if isinstance(value, dict):
        return {
            key: names.get(inner, inner) if key == "reference" and isinstance(inner, str) else _renamed(inner, names)
            for key, inner in value.items()
        }
    return [_renamed(inner, names) for inner in value] if isinstance(value, list) else value


def _answer(resource: Resource, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = json.dumps(resource, ensure_ascii=False).encode()
    return web.Response(body=body, status=status, headers=headers, content_type=FHIR_JSON)


def _outcome(refusal: Refusal) -> web.Response:
    issue = {"severity": "error", "code": refusal.code, "diagnostics": refusal.text}
    return _answer({"resourceType": "OperationOutcome", "issue": [issue]}, refusal.status)
