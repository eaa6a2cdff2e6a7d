"""The PACS to which studies are forwarded: what administrators register, and what they mend."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import InvalidInput, NotFound
from backend.ids import new_id
from backend.imaging.delivery import Probe, StoreAddress, StowAddress
from backend.imaging.desk import ImagingDesk
from backend.imaging.senders import AE_TITLE
from backend.imaging.store_client import echo
from backend.imaging.stow_client import probe
from backend.imaging.tables import ImagingDestination, Protocol, Purpose
from backend.people.rules import clean_name
from backend.security.policy import Action, Actor, require

_LONGEST_URL = 512
_SLOWEST = 10_000
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,255}")
_HEADER = re.compile(r"[\x20-\x7e]{0,2000}")
_MINUTES = range(24 * 60)


@dataclass(frozen=True)
class Limits:
    """What an institution's line can bear.

    Args:
        bytes_per_second: on average; None for no limit.
        window: (start, end) in minutes after midnight in China, in which alone it takes instances; it may pass
            midnight. None for all day.
    """

    bytes_per_second: int | None = None
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class DestinationView:
    """A PACS as administrators see it; what it is entered with is never shown again."""

    id: str
    institution_id: str
    label: str
    purpose: Purpose
    protocol: str
    url: str
    host: str
    port: int
    ae_title: str
    own_ae_title: str
    limits: Limits
    active: bool


class Destinations(ImagingDesk):
    """The part of `ImagingService` about where studies are forwarded to."""

    async def register_destination(
        self,
        actor: Actor,
        institution_id: str,
        label: str,
        address: StowAddress | StoreAddress,
        limits: Limits | None = None,
        purpose: Purpose = Purpose.CARE,
    ) -> DestinationView:
        """Let studies whose expert is of the institution go to its PACS, from the next one on.

        Args:
            purpose: with teaching it gets only de-identified copies, and only those that somebody asks for. It is
                said once and for all.

        Raises:
            Forbidden: the actor may not. NotFound: no such institution.
            InvalidInput: no label, or an address or limit that cannot be.
        """
        require(actor, Action.IMAGING_MANAGE)
        cleaned = clean_name(label)
        if not cleaned:
            raise InvalidInput("请给影像系统起个名字，比如：县医院PACS。", field="label")
        values = _address_columns(address) | _limit_columns(limits or Limits())
        await self._people.institution(institution_id)
        row = ImagingDestination(
            id=new_id(),
            institution_id=institution_id,
            label=cleaned,
            purpose=purpose,
            active=True,
            failures=0,
            created_at=self._clock.now(),
            **values,
        )
        async with self._database.transaction() as session:
            session.add(row)
            await session.flush()
            await self._record_destination(session, actor, row)
        return _view(row)

    async def change_destination(
        self,
        actor: Actor,
        destination_id: str,
        address: StowAddress | StoreAddress | None = None,
        limits: Limits | None = None,
    ) -> DestinationView:
        """Give a PACS another address with its credentials, or other limits; what is None stays. It is tried again at
        once; what had come to a dead end stays there until `resend`.

        Raises: as `register_destination`; NotFound: no such destination.
        """
        values = (_address_columns(address) if address else {}) | (_limit_columns(limits) if limits else {})
        async with self._database.transaction() as session:
            row = await self._managed(session, actor, destination_id)
            for name, value in values.items():
                setattr(row, name, value)
            row.failures, row.resume_at, row.line_free_at = 0, None, None
            return _view(row)

    async def deactivate_destination(self, actor: Actor, destination_id: str) -> None:
        """Send nothing there any more. What waits for it waits.

        Raises: Forbidden, NotFound.
        """
        async with self._database.transaction() as session:
            (await self._managed(session, actor, destination_id)).active = False

    async def destinations(self, actor: Actor) -> list[DestinationView]:
        """Give the destinations that are registered, in the order in which they were."""
        require(actor, Action.IMAGING_MANAGE)
        async with self._database.reading() as session:
            rows = await session.scalars(select(ImagingDestination).order_by(ImagingDestination.id))
            return [_view(row) for row in rows]

    async def probe_destination(self, actor: Actor, destination_id: str) -> Probe:
        """Ask a PACS whether it is there and knows us, by C-ECHO or a search for one study; nothing is sent.

        Raises: Forbidden, NotFound.
        """
        async with self._database.transaction() as session:
            address = address_of(await self._managed(session, actor, destination_id))
        return await (probe(address) if isinstance(address, StowAddress) else echo(address))

    async def _managed(self, session: AsyncSession, actor: Actor, destination_id: str) -> ImagingDestination:
        """Give a destination that the actor may change, locked; that they did is audited."""
        require(actor, Action.IMAGING_MANAGE)
        query = select(ImagingDestination).where(ImagingDestination.id == destination_id).with_for_update()
        row: ImagingDestination | None = await session.scalar(query)
        if row is None:
            raise NotFound("没有找到这个影像系统。")
        await self._record_destination(session, actor, row)
        return row

    async def _record_destination(self, session: AsyncSession, actor: Actor, row: ImagingDestination) -> None:
        await self._audit.record(session, actor, Action.IMAGING_MANAGE, subject=f"imaging_destination:{row.id}")


def address_of(row: ImagingDestination) -> StowAddress | StoreAddress:
    """Give where a destination is."""
    if row.protocol is Protocol.STOW:
        return StowAddress(row.url, row.authorization)
    return StoreAddress(row.host, row.port, row.ae_title, row.own_ae_title)


def _address_columns(address: StowAddress | StoreAddress) -> dict[str, Any]:
    values: dict[str, Any] = {
        "url": "",
        "authorization": "",
        "host": "",
        "port": 0,
        "ae_title": "",
        "own_ae_title": "",
    }
    if isinstance(address, StowAddress):
        url = address.url.strip().rstrip("/")
        if not _is_web_address(url):
            raise InvalidInput("影像系统的网址不对，比如：https://pacs.example.cn/dicom-web", field="url")
        if _HEADER.fullmatch(address.authorization) is None:
            raise InvalidInput("登录信息里有不能用的字符。", field="authorization")
        return values | {"protocol": Protocol.STOW, "url": url, "authorization": address.authorization}
    titles = (address.ae_title.strip(), address.own_ae_title.strip())
    if _HOST.fullmatch(address.host) is None or address.port not in range(1, 65536):
        raise InvalidInput("影像系统的地址或端口不对。", field="host")
    if any(AE_TITLE.fullmatch(title) is None for title in titles):
        raise InvalidInput("影像系统的AE标题不对：1到16个英文字符，不能有反斜杠。", field="ae_title")
    return values | {
        "protocol": Protocol.C_STORE,
        "host": address.host,
        "port": address.port,
        "ae_title": titles[0],
        "own_ae_title": titles[1],
    }


def _limit_columns(limits: Limits) -> dict[str, Any]:
    if limits.bytes_per_second is not None and limits.bytes_per_second < _SLOWEST:
        raise InvalidInput("网速上限太低，至少每秒10千字节。", field="bytes_per_second")
    start, end = limits.window or (None, None)
    if limits.window is not None and (start not in _MINUTES or end not in _MINUTES or start == end):
        raise InvalidInput("传输时段不对，比如：晚上22:00到早上6:00。", field="window")
    return {"bytes_per_second": limits.bytes_per_second, "window_start": start, "window_end": end}


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port != 0  # raises where it is no number
    except ValueError:
        return False
    return (
        len(url) <= _LONGEST_URL
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port_is_valid
        and "@" not in parts.netloc
        and not parts.query
        and not parts.fragment
    )


def _view(row: ImagingDestination) -> DestinationView:
    window = None if row.window_start is None or row.window_end is None else (row.window_start, row.window_end)
    return DestinationView(
        id=row.id,
        institution_id=row.institution_id,
        label=row.label,
        purpose=row.purpose,
        protocol=row.protocol,
        url=row.url,
        host=row.host,
        port=row.port,
        ae_title=row.ae_title,
        own_ae_title=row.own_ae_title,
        limits=Limits(row.bytes_per_second, window),
        active=row.active,
    )
