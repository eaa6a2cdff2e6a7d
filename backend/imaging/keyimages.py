"""Key images: which frames of a case are telling. Those who treat mark them, everybody who may see the images sees the
marks, and the other side hears of new ones once nothing more was marked for a minute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.consultation.desk import speaker
from backend.errors import Conflict, NotFound
from backend.ids import new_id
from backend.imaging.keyimage_pictures import draw
from backend.imaging.keyimage_tables import ImagingKeyImage
from backend.imaging.retrieval import Retrieval, instance_view
from backend.imaging.rules import StudyState
from backend.imaging.tables import ImagingInstance, ImagingSeries, ImagingStudy
from backend.imaging.views import InstanceView
from backend.photographs import CleanPicture
from backend.rendering import Undecodable, Window
from backend.security.policy import Action, Actor, Role, allowed

KEY_IMAGES_TIMER = "imaging.key_images_settled"
QUIET_FOR = timedelta(seconds=60)
"""The other side hears of key images when nobody has marked one for so long."""
MOST_KEY_IMAGES = 100
"""Of a consultation: where everything is marked, nothing is."""


@dataclass(frozen=True)
class KeyImageView:
    """A marked frame.

    Args:
        frame: from 1. window: as it was seen; None where the header's holds.
        marker: who marked it, as the others know them.
        file_id: its picture for the chat, None where there is none.
    """

    id: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    frame: int
    window: Window | None
    inverted: bool
    marker: str
    marked_at: datetime
    file_id: str | None


class KeyImages(Retrieval):
    """The part of `ImagingService` about key images."""

    async def key_images(self, actor: Actor, consultation_id: str) -> list[KeyImageView]:
        """Give the key images of a consultation, the oldest first; the read is audited.

        Raises:
            NotFound: there is no such consultation. Forbidden: it is none of the actor's business.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_READ)
        async with self._database.transaction() as session:
            await self._record(session, actor, Action.IMAGING_READ, reference, f"consultation:{reference.id}")
            query = _marked().where(ImagingKeyImage.consultation_id == reference.id)
            rows = (await session.execute(query.order_by(ImagingKeyImage.id).limit(MOST_KEY_IMAGES))).all()
            return await self._key_image_views(rows)

    async def may_mark(self, actor: Actor, consultation_id: str) -> bool:
        """Tell whether the actor is one of those who mark key images of a consultation."""
        reference = await self._consultations.reference(consultation_id)
        return reference is not None and allowed(
            actor,
            Action.IMAGING_MARK,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )

    async def mark_key_image(
        self,
        actor: Actor,
        consultation_id: str,
        sop_instance_uid: str,
        frame: int,
        window: Window | None = None,
        *,
        inverted: bool = False,
    ) -> KeyImageView:
        """Mark a frame as it is seen; one that is marked already stays as it was marked first.

        Raises:
            NotFound: no such frame in this consultation. Forbidden: the actor does not treat here.
            Conflict: there are 100 already.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_MARK)
        instance_id, instance = await self._instance_in(reference, sop_instance_uid)
        if not 1 <= frame <= instance.frames:
            raise NotFound("这张图像里没有这一幅。")
        marked = await self._marked_frame(instance_id, frame)
        if marked is not None:
            return marked
        picture = await self._drawn(instance, frame, window, inverted=inverted)
        try:
            async with self._database.transaction() as session:
                await self._require_room(session, reference)
                row = ImagingKeyImage(
                    id=new_id(),
                    consultation_id=reference.id,
                    instance_id=instance_id,
                    frame=frame,
                    window_center=window and window.center,
                    window_width=window and window.width,
                    window_function=window and window.function,
                    inverted=inverted,
                    file_id=await self._files.put_picture(picture, actor.person_id) if picture else None,
                    marked_by=actor.person_id,
                    marked_as=_side(actor, reference),
                    marked_at=self._clock.now(),
                )
                session.add(row)
                await session.flush()
                await self._record(session, actor, Action.IMAGING_MARK, reference, f"imaging_key_image:{row.id}")
                side = row.marked_as.value
                known = {"consultation_id": reference.id, "side": side, "actor_id": actor.person_id}
                due_at = row.marked_at + QUIET_FOR
                await self._timers.set(session, KEY_IMAGES_TIMER, f"{reference.id}:{side}", due_at, **known)
        except IntegrityError:  # somebody else marked it at this moment
            pass
        marked = await self._marked_frame(instance_id, frame)
        if marked is None:
            raise Conflict
        return marked

    async def unmark_key_image(self, actor: Actor, consultation_id: str, key_image_id: str) -> None:
        """Take a mark away, whoever made it; one that is not there any more is no error. A picture that was sent to
        somebody is kept, for it may not have left yet.

        Raises:
            NotFound: there is no such consultation. Forbidden: the actor does not treat here.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_MARK)
        async with self._database.transaction() as session:
            row = await session.get(ImagingKeyImage, key_image_id, with_for_update=True)
            if row is None or row.consultation_id != reference.id:
                return
            if row.file_id is not None and row.told_at is None:
                await self._files.remove(session, [row.file_id])
            await session.delete(row)
            await self._record(
                session, actor, Action.IMAGING_MARK, reference, f"imaging_key_image:{key_image_id}", "unmarked"
            )

    async def _on_key_images_settled(self, payload: Mapping[str, Any]) -> None:
        """Publish which key images one side has marked since the other side heard of some."""
        consultation_id, side = payload["consultation_id"], Role(payload["side"])
        async with self._database.transaction() as session:
            fresh = (
                ImagingKeyImage.consultation_id == consultation_id,
                ImagingKeyImage.marked_as == side,
                ImagingKeyImage.told_at.is_(None),
            )
            ids = list(await session.scalars(select(ImagingKeyImage.id).where(*fresh).order_by(ImagingKeyImage.id)))
            if not ids:
                return
            changed = update(ImagingKeyImage).where(ImagingKeyImage.id.in_(ids))
            await session.execute(changed.values(told_at=self._clock.now()))
            await self._events.publish(
                session,
                "imaging.key_images_marked",
                consultation_id=consultation_id,
                side=side.value,
                actor_id=payload["actor_id"],
                key_image_ids=ids,
            )

    async def _drawn(
        self, instance: InstanceView, frame: int, window: Window | None, *, inverted: bool
    ) -> CleanPicture | None:
        try:
            return await self._of_frame(instance, frame, draw, window, inverted)
        except Undecodable:
            return None  # it is marked all the same, and seen on the page or at the workstation

    async def _instance_in(self, reference: CaseReference, sop_instance_uid: str) -> tuple[str, InstanceView]:
        async with self._database.reading() as session:
            query = _of_instances(select(ImagingInstance, ImagingSeries, ImagingStudy)).where(
                ImagingInstance.sop_instance_uid == sop_instance_uid,
                ImagingStudy.consultation_id == reference.id,
                ImagingStudy.state == StudyState.LINKED,
            )
            found = (await session.execute(query)).one_or_none()
        if found is None:
            raise NotFound("这例会诊里没有这张图像。")
        instance, series, study = found
        return instance.id, instance_view(study.study_uid, instance, series.series_uid)

    async def _marked_frame(self, instance_id: str, frame: int) -> KeyImageView | None:
        async with self._database.reading() as session:
            query = _marked().where(ImagingKeyImage.instance_id == instance_id, ImagingKeyImage.frame == frame)
            rows = (await session.execute(query)).all()
        views = await self._key_image_views(rows)
        return views[0] if views else None

    async def _require_room(self, session: AsyncSession, reference: CaseReference) -> None:
        query = select(func.count()).where(ImagingKeyImage.consultation_id == reference.id)
        if (await session.scalar(query) or 0) >= MOST_KEY_IMAGES:
            raise Conflict(f"关键图已经有{MOST_KEY_IMAGES}张了，请先取消几张。")

    async def _key_image_views(self, rows: Sequence[Any]) -> list[KeyImageView]:
        names = await self._people.practitioner_names({row.marked_by for row, *_ in rows})
        return [
            KeyImageView(
                id=row.id,
                study_uid=study_uid,
                series_uid=series_uid,
                sop_instance_uid=sop_instance_uid,
                frame=row.frame,
                window=_window(row),
                inverted=row.inverted,
                marker=speaker(row.marked_as, names.get(row.marked_by, "")),
                marked_at=row.marked_at,
                file_id=row.file_id,
            )
            for row, study_uid, series_uid, sop_instance_uid in rows
        ]

    async def _record(
        self,
        session: AsyncSession,
        actor: Actor,
        action: Action,
        reference: CaseReference,
        subject: str,
        reason: str = "",
    ) -> None:
        patient_id = reference.patient_id
        await self._audit.record(session, actor, action, patient_id=patient_id, subject=subject, reason=reason)


def _side(actor: Actor, reference: CaseReference) -> Role:
    return Role.EXPERT if actor.practitioner_id == reference.expert_id else Role.GRASSROOTS_DOCTOR


def _window(row: ImagingKeyImage) -> Window | None:
    if row.window_center is None or row.window_width is None or row.window_function is None:
        return None
    return Window(row.window_center, row.window_width, row.window_function)


def _of_instances(query: Any) -> Any:
    series = ImagingSeries.id == ImagingInstance.series_id
    return query.join(ImagingSeries, series).join(ImagingStudy, ImagingStudy.id == ImagingInstance.study_id)


def _marked() -> Any:
    shown = (ImagingStudy.study_uid, ImagingSeries.series_uid, ImagingInstance.sop_instance_uid)
    query = select(ImagingKeyImage, *shown).join(ImagingInstance, ImagingInstance.id == ImagingKeyImage.instance_id)
    return _of_instances(query)
