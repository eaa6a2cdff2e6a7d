"""Devices at home: added with a one-time code, known by a token, taken away; and when one falls silent."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import key_ring
from backend.errors import DomainError, IllegalMove, NotFound
from backend.ids import new_id
from backend.people.rules import clean_name
from backend.records.monitoring.desk import MonitoringDesk
from backend.records.monitoring.readings import Kind
from backend.records.monitoring.rules import silent_at
from backend.records.monitoring.views import DeviceView, NewDeviceToken, Pairing
from backend.records.monitoring_tables import HomeDevice
from backend.security.policy import SYSTEM, Action, Actor, Role

CODE_VALID_FOR = timedelta(minutes=30)
MOST_DEVICES = 10
SILENT_TIMER = "monitoring.device_silent"

_TOKEN_BYTES = 32
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is taken for something else when it is read aloud
_CODE_LENGTH = 8


class PairingRefused(DomainError):
    """A code that leads nowhere: wrong, used or over."""

    code = "pairing_refused"
    sentence = "这个码不对，或者已经过期、用过了。请在公众号里重新绑定一次。"


class Devices(MonitoringDesk):
    """The part of `MonitoringService` about devices."""

    async def begin_pairing(self, actor: Actor, patient_id: str, kind: Kind, label: str = "") -> Pairing:
        """Add a device and give its one-time code, good for half an hour.

        Args:
            label: what people call it; by its kind where it is empty.

        Raises:
            Forbidden: the actor is neither the patient nor a doctor of theirs.
            IllegalMove: no doctor takes care of the patient, or there are ten devices already.
        """
        async with self._database.transaction() as session:
            care = await self._allowed_care(session, actor, Action.MONITORING_PAIR, patient_id)
            await self._watched_by(session, actor, care)
            await self._make_room(session, patient_id)
            code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
            now = self._clock.now()
            row = HomeDevice(
                id=new_id(),
                patient_id=patient_id,
                kind=kind,
                label=clean_name(label) or kind.device,
                created_by=actor.person_id,
                created_at=now,
                code_digest=_digest(code, "code"),
                code_expires_at=now + CODE_VALID_FOR,
            )
            session.add(row)
            await self._record(session, actor, Action.MONITORING_PAIR, patient_id, f"home_device:{row.id}")
            return Pairing(row.id, code, now + CODE_VALID_FOR)

    async def _make_room(self, session: AsyncSession, patient_id: str) -> None:
        """Forget the patient's devices whose code nobody entered in time."""
        mine = HomeDevice.patient_id == patient_id
        waiting = select(HomeDevice).where(mine, HomeDevice.code_expires_at <= self._clock.now())
        for row in await session.scalars(waiting):
            await session.delete(row)
        known = mine & (HomeDevice.active | HomeDevice.code_digest.is_not(None))
        if (await session.scalar(select(func.count(HomeDevice.id)).where(known)) or 0) >= MOST_DEVICES:
            raise IllegalMove(f"已经绑定了{MOST_DEVICES}台设备。请先解绑不用的，再绑定新的。")

    async def waiting_device(self, code: str) -> DeviceView:
        """Give the device that waits for this code; whoever has the code may know. How often somebody may guess is
        limited where they ask.

        Raises:
            PairingRefused: wrong, used or over.
        """
        async with self._database.reading() as session:
            return _view(await self._by_code(session, code))

    async def redeem_code(self, code: str) -> NewDeviceToken:
        """Use a code up and give the token of its device, this once.

        Raises:
            PairingRefused: wrong, used or over.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with self._database.transaction() as session:
            row = await self._by_code(session, code, lock=True)
            row.code_digest, row.code_expires_at = None, None
            row.token_digest, row.active = _digest(token, "token"), True
            await self._record(session, _actor_of(row), "monitoring.paired", row.patient_id, f"home_device:{row.id}")
            monitored = await self._monitored(session, row.patient_id)
            await self._events.publish(
                session,
                "monitoring.device_paired",
                device_id=row.id,
                patient_id=row.patient_id,
                doctor_id=monitored.doctor_id,
                by=row.created_by,
            )
            await self._expect(session, row)
            return NewDeviceToken(row.id, token)

    async def _by_code(self, session: AsyncSession, code: str, *, lock: bool = False) -> HomeDevice:
        digest = _digest("".join(code.split()).upper(), "code")
        query = select(HomeDevice).where(HomeDevice.code_digest == digest)
        row = await session.scalar(query.with_for_update() if lock else query)
        if row is None or row.code_expires_at is None or row.code_expires_at <= self._clock.now():
            raise PairingRefused
        return row

    async def device_of_token(self, token: str) -> Actor | None:
        """Give the device that a token belongs to as somebody who acts; None where it may not send."""
        query = select(HomeDevice).where(HomeDevice.token_digest == _digest(token, "token"), HomeDevice.active)
        async with self._database.reading() as session:
            row = await session.scalar(query)
        return None if row is None else _actor_of(row)

    async def devices(self, actor: Actor, patient_id: str) -> list[DeviceView]:
        """Give a patient's devices, the oldest first; the read is audited."""
        async with self._database.transaction() as session:
            await self._allowed_care(session, actor, Action.MONITORING_READ, patient_id)
            await self._record(session, actor, Action.MONITORING_READ, patient_id, "home_devices")
            mine = select(HomeDevice).where(HomeDevice.patient_id == patient_id).order_by(HomeDevice.id)
            return [_view(row) for row in await session.scalars(mine) if row.active]

    async def device(self, actor: Actor, device_id: str) -> DeviceView:
        """Give one device; the read is audited.

        Raises:
            NotFound: there is none.
        """
        async with self._database.transaction() as session:
            row = await _get(session, device_id)
            await self._allowed_care(session, actor, Action.MONITORING_READ, row.patient_id)
            await self._record(session, actor, Action.MONITORING_READ, row.patient_id, f"home_device:{row.id}")
            return _view(row)

    async def remove_device(self, actor: Actor, device_id: str) -> DeviceView:
        """Let a device send no more, at once; what it sent stays. Removed twice is removed once.

        Raises:
            NotFound: there is none.
        """
        async with self._database.transaction() as session:
            row = await _get(session, device_id)
            await self._allowed_care(session, actor, Action.MONITORING_PAIR, row.patient_id)
            await self._remove(session, actor, row)
            return _view(row)

    async def _remove(self, session: AsyncSession, actor: Actor, row: HomeDevice) -> None:
        row.active, row.token_digest, row.code_digest, row.code_expires_at = False, None, None, None
        await self._timers.cancel(session, SILENT_TIMER, row.id)
        await self._record(session, actor, "monitoring.unpair", row.patient_id, f"home_device:{row.id}")

    async def _remove_devices(self, patient_id: str) -> None:
        """Take all devices of a patient away."""
        async with self._database.transaction() as session:
            for row in await session.scalars(select(HomeDevice).where(HomeDevice.patient_id == patient_id)):
                await self._remove(session, SYSTEM, row)

    async def _expect(self, session: AsyncSession, row: HomeDevice) -> None:
        """Note that a device is heard, and wait for it anew."""
        row.last_seen_at = self._clock.now()
        await self._timers.set(session, SILENT_TIMER, row.id, silent_at(row.last_seen_at), device_id=row.id)

    async def _on_silent(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get(HomeDevice, payload["device_id"])
            if row is None or not row.active or row.last_seen_at is None:
                return
            if self._clock.now() < silent_at(row.last_seen_at):
                return
            await self._events.publish(session, "monitoring.device_silent", device_id=row.id, patient_id=row.patient_id)


async def _get(session: AsyncSession, device_id: str) -> HomeDevice:
    row = await session.get(HomeDevice, device_id)
    if row is None:
        raise NotFound("没有找到这台设备。")
    return row


def _actor_of(row: HomeDevice) -> Actor:
    return Actor(row.id, frozenset({Role.DEVICE}))


def _digest(secret: str, purpose: str) -> str:
    return key_ring().blind_index(secret, f"home_devices.{purpose}")


def _view(row: HomeDevice) -> DeviceView:
    return DeviceView(
        id=row.id,
        patient_id=row.patient_id,
        kind=row.kind,
        label=row.label,
        active=row.active,
        waiting=row.code_digest is not None,
        last_seen_at=row.last_seen_at,
    )
