"""What an attacker sends to the console, and what a broken machine sends: each with its expected answer."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from backend.people.office_tables import read_table
from backend.security.policy import Role
from miniprogram_api import application
from miniprogram_api.console.application import ENDPOINTS
from miniprogram_api.console.endpoint import ConsoleEndpoint
from miniprogram_api.endpoint import Endpoint, Nothing
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.miniprogram_api.console.test_console_work import HEADINGS, handed, new_patient, submitted, workbook
from tests.support.json_examples import example

UNKNOWN = "0" * 32
HOSTILE = ["' OR '1'='1", "%", "_", "\\", "'; DROP TABLE people; --", "1) UNION SELECT name FROM people --", "%' --"]
CHANGING = [one for one in ENDPOINTS if one.method != "GET" and not one.open]
SEARCHING = [one for one in ENDPOINTS if one.method == "GET" and one.query is not Nothing and not one.open]


def filled(endpoint: ConsoleEndpoint) -> str:
    """The path of an endpoint with identifiers that nothing has."""
    path = endpoint.path.removeprefix("/console/api")
    return path.format(**dict.fromkeys(endpoint.path_parameters, UNKNOWN))


async def test_no_other_sites_page_gets_anything_changed_at_any_endpoint(
    console: Console, counted: Callable[[str], None]
) -> None:
    """CSRF: a token that is missing or another session's, and a request that the browser says is from elsewhere."""
    victim, attacker = await console.as_("陈管", Role.ADMINISTRATOR), await console.as_("贾管", Role.ADMINISTRATOR)
    forgeries: list[dict[str, Any]] = [
        {"X-CSRF-Token": None},
        {"X-CSRF-Token": attacker.csrf},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for endpoint in CHANGING:
        for forged in forgeries:
            answer = await victim.send(endpoint.method, filled(endpoint), headers=forged, data=b"a=1")
            assert (answer.status, answer.code) == (403, "from_elsewhere"), f"{endpoint.operation}: {forged}"
    counted(f"console: {len(CHANGING)} changing endpoints x {len(forgeries)} forgeries refused")


async def test_nothing_that_is_typed_into_a_search_is_read_as_sql(
    console: Console, counted: Callable[[str], None]
) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    for name in HOSTILE:
        await submitted(console.house, await new_patient(console.house, f"王{name}"))
    asked = 0
    for endpoint in SEARCHING:
        base = example(endpoint.query)
        fields = [name for name, field in endpoint.query.model_fields.items() if str in _kinds(field.annotation)]
        for field in fields:
            for said in HOSTILE:
                answer = await clerk.send("GET", filled(endpoint), params={**base, field: said})
                assert answer.status in (200, 400, 404, 409), f"{endpoint.operation}?{field}={said}: {answer.status}"
                items = answer.body.get("items", []) if isinstance(answer.body, dict) else []
                assert not items, f"{endpoint.operation}?{field}={said} found {len(items)}"
                asked += 1
    assert len((await clerk.get("/consultations")).body["items"]) == len(HOSTILE)
    counted(f"console: {asked} searches for SQL found nothing and broke nothing")


def _kinds(annotation: Any) -> set[Any]:
    return {annotation} | {kind for inner in get_args(annotation) for kind in _kinds(inner)}


def test_every_model_of_a_request_refuses_fields_that_it_does_not_know() -> None:
    """Mass assignment: of the mini-program's interface and of the console's, and of what is inside their models."""
    everything: list[Endpoint] = [*application.ENDPOINTS, *ENDPOINTS]
    models = {model for one in everything for whole in (one.body, one.query) for model in _inside(whole)}
    assert len(models) > 60
    assert [model.__name__ for model in models if model.model_config.get("extra") != "forbid"] == []


def _inside(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _inside(kind)


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "identity", (400, "invalid_input")),
        (b'{"name": "' + b"a" * 70_000 + b'"}', "identity", (413, "too_large")),
        (gzip.compress(b'{"name": "' + b"a" * 50_000_000 + b'"}'), "gzip", (413, "too_large")),
        (b"{" + b'"name": "a", ' * 3000 + b'"name": "a"}', "identity", (400, "invalid_input")),
    ],
    ids=["nested", "long", "inflating", "repeated"],
)
async def test_a_body_made_to_exhaust_the_reader_is_refused_before_anybody_has_signed_in(
    console: Console, body: bytes, encoding: str, expected: tuple[int, str]
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = await Clerk(console).send("POST", "/session", data=body, headers=headers)
    assert (answer.status, answer.code) == expected


def changed(content: bytes, part: str, put: bytes) -> bytes:
    """An Excel file in which one part is something else."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, put if name == part else old.read(name))
    return written.getvalue()


def lying(content: bytes, part: str) -> bytes:
    """An Excel file whose directory says that a part is empty when it is unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(part).file_size.to_bytes(4, "little")
        at = content.index(b"PK\x01\x02")
        while part.encode() != content[at + 46 : at + 46 + len(part)]:
            at = content.index(b"PK\x01\x02", at + 4)
    assert content[at + 24 : at + 28] == size
    return content[: at + 24] + (1).to_bytes(4, "little") + content[at + 28 :]


SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "'
    + b"&a;" * 99
    + b'">]><worksheet><sheetData>&b;</sheetData></worksheet>'
)
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet><sheetData>&x;</sheetData></worksheet>'


@pytest.mark.parametrize(
    "content",
    [
        changed(workbook([]), SHEET, b" " * (51 << 20)),
        lying(changed(workbook([]), SHEET, b" " * (20 << 20)), SHEET),
        changed(workbook([]), SHEET, LAUGHS),
        changed(workbook([]), SHEET, OUTSIDE),
        changed(workbook([]), SHEET, b"<worksheet>" + b"<a>" * 100_000),
        changed(workbook([]), "xl/workbook.xml", b"\x00\x01\x02"),
        workbook([["\ud7ff" * 500] * 9])[:-200],
    ],
    ids=["a bomb", "a bomb that lies", "entities", "a file of ours", "nested", "rubbish", "cut off"],
)
async def test_a_workbook_made_to_exhaust_the_reader_is_refused_with_a_sentence(
    console: Console, content: bytes
) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    refused = await handed(clerk, content, write=True)
    assert refused["code"] == "invalid_input", json.dumps(refused, ensure_ascii=False)[:500]
    assert len(refused["message"]) > 8
    assert "root:" not in str(refused)


def test_a_workbook_that_says_it_is_as_large_as_excel_allows_is_read_by_what_is_there() -> None:
    content = workbook([["王"] * 9])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read(SHEET).decode()
    assert 'ref="A1:I2"' in sheet
    claimed = changed(content, SHEET, sheet.replace("A1:I2", "A1:XFD1048576").encode())
    assert read_table(claimed) == [HEADINGS, ["王"] * 9]


async def test_a_clock_that_is_set_back_lets_nobody_in_again_and_keeps_nobody_in(console: Console) -> None:
    """Codes of the app that were used are used; a session ends rather than living on for as long as the clock lost."""
    clerk, clock = await console.as_("陈管", Role.ADMINISTRATOR), console.house.clock
    used = console.code_of("陈管")
    clock.advance(-timedelta(minutes=5))
    assert (await clerk.get("/session")).status == 200  # a correction is no reason to sign in anew
    console.forget_limits()
    assert (await Clerk(console).sign_in("陈管", code=used)).code == "sign_in_refused"
    assert (await Clerk(console).sign_in("陈管")).code == "sign_in_refused"  # of a step before the one that was used
    clock.advance(-timedelta(days=1))
    assert (await clerk.get("/session")).code == "session_over"
    clock.advance(timedelta(days=1, minutes=6))
    console.forget_limits()
    assert (await Clerk(console).sign_in("陈管")).status == 201


async def test_a_clock_that_jumps_ahead_ends_every_session(console: Console) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    console.house.clock.advance(timedelta(days=365))
    assert (await clerk.get("/session")).code == "session_over"
    assert (await clerk.sign_in("陈管")).status == 201
