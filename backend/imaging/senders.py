"""The machines that may send: who they are, and how they are known again."""

import ipaddress
import re
import secrets
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from backend.db import key_ring
from backend.errors import Conflict, InvalidInput, NotFound
from backend.ids import new_id
from backend.imaging.desk import ImagingDesk
from backend.imaging.tables import Arrival, ImagingSender
from backend.imaging.views import NewToken, SenderView
from backend.people.rules import clean_name
from backend.security.policy import Action, Actor, Role, require

_TOKEN_BYTES = 32
# PS3.5, table 6.2-1, AE: at most 16 characters of the default repertoire, no backslash and no control characters.
AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")


class Senders(ImagingDesk):
    """The part of `ImagingService` about the machines that may send."""

    async def register_stow_sender(self, actor: Actor, institution_id: str, label: str) -> NewToken:
        """Let a machine of the institution send over DICOMweb, and give the token by which it is known.

        Raises:
            Forbidden: the actor may not. InvalidInput: no label. NotFound: no such institution.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        sender = await self._register(actor, institution_id, label, Arrival.STOW, token_digest=_digest(token))
        return NewToken(sender.id, token)

    async def register_store_sender(
        self, actor: Actor, institution_id: str, label: str, ae_title: str, network: str
    ) -> SenderView:
        """Let a machine of the institution send by C-STORE.

        Args:
            ae_title: by which it calls. network: the addresses that it calls from, "10.1.2.0/24": anybody can claim an
                AE title, so a title alone is not enough.

        Raises:
            Forbidden, NotFound: as above. InvalidInput: no label, no valid title or network.
            Conflict: the title is another machine's.
        """
        title = ae_title.strip()
        if AE_TITLE.fullmatch(title) is None:
            raise InvalidInput("设备的AE标题不对：1到16个英文字符，不能有反斜杠。", field="ae_title")
        try:
            addresses = str(ipaddress.ip_network(network.strip()))
        except ValueError:
            raise InvalidInput("设备的网络地址不对，比如：10.1.2.0/24。", field="network") from None
        return _view(
            await self._register(actor, institution_id, label, Arrival.C_STORE, ae_title=title, network=addresses)
        )

    async def _register(
        self, actor: Actor, institution_id: str, label: str, arrival: Arrival, **known_by: Any
    ) -> ImagingSender:
        require(actor, Action.IMAGING_MANAGE)
        cleaned = clean_name(label)
        if not cleaned:
            raise InvalidInput("请给设备起个名字，比如：放射科CT。", field="label")
        await self._people.institution(institution_id)
        row = ImagingSender(
            id=new_id(),
            institution_id=institution_id,
            label=cleaned,
            arrival=arrival,
            active=True,
            created_at=self._clock.now(),
            **known_by,
        )
        try:
            async with self._database.transaction() as session:
                session.add(row)
                await session.flush()
                await self._record_sender(session, actor, row.id)
        except IntegrityError as error:
            raise Conflict("这个AE标题已经有别的设备在用了。") from error
        return row

    async def deactivate_sender(self, actor: Actor, sender_id: str) -> None:
        """Let a machine send no more, at once.

        Raises:
            Forbidden: the actor may not. NotFound: there is no such machine.
        """
        require(actor, Action.IMAGING_MANAGE)
        async with self._database.transaction() as session:
            row = await session.get(ImagingSender, sender_id)
            if row is None:
                raise NotFound("没有找到这台设备。")
            await session.execute(update(ImagingSender).where(ImagingSender.id == sender_id).values(active=False))
            await self._record_sender(session, actor, sender_id)

    async def senders(self, actor: Actor) -> list[SenderView]:
        """Give the machines that are registered, in the order in which they were."""
        require(actor, Action.IMAGING_MANAGE)
        async with self._database.reading() as session:
            return [_view(row) for row in await session.scalars(select(ImagingSender).order_by(ImagingSender.id))]

    async def sender_of_token(self, token: str) -> Actor | None:
        """Give the machine that a token belongs to as somebody who acts; None where it may not send."""
        return await self._sender(ImagingSender.token_digest == _digest(token))

    async def sender_of_title(self, ae_title: str, address: str) -> Actor | None:
        """Give the machine that calls by this AE title from this address; None where it may not send."""
        async with self._database.reading() as session:
            network = await session.scalar(select(ImagingSender.network).where(ImagingSender.ae_title == ae_title))
        if network is None or ipaddress.ip_address(address) not in ipaddress.ip_network(network):
            return None
        return await self._sender(ImagingSender.ae_title == ae_title)

    async def _sender(self, condition: Any) -> Actor | None:
        async with self._database.reading() as session:
            row = await session.scalar(select(ImagingSender).where(condition, ImagingSender.active))
        return None if row is None else Actor(row.id, frozenset({Role.DEVICE}), institution_id=row.institution_id)

    async def _record_sender(self, session: Any, actor: Actor, sender_id: str) -> None:
        await self._audit.record(session, actor, Action.IMAGING_MANAGE, subject=f"imaging_sender:{sender_id}")


def _digest(token: str) -> str:
    return key_ring().blind_index(token, "imaging_senders.token")


def _view(row: ImagingSender) -> SenderView:
    return SenderView(row.id, row.institution_id, row.label, row.arrival, row.ae_title, row.network, row.active)
