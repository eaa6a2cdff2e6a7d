"""Finding the expert: waves of invitations, their limit, and the steps by which the search is widened."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import statistics
from backend.consultation.desk import own_people
from backend.consultation.icd10 import disease_name
from backend.consultation.ranking import SPECIALIST_WAVES, Candidate, Need, Score, Wave, Widening, next_wave
from backend.consultation.reading import Reading
from backend.consultation.rules import EXPERT_RUNNING, OFFER_LIMITS, Status
from backend.consultation.suitability import Patient
from backend.consultation.tables import Consultation, Offer, OfferState, Search
from backend.consultation.weights import standings
from backend.consultation.weights_store import keep_standings, published
from backend.ids import new_id
from backend.people import PractitionerView
from backend.security.policy import SYSTEM, Role

OFFERS_TIMER = "consultation.offers"
_PAGE = 100
_STEPS = list(Widening)


class Matching(Reading):
    """The search for an expert; none of its methods is public. It begins with `submit` and goes on by timer."""

    async def _start_matching(self, session: AsyncSession, case: Consultation) -> None:
        session.add(Search(consultation_id=case.id, waves=0, step=""))
        await session.flush()
        await self._next_wave(session, case)

    async def _resume_matching(self, session: AsyncSession, case: Consultation, expert_id: str) -> None:
        """Search on after `expert_id`, who had the case, has given it back: they are not asked again, and those who
        were beaten to it are."""
        now = self._clock.now()
        held = next((offer for offer in await self._offers(session, case) if offer.expert_id == expert_id), None)
        search = await session.get_one(Search, case.id)
        if held is None:  # an administrator had given it to them
            held = Offer(id=new_id(), consultation_id=case.id, expert_id=expert_id, wave=search.waves, place=1)
            held.score, held.reasons, held.made_at, held.expires_at = 0.0, [], now, now
            session.add(held)
        held.state, held.accepted_for, held.answered_at = OfferState.GIVEN_BACK, None, now
        search.exhausted_at = None
        search.waves = min(search.waves, SPECIALIST_WAVES - 1)  # who was beaten to it is no specialist of the last wave
        await self._next_wave(session, case)

    async def _withdraw_offers(self, session: AsyncSession, case: Consultation) -> None:
        for offer in await self._offers(session, case, OfferState.OPEN):
            offer.state = OfferState.WITHDRAWN
            await self._publish(session, case, "offer.withdrawn", offer_id=offer.id, expert_id=offer.expert_id)
        await self._timers.cancel(session, OFFERS_TIMER, case.id)

    async def _hurry_offers(self, session: AsyncSession, case: Consultation) -> None:
        """Give the experts who are asked the limit of the urgency that the case has now, where it ends earlier."""
        expires_at = self._clock.now() + OFFER_LIMITS[case.urgency]
        hurried = [
            offer for offer in await self._offers(session, case, OfferState.OPEN) if offer.expires_at > expires_at
        ]
        for offer in hurried:
            offer.expires_at = expires_at
        if hurried:
            await self._set_limit(session, case, hurried[0].wave, expires_at)

    async def _set_limit(self, session: AsyncSession, case: Consultation, wave: int, expires_at: datetime) -> None:
        await self._timers.set(session, OFFERS_TIMER, case.id, expires_at, consultation_id=case.id, wave=wave)

    async def _on_offers_due(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            case = await self._case(session, payload["consultation_id"], lock=True)
            search = await session.get_one(Search, case.id)
            if case.status is not Status.PENDING or search.waves != payload["wave"]:
                return
            late = await self._offers(session, case, OfferState.OPEN)
            for offer in late:
                offer.state = OfferState.EXPIRED
                await self._publish(session, case, "offer.expired", offer_id=offer.id, expert_id=offer.expert_id)
            await statistics.add_unanswered(session, [offer.expert_id for offer in late])
            await self._note(session, SYSTEM, case, "expired", f"{len(late)}位专家在限定时间内没有应答")
            await self._next_wave(session, case)

    async def _next_wave(self, session: AsyncSession, case: Consultation) -> None:
        search = await session.get_one(Search, case.id)
        offers = await self._offers(session, case)
        asked = frozenset(offer.expert_id for offer in offers if offer.state is not OfferState.TAKEN)
        need = await self._need(session, case)
        candidates = await self._candidates(session, case)
        weights = (await published(session)).weights
        wave = next_wave(candidates, need, asked=asked, waves=search.waves, weights=weights)
        if search.waves == 0:
            await keep_standings(session, case.id, standings(candidates, need))
        await self._widen(session, case, search, wave)
        search.waves += 1
        if not wave.chosen:
            search.exhausted_at = self._clock.now()
            await self._publish(session, case, "matching.exhausted")
            return
        names = {candidate.expert_id: candidate.name for candidate in candidates}
        await self._make_offers(session, case, search.waves, wave.chosen, names)

    async def _widen(self, session: AsyncSession, case: Consultation, search: Search, wave: Wave) -> None:
        reached = _STEPS.index(Widening(search.step)) if search.step else -1
        widened = False
        for step in wave.steps:
            if _STEPS.index(step) <= reached:
                continue
            widened = bool(search.step)
            kind, text = ("widened", step.label) if widened else ("searching", step.beginning)
            await self._note(session, SYSTEM, case, kind, text)
            search.step = step.value
        if widened:  # once for a wave: who hears of it wants to know how far the search has come
            await self._publish(session, case, "matching.widened", step=search.step)

    async def _make_offers(
        self, session: AsyncSession, case: Consultation, wave: int, chosen: tuple[Score, ...], names: dict[str, str]
    ) -> None:
        now = self._clock.now()
        expires_at = now + OFFER_LIMITS[case.urgency]
        beaten = {offer.expert_id: offer for offer in await self._offers(session, case, OfferState.TAKEN)}
        for place, score in enumerate(chosen, start=1):
            offer = beaten.get(score.expert_id)
            if offer is None:
                offer = Offer(id=new_id(), consultation_id=case.id, expert_id=score.expert_id)
                session.add(offer)
            offer.wave, offer.place, offer.state = wave, place, OfferState.OPEN
            offer.score, offer.reasons = score.total, list(score.reasons)
            offer.made_at, offer.expires_at = now, expires_at
            # Without the first reason, the disease: the patient reads this, and must not learn a suspicion from it.
            text = f"邀请{names[score.expert_id]}（{'，'.join(score.reasons[1:])}）"
            await self._note(session, SYSTEM, case, "offered", text)
            await self._publish(session, case, "offer.made", offer_id=offer.id, expert_id=offer.expert_id)
        await session.flush()
        await self._set_limit(session, case, wave, expires_at)

    async def _need(self, session: AsyncSession, case: Consultation) -> Need:
        clinical = await self._clinical(session, case)
        return Need(
            case.department_code,
            clinical.icd10,
            disease_name(clinical.icd10),
            case.urgency,
            self._clock.now(),
            await self._patient(case, clinical.facts),
        )

    async def _patient(self, case: Consultation, facts: Mapping[str, Any]) -> Patient:
        """Give age and sex of whom it is about: as the case tells, else as is known of the patient."""
        age, sex = facts.get("age_months"), facts.get("sex")
        if age is None or sex is None:
            person = await self._people.person(SYSTEM, case.patient_id)
            age = person.age_months if age is None else age
            sex = sex or person.sex
        return Patient(age if isinstance(age, int) else None, sex if sex in ("male", "female") else "")

    async def _candidates(self, session: AsyncSession, case: Consultation) -> list[Candidate]:
        experts = [
            expert
            for expert in await self._active_experts()
            if expert.id != case.doctor_id and expert.person_id not in own_people(case)
        ]
        ids = [expert.id for expert in experts]
        free = await self._scheduling.availability(ids, self._clock.now())
        answers = await statistics.read(session, ids)
        counted = await session.execute(
            select(Consultation.expert_id, func.count())
            .where(Consultation.expert_id.in_(ids), Consultation.status.in_(EXPERT_RUNNING))
            .group_by(Consultation.expert_id)
        )
        running: dict[str | None, int] = dict(counted.all())
        candidates = []
        for expert in experts:
            answer = answers.get(expert.id)
            candidates.append(
                Candidate(
                    expert_id=expert.id,
                    name=f"{expert.name}{expert.title}",
                    department_code=expert.department_code,
                    department_name=expert.department_name,
                    expertise=tuple(expert.icd10),
                    title=expert.title,
                    years=expert.years,
                    on_call=expert.on_call,
                    on_duty=free[expert.id].on_duty,
                    next_free=free[expert.id].next_free,
                    answered=answer.answered if answer else 0,
                    answer_seconds=answer.total_seconds if answer else 0.0,
                    unanswered=answer.unanswered if answer else 0,
                    running=running.get(expert.id, 0),
                )
            )
        return candidates

    async def _active_experts(self) -> list[PractitionerView]:
        experts: list[PractitionerView] = []
        while True:
            page = await self._people.practitioners(
                role=Role.EXPERT, joined_only=True, limit=_PAGE, offset=len(experts)
            )
            experts += page
            if len(page) < _PAGE:
                return [expert for expert in experts if expert.active]

    async def _offers(self, session: AsyncSession, case: Consultation, state: OfferState | None = None) -> list[Offer]:
        query = select(Offer).where(Offer.consultation_id == case.id)
        if state is not None:
            query = query.where(Offer.state == state)
        return list(await session.scalars(query.order_by(Offer.wave, Offer.place)))
