"""Invitations as those who are concerned see and answer them."""

from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import rules, statistics
from backend.consultation.desk import role_in
from backend.consultation.matching import OFFERS_TIMER, Matching
from backend.consultation.rules import Step, require_text
from backend.consultation.tables import Consultation, Offer, OfferState
from backend.consultation.views import ConsultationView, OfferView, ResponseView
from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.security.policy import Action, Actor, Role, require
from data.departments import departments

_LONGEST_LIST = 50
_ANSWERABLE = (OfferState.OPEN, OfferState.EXPIRED)


class Offers(Matching):
    """Invitations of experts. An answer that comes late still counts while the consultation has nobody."""

    async def offers_of(self, actor: Actor, consultation_id: str) -> list[OfferView]:
        """Give all invitations of a consultation: who was asked, why, and what became of it.

        A patient does not see the first reason, which names the disease that the doctor suspects.
        """
        async with self._database.transaction() as session:
            case = await self._begin_reading(session, actor, consultation_id, Action.CONSULTATION_VIEW)
            views = await self._offer_views([(case, offer) for offer in await self._offers(session, case)])
            if role_in(actor, case) is Role.PATIENT:
                views = [replace(view, reasons=view.reasons[1:]) for view in views]
            return views

    async def offers_for(self, actor: Actor, *, limit: int = 10, offset: int = 0) -> list[OfferView]:
        """Give the invitations that wait for the actor's answer, the latest first."""
        if actor.practitioner_id is None:
            return []
        require(actor, Action.CONSULTATION_ANSWER_OFFER, participants=[actor.practitioner_id])
        async with self._database.reading() as session:
            rows = await session.execute(
                select(Offer, Consultation)
                .join(Consultation, Consultation.id == Offer.consultation_id)
                .where(Offer.expert_id == actor.practitioner_id, Offer.state == OfferState.OPEN)
                .order_by(Offer.made_at.desc(), Offer.id)
                .limit(min(max(limit, 1), _LONGEST_LIST))
                .offset(max(offset, 0))
            )
            return await self._offer_views([(case, offer) for offer, case in rows])

    async def offer(self, actor: Actor, offer_id: str) -> OfferView:
        """Give one invitation."""
        async with self._database.transaction() as session:
            offer = await self._offer(session, offer_id)
            case = await self._case(session, offer.consultation_id)
            self._allow(actor, Action.CONSULTATION_VIEW, case, offer.expert_id)
            return (await self._offer_views([(case, offer)]))[0]

    async def accept_offer(self, actor: Actor, offer_id: str) -> ConsultationView:
        """Take the consultation: the first who accepts has it, exactly one, however many tap at the same moment.

        Accepting again what one has accepted changes nothing.

        Raises:
            Conflict: somebody else has it; the sentence says who.
            IllegalMove: the consultation is not waiting for an expert any more.
        """
        async with self._database.transaction() as session:
            case, offer = await self._answering(session, actor, offer_id)
            if offer.state is OfferState.ACCEPTED:
                return await self._view(session, actor, case)
            await self._require_free(case, offer)
            await self._record(session, actor, Action.CONSULTATION_ANSWER_OFFER, case, reason="accepted")
            in_time = offer.state is OfferState.OPEN
            accepted = await session.execute(
                update(Offer)
                .where(Offer.id == offer.id, Offer.state.in_(_ANSWERABLE))
                .values(state=OfferState.ACCEPTED, accepted_for=case.id, answered_at=self._clock.now())
            )
            if accepted.rowcount != 1:  # type: ignore[attr-defined]  # of an UPDATE
                raise Conflict
            if in_time:
                await statistics.add_answer(session, offer.expert_id, self._seconds_since(offer))
            await self._assign(session, actor, case, offer.expert_id)
            return await self._view(session, actor, case)

    async def decline_offer(self, actor: Actor, offer_id: str, reason: str = "") -> None:
        """Refuse an invitation; when the last open one is refused the next experts are asked at once.

        Raises:
            Conflict: the invitation is not open any more.
        """
        checked = require_text(reason, "理由", longest=200, required=False)
        async with self._database.transaction() as session:
            case, offer = await self._answering(session, actor, offer_id)
            if offer.state is OfferState.DECLINED:
                return
            await self._require_free(case, offer)
            if offer.state is not OfferState.OPEN:
                raise Conflict("这个邀请已经过了时间，不用再回复了。")
            await self._record(session, actor, Action.CONSULTATION_ANSWER_OFFER, case, reason="declined")
            offer.state, offer.decline_reason, offer.answered_at = OfferState.DECLINED, checked, self._clock.now()
            await statistics.add_answer(session, offer.expert_id, self._seconds_since(offer))
            name = await self._name(offer.expert_id)
            why = f"，原因：{checked}" if checked else ""
            await self._note(session, actor, case, "declined", f"{name}专家婉拒了邀请{why}")
            await self._publish(session, case, "offer.declined", offer_id=offer.id, expert_id=offer.expert_id)
            if not await self._offers(session, case, OfferState.OPEN):
                await self._next_wave(session, case)

    async def assign_expert(self, actor: Actor, consultation_id: str, expert_id: str) -> ConsultationView:
        """Give a waiting consultation to an expert, as the administrator does when nobody answered.

        Raises:
            InvalidInput: that practitioner is no active expert.
        """
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_ASSIGN, Step.ASSIGN)
            expert = await self._people.practitioner(expert_id)
            if expert.role is not Role.EXPERT or not expert.active:
                raise InvalidInput("请选择一位在职的专家。")
            await self._assign(session, actor, case, expert_id)
            return await self._view(session, actor, case)

    async def response_statistics(self, expert_id: str) -> ResponseView:
        """Give how an expert answers invitations."""
        async with self._database.reading() as session:
            row = (await statistics.read(session, [expert_id])).get(expert_id)
        if row is None:
            return ResponseView(expert_id, 0, 0, None, None)
        mean = row.total_seconds / row.answered if row.answered else None
        return ResponseView(expert_id, row.answered, row.unanswered, mean, statistics.median_seconds(row.histogram))

    # answers

    async def _answering(self, session: AsyncSession, actor: Actor, offer_id: str) -> tuple[Consultation, Offer]:
        """Lock the consultation of an invitation, then read the invitation as it is under that lock."""
        consultation_id = (await self._offer(session, offer_id)).consultation_id
        case = await self._case(session, consultation_id, lock=True)
        offer = await self._offer(session, offer_id)
        self._allow(actor, Action.CONSULTATION_ANSWER_OFFER, case, offer.expert_id)
        if actor.practitioner_id != offer.expert_id:
            raise Forbidden("这个邀请不是发给您的。")
        return case, offer

    async def _require_free(self, case: Consultation, offer: Offer) -> None:
        if case.expert_id is not None and case.expert_id != offer.expert_id:
            name = await self._name(case.expert_id)
            raise Conflict(f"这次会诊已由{name}专家接下，谢谢您。", taken_by=case.expert_id)
        rules.check(case.status, Step.ASSIGN)
        if offer.state not in _ANSWERABLE:
            raise Conflict("这个邀请您已经回复过了。")

    async def _assign(self, session: AsyncSession, actor: Actor, case: Consultation, expert_id: str) -> None:
        expert = await self._people.practitioner(expert_id)
        await self._move(
            session,
            actor,
            case,
            Step.ASSIGN,
            f"由{expert.name}专家负责这次会诊",
            expert_id=expert_id,
            expert_institution_id=expert.institution_id,
            assigned_at=self._clock.now(),
        )
        await session.refresh(case)
        for loser in await self._offers(session, case, OfferState.OPEN):
            if loser.expert_id == expert_id:  # an administrator was faster than the expert's own answer
                loser.state, loser.accepted_for, loser.answered_at = OfferState.ACCEPTED, case.id, self._clock.now()
                continue
            loser.state = OfferState.TAKEN
            await self._publish(
                session, case, "offer.taken", offer_id=loser.id, expert_id=loser.expert_id, taken_by=expert_id
            )
        await self._timers.cancel(session, OFFERS_TIMER, case.id)
        await self._publish(
            session, case, "consultation.assigned", actor_id=actor.person_id, skips_booking=case.urgency.skips_booking
        )

    async def _offer(self, session: AsyncSession, offer_id: str) -> Offer:
        query = select(Offer).where(Offer.id == offer_id).execution_options(populate_existing=True)
        offer = await session.scalar(query)
        if offer is None:
            raise NotFound("没有找到这个会诊邀请。")
        return offer

    async def _offer_views(self, rows: list[tuple[Consultation, Offer]]) -> list[OfferView]:
        names = await self._people.names({offer.expert_id for _, offer in rows})
        return [
            OfferView(
                id=offer.id,
                consultation_id=case.id,
                consultation_number=case.number,
                expert_id=offer.expert_id,
                expert_name=names[offer.expert_id],
                department_code=case.department_code,
                department_name=departments()[case.department_code].name,
                urgency=case.urgency,
                wave=offer.wave,
                place=offer.place,
                state=offer.state,
                score=offer.score,
                reasons=tuple(offer.reasons),
                made_at=offer.made_at,
                expires_at=offer.expires_at,
                answered_at=offer.answered_at,
            )
            for case, offer in rows
        ]

    def _seconds_since(self, offer: Offer) -> float:
        return (self._clock.now() - offer.made_at).total_seconds()
