"""Charging: from the quote before a booking to the settlement after the consultation, and all ways back."""

from typing import Any

from sqlalchemy import select

from backend.charging.desk import EXPIRY_TIMER, SLOW_TIMER
from backend.charging.ending import HEARD
from backend.charging.overview import Overseeing
from backend.charging.tables import Charge
from backend.charging.views import ChargeView
from backend.errors import NotFound
from backend.security.policy import Action, Actor, require

CONSUMER = "charging"
_MOST_LISTED = 50


class ChargingService(Overseeing):
    """All use cases of charging: the only code that changes its tables. Where each lives:

    * `opening`: begin, begin_without_insurance; expiry, and an insurer that is slow
    * `paying`: prepay, refresh, notified
    * `ending`: cancel, decide; what follows from the consultation
    * `overview`: search, totals, dossier: charges from above
    * `worker`: run, work: the steps towards insurer and payment provider
    * `moving`, `outcomes`: what each move and each answer brings with it

    Events, each with charge_id, number, state, reason and the identifiers of the case (consultation_id, patient_id,
    speaker_id, doctor_id, expert_id):

    * `charge.quoted`: what is to be paid is known. `charge.delayed`: the insurer has not answered for ten seconds.
    * `charge.paid`: money has come (`amount` in fen). `charge.confirmed`: and the time is booked, or nothing was to be
      paid and the time is booked.
    * `charge.lapsed`: closed and nothing was taken (`reason`: expired, cancelled …).
    * `charge.settled`: the consultation is settled. `charge.disputed`: a person has to look (`reason`).
    * `charge.stalled`: insurer or payment provider have not answered for long (`step`: of what kind, `step_number`,
      `since`: an ISO moment); once, until something clear is heard.
    * `charge.refunding`, `charge.refunded`: of one refund, with `amount` in fen and its number, `refund`.
    * `charge.reversed`: everything is undone and given back.

    Raises (besides what each method names):
        NotFound: no such charge. Forbidden: the policy refuses. IllegalMove: not from this state.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(EXPIRY_TIMER, self._on_expiry)
        self._timers.on(SLOW_TIMER, self._on_slow)
        self._events.subscribe(CONSUMER, HEARD, self._on_event)

    async def of_consultation(self, actor: Actor, consultation_id: str) -> ChargeView | None:
        """Give the charge that a consultation has now, else the last it had; None where it never had one."""
        async with self._database.transaction() as session:
            query = select(Charge).where(Charge.consultation_id == consultation_id)
            newest = query.order_by(Charge.open_for.is_(None), Charge.made_at.desc(), Charge.id.desc()).limit(1)
            charge = await session.scalar(newest)
            if charge is None:
                return None
            await self._allow(session, actor, Action.CHARGE_READ, charge)
            return await self._view(session, charge)

    async def view(self, actor: Actor, charge_id: str) -> ChargeView:
        """Give a charge; the read is audited."""
        async with self._database.transaction() as session:
            charge = await session.get(Charge, charge_id)
            if charge is None:
                raise NotFound("没有找到这笔费用。")
            await self._allow(session, actor, Action.CHARGE_READ, charge)
            return await self._view(session, charge)

    async def bills(self, actor: Actor) -> list[ChargeView]:
        """Give the charges of the actor and of those for whom they speak, the newest first, at most fifty."""
        async with self._database.transaction() as session:
            query = select(Charge).where(Charge.patient_id.in_(actor.own))
            rows = await session.scalars(query.order_by(Charge.made_at.desc(), Charge.id.desc()).limit(_MOST_LISTED))
            charges = list(rows)
            for charge in charges:
                require(actor, Action.CHARGE_READ, patient_id=charge.patient_id)
                await self._record(session, actor, Action.CHARGE_READ, charge)
            return [await self._view(session, charge) for charge in charges]
