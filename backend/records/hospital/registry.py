"""The hospitals that are asked: what administrators register, and the clients to them."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database
from backend.errors import InvalidInput, NotFound
from backend.fhir.systems import IDENTITY_NUMBER
from backend.ids import new_id
from backend.people import PeopleService
from backend.people.rules import clean_name
from backend.records.hospital.access import AuthKind, SmartLogin, key_algorithm
from backend.records.hospital.addresses import valid_address
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.transport import HospitalAddress
from backend.records.hospital_tables import HospitalHistoryRow, HospitalRow
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, require
from backend.worker_processes import WorkerProcesses

_URI = re.compile(r"(urn:oid:[0-9.]+|https?://[\x21-\x7e]+)")
_SECRET = re.compile(r"[\x21-\x7e]{1,4096}")
_TEXT = re.compile(r"[\x20-\x7e]{0,255}")
_VALIDATORS = 1


@dataclass(frozen=True)
class HospitalSettings:
    """Where a hospital is and how we log in.

    Args:
        login: a bearer token, or what SMART backend services need; "" for none.
        identity_system: the system under which its patients have their citizen identity number.
        private: whether it may lie in a private network.
    """

    url: str
    login: str | SmartLogin = field(default="", repr=False)
    identity_system: str = IDENTITY_NUMBER
    private: bool = False


@dataclass(frozen=True)
class HospitalView:
    """A hospital as administrators see it; what it is entered with is never shown again."""

    id: str
    institution_id: str
    label: str
    url: str
    auth: AuthKind
    identity_system: str
    private: bool
    active: bool


class Hospitals:
    """Registers hospitals, and gives the clients to those that are active. Close it when done."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog, people: PeopleService) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._people = people
        self._validators = WorkerProcesses(_VALIDATORS, niceness=5)
        self._clients: dict[str, tuple[HospitalAddress, HospitalClient]] = {}

    async def close(self) -> None:
        """End the connections and the processes."""
        for _, client in self._clients.values():
            await client.close()
        self._clients.clear()
        self._validators.close()

    async def register(self, actor: Actor, institution_id: str, label: str, settings: HospitalSettings) -> HospitalView:
        """Let the history of patients be asked for at a hospital.

        Raises:
            Forbidden: the actor may not. NotFound: no such institution.
            InvalidInput: no label, or an address, a login or a system that cannot be.
        """
        require(actor, Action.RECORDS_MANAGE_HOSPITALS)
        cleaned = clean_name(label)
        if not cleaned:
            raise InvalidInput("请给医院系统起个名字，比如：县医院。", field="label")
        values = _columns(settings)
        await self._people.institution(institution_id)
        row = HospitalRow(
            id=new_id(),
            institution_id=institution_id,
            label=cleaned,
            active=True,
            created_at=self._clock.now(),
            **values,
        )
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await self._record(session, actor, row)
        return _view(row)

    async def change(self, actor: Actor, hospital_id: str, settings: HospitalSettings) -> HospitalView:
        """Give a hospital another address, with its login.

        Raises: as `register`; NotFound: no such hospital.
        """
        values = _columns(settings)
        async with self._database.transaction() as session:
            row = await self._managed(session, actor, hospital_id)
            for name, value in values.items():
                setattr(row, name, value)
            row.active = True
            return _view(row)

    async def deactivate(self, actor: Actor, hospital_id: str) -> None:
        """Ask there no more, and forget what it told.

        Raises: Forbidden, NotFound.
        """
        async with self._database.transaction() as session:
            row = await self._managed(session, actor, hospital_id)
            row.active = False
            await session.execute(delete(HospitalHistoryRow).where(HospitalHistoryRow.hospital_id == row.id))

    async def all(self, actor: Actor) -> list[HospitalView]:
        """Give the hospitals that are registered, in the order in which they were. Raises Forbidden."""
        require(actor, Action.RECORDS_MANAGE_HOSPITALS)
        async with self._database.reading() as session:
            return [_view(row) for row in await session.scalars(select(HospitalRow).order_by(HospitalRow.id))]

    async def active(self) -> list[HospitalView]:
        """Give the hospitals that are asked."""
        query = select(HospitalRow).where(HospitalRow.active).order_by(HospitalRow.id)
        async with self._database.reading() as session:
            return [_view(row) for row in await session.scalars(query)]

    async def probe(self, actor: Actor, hospital_id: str) -> str:
        """Ask a hospital what it is, and whether it lets us search; give its FHIR version.

        Raises: Forbidden, NotFound; HospitalFault: as its code says.
        """
        require(actor, Action.RECORDS_MANAGE_HOSPITALS)
        client = await self.client(hospital_id)
        version = await client.probe()
        await client.search("Patient", [("identifier", f"{IDENTITY_NUMBER}|-")], most=1)
        return version

    async def client(self, hospital_id: str) -> HospitalClient:
        """Give the client of an active hospital; the same one until its address or login changes.

        Raises:
            NotFound: there is no such hospital, or it is asked no more.
        """
        async with self._database.reading() as session:
            row = await session.get(HospitalRow, hospital_id)
        if row is None or not row.active:
            raise NotFound("没有找到这个医院系统。")
        address = HospitalAddress(row.url, _login(row), row.private)
        known = self._clients.get(hospital_id)
        if known is not None and known[0] == address:
            return known[1]
        client = HospitalClient(address, self._clock, self._validators)
        self._clients[hospital_id] = (address, client)
        if known is not None:
            await known[1].close()
        return client

    async def _managed(self, session: AsyncSession, actor: Actor, hospital_id: str) -> HospitalRow:
        """Give a hospital that the actor may change, locked; that they did is audited."""
        require(actor, Action.RECORDS_MANAGE_HOSPITALS)
        query = select(HospitalRow).where(HospitalRow.id == hospital_id).with_for_update()
        row: HospitalRow | None = await session.scalar(query)
        if row is None:
            raise NotFound("没有找到这个医院系统。")
        await self._record(session, actor, row)
        return row

    async def _record(self, session: AsyncSession, actor: Actor, row: HospitalRow) -> None:
        await self._audit.record(session, actor, Action.RECORDS_MANAGE_HOSPITALS, subject=f"hospital:{row.id}")


def _columns(settings: HospitalSettings) -> dict[str, Any]:
    if _URI.fullmatch(settings.identity_system) is None or len(settings.identity_system) > 255:
        raise InvalidInput("身份证号的标识不对，比如：urn:oid:2.16.156.10011.1.3", field="identity_system")
    auth, credentials = _credentials(settings)
    return {
        "url": valid_address(settings.url, private=settings.private),
        "auth": auth,
        "credentials": credentials,
        "identity_system": settings.identity_system,
        "private": settings.private,
    }


def _credentials(settings: HospitalSettings) -> tuple[AuthKind, dict[str, str]]:
    login = settings.login
    if not login:
        return AuthKind.NONE, {}
    if isinstance(login, str):
        if _SECRET.fullmatch(login) is None:
            raise InvalidInput("登录信息里有不能用的字符。", field="token")
        return AuthKind.BEARER, {"token": login}
    token_url = valid_address(login.token_url, private=settings.private, field="token_url")
    key_algorithm(login.private_key)
    if not login.client_id or any(
        _TEXT.fullmatch(text) is None for text in (login.client_id, login.key_id, login.scope)
    ):
        raise InvalidInput("客户端编号、密钥编号或权限范围不对。", field="client_id")
    return AuthKind.SMART, vars(login) | {"token_url": token_url}


def _login(row: HospitalRow) -> str | SmartLogin:
    return SmartLogin(**row.credentials) if row.auth is AuthKind.SMART else row.credentials.get("token", "")


def _view(row: HospitalRow) -> HospitalView:
    return HospitalView(
        id=row.id,
        institution_id=row.institution_id,
        label=row.label,
        url=row.url,
        auth=row.auth,
        identity_system=row.identity_system,
        private=row.private,
        active=row.active,
    )
