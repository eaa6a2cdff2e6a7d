"""The played insurer's HTTP: messages at ``/insurer/api``, its people at ``/insurer/people``.

Faults are those of the sandbox (``sandbox.faults``), with the path ``/insurer/`` and the number of a transaction.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.errors import ApiError, JsonObject
from sandbox.faults import INSURER, Fault, Faults
from sandbox.insurer.books import Books
from sandbox.insurer.envelope import LOCAL_KEY, Message, Refusal, answer, read
from sandbox.insurer.transactions import Transactions
from sandbox.journal import Journal
from sandbox.requests import json_response, read_body

_KEPT = ("2201", "2202", "2203", "2204", "2205", "2207", "2208", "2601")
"""Transactions whose answers are kept: a message that comes again is answered as it was."""

_OTHER_MESSAGE = "0" * 30


class Insurer:
    """One insurer: its books, and how its day is. ``now``: seconds since the epoch."""

    def __init__(self, now: Callable[[], float], faults: Faults, journal: Journal) -> None:
        self.books = Books()
        self.books.clear()
        self._now = now
        self._faults = faults
        self._journal = journal
        self._transactions = Transactions(self.books, now)

    def application(self) -> web.Application:
        """The insurer's server, to be mounted."""
        application = web.Application(client_max_size=4 << 20)
        application.router.add_post("/api", self._answer)
        application.router.add_get("/people", self._list_people)
        application.router.add_post("/people", self._put_person)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        began = loop.time()
        text = (await request.read()).decode(errors="replace")
        infno, msgid = _named(text)
        path = INSURER + infno
        fault = self._faults.take(path, None)
        if fault and fault.kind == "late":
            _cut(request)
        if fault and fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        response = None if fault and fault.drop == "before" else self._spoiled(text, msgid, fault)
        shown = "" if response is None else (response.text or "")
        code = json.loads(shown).get("infcode") if shown.startswith('{"infcode"') else None
        self._journal.add(
            direction="in",
            path=path,
            openid=None,
            errcode=int(code) if code else None,
            status=response.status if response else 0,
            ms=(loop.time() - began) * 1000,
            body=text,
            answer=shown,
        )
        if response is None or (fault and (fault.drop or fault.kind == "late")):
            _cut(request)
            return web.Response()
        return response

    def _spoiled(self, text: str, msgid: str, fault: Fault | None) -> web.Response:
        """What is answered, as the day is."""
        if fault is None:
            return self._told(msgid, *self._served(text))
        if fault.body is not None or fault.status is not None:
            return web.Response(text=fault.body or "", status=fault.status or 200)
        if fault.errcode is not None:
            return self._told(msgid, str(fault.errcode), None)
        code, output = self._served(text)
        if fault.kind == "twice":
            code, output = self._served(text)
        if fault.kind in ("negative", "wrong_sum") and output and "setlinfo" in output:
            wrong = "-1.00" if fault.kind == "negative" else "0.07"
            output = {**output, "setlinfo": {**output["setlinfo"], "psn_cash_pay": wrong}}
        told_to = _OTHER_MESSAGE if fault.kind == "foreign_answer" else msgid
        key = "another key" if fault.kind == "bad_signature" else LOCAL_KEY
        return self._told(told_to, code, output, key)

    def _served(self, text: str) -> tuple[str, JsonObject | None]:
        """Do what a message asks; its code and output. The same message again changes nothing."""
        try:
            message = read(text, LOCAL_KEY)
            if message.msgid in self.books.reversed:
                raise Refusal("2010")
            return "0", self._once(message)
        except Refusal as refusal:
            return refusal.code, None

    def _once(self, message: Message) -> JsonObject:
        done = self.books.answered.get(message.msgid)
        if done is not None:
            if (done["infno"], done["input"]) != (message.infno, message.input):
                raise Refusal("9002")
            output: JsonObject = done["output"]
            return output
        output = self._transactions.run(message)
        if message.infno in _KEPT:
            self.books.answered[message.msgid] = {"infno": message.infno, "input": message.input, "output": output}
        return output

    def _told(self, msgid: str, code: str, output: JsonObject | None, key: str = LOCAL_KEY) -> web.Response:
        return json_response(answer(msgid, code, output, self._now(), key, self.books.next("R")))

    async def _list_people(self, _request: web.Request) -> web.Response:
        return json_response({"people": self.books.dump()["people"], "families": self.books.families})

    async def _put_person(self, request: web.Request) -> web.Response:
        try:
            person = self.books.insure(await read_body(request))
        except ApiError as error:
            return json_response({"code": error.code, "message": error.message}, error.status)
        return json_response({"psn_no": person.psn_no})


def _named(text: str) -> tuple[str, str]:
    """The transaction and id that a message names, for the journal and for faults; empty where it names none."""
    try:
        told: Any = json.loads(text)
        return str(told["infno"])[:8], str(told["msgid"])[:30]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
