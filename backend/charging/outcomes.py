"""What a charge does with the answer to one of its steps."""

import logging
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.calls import Answer, Done, Later, NotSent, Refused
from backend.charging.desk import explained, read_split, write_split
from backend.charging.moving import Moving
from backend.charging.rules import (
    PENDING,
    UNDOES,
    WATCH_EVERY,
    ChargeState,
    OrderState,
    Reason,
    StepKind,
    StepState,
    next_question,
    refund_lines,
)
from backend.charging.tables import Charge, ChargeOrder, ChargeStep
from backend.clock import local
from backend.insurance.coverage import Claim, Fee, Split
from backend.insurance.coverage import split as shared
from backend.insurance.insurer import Person, Settlement
from backend.money import to_yuan
from backend.payment.payments import Payment
from data.insurance import table_for
from data.patience import patience

log = logging.getLogger(__name__)

_QUOTING = (StepKind.ELIGIBILITY, StepKind.REGISTER, StepKind.UPLOAD, StepKind.PRESETTLE)
_NEXT = {StepKind.REGISTER: StepKind.UPLOAD, StepKind.UPLOAD: StepKind.PRESETTLE}
_NO_CLAIM = "医保没有同意这次报销，费用由个人支付。"
_BAD_SUM = "医保算的钱对不上，这次先按自费算。"


class Outcomes(Moving):
    """Answers of insurer and payment provider, each in a transaction that holds the charge's lock."""

    async def _answered(
        self, session: AsyncSession, charge: Charge, step: ChargeStep, answer: Answer, before: StepState, attempt: int
    ) -> None:
        """Take up an answer. One that comes when nobody waits for it any more tells of money alone.

        Args:
            before: what the step was before it was sent this time. attempt: the how-manieth time that was.
        """
        if isinstance(answer, Done) and isinstance(answer.value, Payment):
            await self._order_answered(session, charge, step, answer.value)
            await self._look_again(session, charge)
            return
        if step.state not in PENDING and not _arrived_after_all(step, answer):
            return
        if isinstance(answer, Done):
            self._end_step(step, StepState.DONE)
            await self._done(session, charge, step, answer)
        elif isinstance(answer, Refused) and step.kind not in (StepKind.CLOSE, StepKind.WATCH):
            self._end_step(step, StepState.REFUSED, answer.code[:64])
            await self._refused(session, charge, step, answer)
        elif step.attempts == attempt:  # else another worker has it, whose answer counts
            await self._again_later(session, charge, step, answer, before)
        await self._try_shut(session, charge)
        await self._look_again(session, charge)

    async def _again_later(
        self, session: AsyncSession, charge: Charge, step: ChargeStep, answer: Answer, before: StepState
    ) -> None:
        step.leased_until = None
        if isinstance(answer, NotSent):
            step.state = before
        elif not isinstance(answer, Later):
            step.state = StepState.UNCLEAR
        now = self._clock.now()
        if step.kind is StepKind.WATCH:  # nobody waits for it: the order is closed when its time is up
            step.due_at = now + WATCH_EVERY
            return
        step.silent_since = None if isinstance(answer, Later) else step.silent_since or now
        silence = now - (step.silent_since or now)
        step.due_at = now + next_question(step.attempts, silence, patience().slowest)
        if silence < patience().answer and now - step.made_at < patience().processing:
            step.stalled_at = None
        elif step.stalled_at is None:
            step.stalled_at = now
            log.warning("no answer: charge=%s step=%s attempts=%s", charge.id, step.kind, step.attempts)
            since = (step.silent_since or step.made_at).isoformat()
            await self._publish(
                session, "charge.stalled", charge, step=step.kind.value, step_number=step.number, since=since
            )

    async def _order_answered(self, session: AsyncSession, charge: Charge, step: ChargeStep, payment: Payment) -> None:
        order = await session.get_one(ChargeOrder, step.lane, populate_existing=True)
        if step.state in PENDING:
            self._end_step(step, StepState.DONE)
        if payment.state in ("paid", "refunding"):
            await self._received(session, charge, order, payment)
        elif order.state is OrderState.OPEN:
            await self._order_closed(session, charge, order)
        await self._try_shut(session, charge)

    async def _order_closed(self, session: AsyncSession, charge: Charge, order: ChargeOrder) -> None:
        order.state = OrderState.CLOSED
        await self._drop(session, charge, order.number, StepKind.WATCH, StepKind.CLOSE)
        left = [one for one in await self._orders(session, charge) if one.state is OrderState.OPEN]
        if charge.state is ChargeState.CLOSING and not left:
            await self._orders_clear(session, charge)

    async def _done(self, session: AsyncSession, charge: Charge, step: ChargeStep, answer: Done) -> None:
        if step.kind in _QUOTING:
            if charge.state is ChargeState.QUOTING:
                await self._quoting_done(session, charge, step, answer)
        elif step.kind is StepKind.SETTLE:
            await self._settlement_answered(session, charge, answer.value)
        elif step.kind is StepKind.REVOKE_SETTLEMENT:
            charge.settlement = ""
            if charge.posting and charge.state is not ChargeState.SETTLED:  # else it was settled without the insurer
                await self._take_posting_back(session, charge)
        elif step.kind is StepKind.REFUND:
            await self._ledger.post(f"refund:{step.number}", "refund", f"charge:{charge.id}", refund_lines(step.amount))
            if charge.attention is Reason.REFUND_FAILED:
                charge.attention = await self._refusal(session, charge)
            await self._publish(session, "charge.refunded", charge, amount=step.amount, refund=step.number)

    async def _quoting_done(self, session: AsyncSession, charge: Charge, step: ChargeStep, answer: Done) -> None:
        if step.kind is StepKind.ELIGIBILITY:
            person: Person = answer.value
            if person.insurance is None:
                await self._quote_own(session, charge, person.refusal or _NO_CLAIM)
                return
            charge.person_number = person.number
            charge.expected = write_split(await self._expected(charge, person))
            await self._add_step(session, charge, StepKind.REGISTER)
        elif step.kind is StepKind.PRESETTLE:
            split = explained(answer.value, read_split(charge.expected))
            if _adds_up(split, charge):
                await self._quote(session, charge, split)
            else:
                log.error("a quote that does not add up: charge=%s", charge.id)
                await self._quote_own(session, charge, _BAD_SUM)
        else:
            await self._add_step(session, charge, _NEXT[step.kind])

    async def _expected(self, charge: Charge, person: Person) -> Split:
        """Give what our own tables say that this person's insurance pays."""
        institution = await self._people.institution(charge.institution_id)
        claim = Claim("remote_consultation", institution.level, (Fee(charge.service, to_yuan(charge.fee)),))
        table = table_for(person.region, local(charge.made_at).date())
        return shared(claim, person.claiming("remote_consultation"), table)

    async def _settlement_answered(self, session: AsyncSession, charge: Charge, settlement: Settlement) -> None:
        """Post what was settled, if it is no more for the patient than was quoted; else a person decides. Where one
        has decided before it came, it is taken back: the step that does so has waited for it."""
        charge.settlement = settlement.number
        if charge.state is not ChargeState.SETTLING:
            return
        charge.settled_at = settlement.at
        quoted = read_split(charge.quote)
        split = explained(settlement.split, quoted)
        right = settlement.visit == charge.visit and _adds_up(split, charge)
        if right and quoted is not None and split.cash <= quoted.cash:
            await self._settle(session, charge, split)
            return
        charge.settled = write_split(split)
        await self._dispute(session, charge, Reason.SETTLED_OTHERWISE)

    async def _refused(self, session: AsyncSession, charge: Charge, step: ChargeStep, answer: Refused) -> None:
        log.info("refused: charge=%s step=%s code=%s", charge.id, step.kind, step.code)
        if step.kind in UNDOES:
            for undoing in await self._steps(session, charge, UNDOES[step.kind], states=PENDING):
                self._end_step(undoing, StepState.DROPPED)  # there is nothing to undo
        if step.kind in _QUOTING:
            if charge.state is ChargeState.QUOTING:
                await self._quote_own(session, charge, answer.sentence or _NO_CLAIM)
            self._end_step(step, StepState.DROPPED, step.code)
        elif step.kind is StepKind.SETTLE:
            self._end_step(step, StepState.DROPPED, step.code)
            if charge.state is ChargeState.SETTLING:
                await self._dispute(session, charge, Reason.SETTLEMENT_REFUSED)
        elif step.kind is StepKind.REFUND:
            await self._dispute(session, charge, Reason.REFUND_FAILED)
        else:
            await self._dispute(session, charge, Reason.UNDOING_REFUSED)


def _arrived_after_all(step: ChargeStep, answer: Answer) -> bool:
    """Tell whether a refund that was refused has been given by an earlier try of it that was late."""
    return step.kind is StepKind.REFUND and step.state is StepState.REFUSED and isinstance(answer, Done)


def _adds_up(split: Split, charge: Charge) -> bool:
    return split.total == to_yuan(charge.fee) and all(part >= Decimal(0) for part in split.parts)
