"""Charging: from the quote before a booking to the settlement after the consultation, and all ways back."""

from collections.abc import Mapping
from typing import Literal

from backend.charging.views import ChargeView
from backend.security.policy import Actor

Decision = Literal["bear", "reverse", "again"]


class ChargingService:
    """All use cases of charging: the only code that changes its tables.

    Events, each with charge_id, number, state, reason and the identifiers of the case (consultation_id, patient_id,
    speaker_id, doctor_id, expert_id):

    * `charge.quoted`: what is to be paid is known. `charge.delayed`: the insurer has not answered for ten seconds.
    * `charge.paid`: money has come. `charge.confirmed`: and the time is booked (also where nothing was to be paid).
    * `charge.lapsed`: closed and nothing was taken (`reason`: expired, cancelled …).
    * `charge.settled`: the consultation is settled. `charge.disputed`: a person has to look (`reason`).
    * `charge.refunding`, `charge.refunded`: of one refund, with `amount` in fen and its `number`.
    * `charge.reversed`: everything is undone and given back.

    Raises (besides what each method names):
        NotFound: no such charge. Forbidden: the policy refuses. IllegalMove: not from this state.
    """

    async def begin(self, actor: Actor, consultation_id: str, slot_id: str) -> ChargeView:
        """Hold a slot for the patient and ask insurance what it pays of it. Another slot of the same consultation: the
        hold moves and the charge stays.

        Raises:
            Conflict: somebody else has the slot, or a time is booked already. NotFound: no such slot of this expert.
            IllegalMove: the consultation cannot be booked now.
        """
        raise NotImplementedError

    async def begin_without_insurance(self, actor: Actor, consultation_id: str, slot_id: str) -> ChargeView:
        """The same, paid by the patient alone; a charge whose insurer has not answered is paid so from here on.

        Raises: as `begin`.
        """
        raise NotImplementedError

    async def of_consultation(self, actor: Actor, consultation_id: str) -> ChargeView | None:
        """Give the charge that a consultation has now, else the last it had."""
        raise NotImplementedError

    async def view(self, actor: Actor, charge_id: str) -> ChargeView:
        """Give a charge; the read is audited."""
        raise NotImplementedError

    async def bills(self, actor: Actor) -> list[ChargeView]:
        """Give the charges of the actor and of those for whom they speak, the newest first, at most fifty."""
        raise NotImplementedError

    async def prepay(self, actor: Actor, charge_id: str) -> Mapping[str, str]:
        """Give what the actor's WeChat needs to pay; whoever pays, there is one open order at a time.

        Raises:
            IllegalMove: there is nothing to pay, or not any more. Conflict: it is being paid on another phone, or was
                paid a moment ago. PaymentDown: the provider gives no answer.
        """
        raise NotImplementedError

    async def refresh(self, actor: Actor, charge_id: str) -> ChargeView:
        """Ask the provider now what became of the open order, and give the charge as it stands then."""
        raise NotImplementedError

    async def cancel(self, actor: Actor, charge_id: str, reason: str = "") -> ChargeView:
        """Take it back: unpaid, the time is given back and nothing is taken; paid, the booking is cancelled and
        everything paid is given back.

        Raises:
            IllegalMove: the consultation has begun, or it is settled.
        """
        raise NotImplementedError

    async def notified(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take what the provider tells by itself. What comes twice changes nothing.

        Raises:
            ForgedNotification: it is not the provider's, or not for us; nothing has moved.
        """
        raise NotImplementedError

    async def attention(self, actor: Actor) -> list[ChargeView]:
        """Give, for an administrator, the charges that wait for a person, the oldest first."""
        raise NotImplementedError

    async def decide(self, actor: Actor, charge_id: str, decision: Decision, reason: str) -> ChargeView:
        """Decide as an administrator: the platform bears the difference, everything is reversed, or a step that was
        refused is tried again under a new number. It is audited with its reason."""
        raise NotImplementedError
