"""Uploads from a doctor's page: begun, sent on where they stopped, and what became of them.

An upload is a file or an archive of files. What arrives is sealed and kept piece by piece, so that nothing is sent
twice and nothing lies readable anywhere; what is in it is read when all of it is here (`upload_jobs`).
"""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.db import key_ring
from backend.errors import Conflict, DomainError, InvalidInput, NotFound
from backend.ids import new_id
from backend.imaging.linking import Linking
from backend.imaging.quarantine import study_views
from backend.imaging.sealing import SealedObject
from backend.imaging.tables import ImagingStudy
from backend.imaging.upload_rules import LARGEST_UPLOAD, UploadState, shown_name
from backend.imaging.upload_tables import ImagingUpload, ImagingUploadFault, ImagingUploadPiece, ImagingUploadStudy
from backend.imaging.views import StudyView
from backend.security.policy import Action, Actor, require

PIECE_BYTES = 8 * 1024 * 1024
"""So much at most is lost where a process is killed."""
OVER_TIMER = "imaging.upload_over"
ABANDONED_AFTER = timedelta(days=3)
"""An upload that is not sent on for so long is removed."""
REMEMBERED_FOR = timedelta(days=30)
"""So long the page can say what became of one."""
MOST_UNFINISHED = 100
_FAULTS_SHOWN = 200
_NO_SUCH_UPLOAD = "没有找到这次上传，请重新选择文件。"


class OtherOffset(Conflict):
    """Bytes that do not follow on what is here."""

    code = "upload_offset"
    sentence = "上传的位置对不上，会自动重新接上。"


class StoreAway(DomainError):
    """The store takes nothing now: its disk is full, or it is away."""

    code = "store_away"
    sentence = "服务器的存储空间不够了，或者存储坏了。已经传上来的不会丢，请过一会儿再继续。"


@dataclass(frozen=True)
class NewUpload:
    """What a page says of an upload.

    Args:
        batch: 32 hexadecimal digits, the same for all that was chosen together.
        fingerprint: by which the page knows its content again. name: of the file, for people. size: bytes.
    """

    batch: str
    fingerprint: str = field(repr=False)
    name: str = field(repr=False)
    size: int


@dataclass(frozen=True)
class UploadView:
    """How far an upload has come; `received` of `size` bytes."""

    id: str
    size: int
    received: int
    state: UploadState


@dataclass(frozen=True)
class BatchView:
    """What became of all that was chosen together.

    Args:
        receiving, waiting: uploads that are not here yet, and that are still being read.
        stored, skipped, refused: files that are images and are kept; that are none; that are not taken.
        fault: why it does not go on at present, "" where it does.
        faults: of the files that are not taken, at most 200: name, and code of why (`words_of`).
        studies: with how many instances of this batch each has.
    """

    batch: str
    receiving: int
    waiting: int
    stored: int
    skipped: int
    refused: int
    fault: str
    faults: Sequence[tuple[str, str]] = field(repr=False)
    studies: Sequence[tuple[StudyView, int]] = field(repr=False)


class Uploads(Linking):
    """The part of `ImagingService` to which a page sends."""

    async def begin_upload(self, actor: Actor, consultation_id: str, new: NewUpload) -> UploadView:
        """Begin an upload, or give the one of this content as far as it has come. One that failed begins anew.

        Raises:
            NotFound: no such consultation. Forbidden: the actor may not store for it. InvalidInput: no good size.
            Conflict: too many are unfinished.
        """
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        require(actor, Action.IMAGING_STORE, institution_id=reference.institution_id)
        if not 0 < new.size <= LARGEST_UPLOAD:
            raise InvalidInput(f"文件太大，最大{LARGEST_UPLOAD // 1024**3}GB。", field="size")
        try:
            return await self._begin(actor, reference, new)
        except IntegrityError:  # another tab began the same just now
            return await self._begin(actor, reference, new)

    async def _begin(self, actor: Actor, reference: CaseReference, new: NewUpload) -> UploadView:
        fingerprint = key_ring().blind_index(new.fingerprint, "imaging_uploads.fingerprint")
        mine = (ImagingUpload.person_id == actor.person_id, ImagingUpload.consultation_id == reference.id)
        now = self._clock.now()
        objects: list[str] = []
        async with self._database.transaction() as session:
            query = select(ImagingUpload).where(*mine, ImagingUpload.fingerprint == fingerprint).with_for_update()
            row: ImagingUpload | None = await session.scalar(query)
            if row is not None and (row.state is UploadState.FAILED or row.size != new.size):
                objects = await self._remove_upload(session, row)
                row = None
            if row is None:
                await self._require_few(session, actor)
                row = ImagingUpload(
                    id=new_id(),
                    consultation_id=reference.id,
                    person_id=actor.person_id,
                    batch=new.batch,
                    fingerprint=fingerprint,
                    name=shown_name(new.name),
                    size=new.size,
                    received=0,
                    state=UploadState.RECEIVING,
                    created_at=now,
                    chosen_at=now,
                )
                session.add(row)
                await session.flush()
                await self._timers.set(session, OVER_TIMER, row.id, now + ABANDONED_AFTER, upload_id=row.id)
                await self._record_upload(session, actor, row, reference)
            row.batch, row.chosen_at = new.batch, now
            view = _view(row)
        await self._delete_objects(objects)
        return view

    async def _require_few(self, session: AsyncSession, actor: Actor) -> None:
        query = select(func.count()).where(
            ImagingUpload.person_id == actor.person_id, ImagingUpload.state == UploadState.RECEIVING
        )
        if (await session.scalar(query) or 0) >= MOST_UNFINISHED:
            raise Conflict("没有传完的文件太多了。请先把以前选的传完，或者过三天再试。")

    async def upload(self, actor: Actor, upload_id: str) -> UploadView:
        """Give how far an upload of the actor's has come. Raises NotFound."""
        async with self._database.reading() as session:
            return _view(await self._own_upload(session, actor, upload_id))

    async def append_upload(self, actor: Actor, upload_id: str, offset: int, body: AsyncIterable[bytes]) -> UploadView:
        """Keep what streams in from `offset` on, piece by piece; what is kept is durable and is never sent again.

        Raises:
            NotFound: no such upload of the actor's. OtherOffset: it stands elsewhere. InvalidInput: more comes than was
            said. StoreAway: the store takes no more now; what was kept before stays.
        """
        view = await self.upload(actor, upload_id)
        if offset != view.received or view.state is not UploadState.RECEIVING:
            raise OtherOffset
        flow = _Flow(body, view.size - offset)
        while not flow.ended:
            try:
                sealed = await self._objects.put(flow.piece())
            except OSError as error:
                raise StoreAway from error
            kept = sealed.size > 0 and await self._keep_piece(upload_id, view.received, sealed)
            if not kept:
                await self._objects.delete(sealed.id)
            if sealed.size and not kept:
                raise OtherOffset
            view = UploadView(view.id, view.size, view.received + sealed.size, view.state)
        if flow.too_long:
            raise InvalidInput("发来的内容比说好的长。", field="size")
        return await self.upload(actor, upload_id)

    async def _keep_piece(self, upload_id: str, start: int, sealed: SealedObject) -> bool:
        """Write a piece down; False where another request was first."""
        now, end = self._clock.now(), start + sealed.size
        async with self._database.transaction() as session:
            here = (ImagingUpload.id == upload_id, ImagingUpload.received == start)
            moved = await session.execute(update(ImagingUpload).where(*here).values(received=end))
            if not moved.rowcount:  # type: ignore[attr-defined]  # of an UPDATE
                return False
            session.add(
                ImagingUploadPiece(
                    upload_id=upload_id,
                    start=start,
                    size=sealed.size,
                    object_id=sealed.id,
                    object_key=sealed.key.hex(),
                )
            )
            whole = (ImagingUpload.id == upload_id, ImagingUpload.size == end)
            ready = update(ImagingUpload).where(*whole).values(state=UploadState.WAITING, due_at=now)
            if (await session.execute(ready)).rowcount:  # type: ignore[attr-defined]  # of an UPDATE
                await self._timers.cancel(session, OVER_TIMER, upload_id)
                self._upload_ready(session)
            else:
                await self._timers.set(session, OVER_TIMER, upload_id, now + ABANDONED_AFTER, upload_id=upload_id)
        return True

    def _upload_ready(self, session: AsyncSession) -> None:
        """Tell who reads uploads in this process that one is all here, once it is committed."""

    async def drop_upload(self, actor: Actor, upload_id: str) -> None:
        """Forget an upload that is not all here. Raises NotFound, and Conflict where it is being read already."""
        async with self._database.transaction() as session:
            row = await self._own_upload(session, actor, upload_id)
            if row.state is UploadState.WAITING:
                raise Conflict("这个文件已经传完，正在处理，不能取消了。")
            objects = await self._remove_upload(session, row)
            await self._timers.cancel(session, OVER_TIMER, upload_id)
        await self._delete_objects(objects)

    async def batch(self, actor: Actor, consultation_id: str, batch: str = "") -> BatchView | None:
        """Give what became of what the actor chose for a consultation: of `batch`, or what was chosen last; None where
        there is nothing. It says nothing that a header says."""
        mine = (ImagingUpload.person_id == actor.person_id, ImagingUpload.consultation_id == consultation_id)
        async with self._database.reading() as session:
            if not batch:
                newest = select(ImagingUpload.batch).where(*mine).order_by(ImagingUpload.chosen_at.desc()).limit(1)
                batch = await session.scalar(newest) or ""
            query = select(ImagingUpload).where(*mine, ImagingUpload.batch == batch).order_by(ImagingUpload.id)
            rows = (await session.scalars(query)).all()
            return await _batch_view(session, batch, rows) if rows else None

    async def _own_upload(self, session: AsyncSession, actor: Actor, upload_id: str) -> ImagingUpload:
        row = await session.get(ImagingUpload, upload_id)
        if row is None or row.person_id != actor.person_id:
            raise NotFound(_NO_SUCH_UPLOAD)
        return row

    async def _remove_upload(self, session: AsyncSession, row: ImagingUpload) -> list[str]:
        """Remove an upload and all rows that belong to it; give the objects to delete once that is committed."""
        objects = await self._remove_pieces(session, row.id)
        for table in (ImagingUploadFault, ImagingUploadStudy):
            await session.execute(delete(table).where(table.upload_id == row.id))
        await session.delete(row)
        await session.flush()
        return objects

    async def _remove_pieces(self, session: AsyncSession, upload_id: str) -> list[str]:
        pieces = ImagingUploadPiece.upload_id == upload_id
        objects = (await session.scalars(select(ImagingUploadPiece.object_id).where(pieces))).all()
        await session.execute(delete(ImagingUploadPiece).where(pieces))
        return list(objects)

    async def _delete_objects(self, object_ids: Iterable[str]) -> None:
        """Delete what no row knows any more; what is left where this fails is swept one day."""
        for object_id in object_ids:
            await self._objects.delete(object_id)

    async def _on_upload_over(self, payload: Any) -> None:
        async with self._database.transaction() as session:
            row = await session.get(ImagingUpload, payload["upload_id"])
            if row is not None and row.state is not UploadState.WAITING:
                # Before the commit, which is the timer's: where that fails the timer does all of it again.
                await self._delete_objects(await self._remove_upload(session, row))

    async def _record_upload(
        self, session: AsyncSession, actor: Actor, row: ImagingUpload, reference: CaseReference
    ) -> None:
        subject = f"imaging_upload:{row.id}"
        await self._audit.record(session, actor, Action.IMAGING_STORE, patient_id=reference.patient_id, subject=subject)


class _Flow:
    """Cuts what streams in into pieces, and takes no more than `most` bytes."""

    def __init__(self, body: AsyncIterable[bytes], most: int) -> None:
        self._body = aiter(body)
        self._left = most
        self._rest = b""
        self.ended = False
        self.too_long = False

    async def piece(self) -> AsyncIterator[bytes]:
        """Give the next piece; it is shorter than a full one at the end alone, and may be empty there."""
        room = PIECE_BYTES
        while room and not self.ended:
            given = self._rest or await anext(self._body, b"")
            taken = given[: min(room, self._left)]
            self._rest = given[len(taken) :]
            room -= len(taken)
            self._left -= len(taken)
            self.too_long = bool(self._rest) and not self._left
            self.ended = not given or self.too_long
            if taken:
                yield taken


def _view(row: ImagingUpload) -> UploadView:
    return UploadView(row.id, row.size, row.received, row.state)


async def _batch_view(session: AsyncSession, batch: str, rows: Sequence[ImagingUpload]) -> BatchView:
    ids = [row.id for row in rows]
    query = select(ImagingUploadFault).where(ImagingUploadFault.upload_id.in_(ids)).order_by(ImagingUploadFault.id)
    shown = (await session.scalars(query.limit(_FAULTS_SHOWN))).all()
    of_studies = select(ImagingUploadStudy).where(ImagingUploadStudy.upload_id.in_(ids))
    counts: Counter[str] = Counter()
    for one in await session.scalars(of_studies):
        counts[one.study_id] += one.instances
    studies = (await session.scalars(select(ImagingStudy).where(ImagingStudy.id.in_(list(counts))))).all()
    states = Counter(row.state for row in rows)
    stuck = [row.fault for row in rows if row.fault and row.state is UploadState.WAITING]
    whole = [(row.name, row.fault) for row in rows if row.fault and row.state is UploadState.FAILED]
    return BatchView(
        batch=batch,
        receiving=states[UploadState.RECEIVING],
        waiting=states[UploadState.WAITING],
        stored=sum(row.stored for row in rows),
        skipped=sum(row.skipped for row in rows),
        refused=sum(row.refused for row in rows) + len(whole),
        fault=stuck[0] if stuck else "",
        faults=[*whole, *((one.name, one.fault) for one in shown)][:_FAULTS_SHOWN],
        studies=[(view, counts[view.id]) for view in await study_views(session, studies)],
    )
