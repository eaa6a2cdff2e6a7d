"""Charges as the parts above charging see them, without insurer and payment provider: views, and the events of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from backend.charging import ChargeState, ChargeView, Reason
from backend.ids import new_id
from backend.insurance.coverage import Split
from backend.security.policy import SYSTEM, Actor
from tests.support.house import House

SPLIT = Split(
    Decimal("150.00"),
    Decimal("20.00"),
    Decimal("0.00"),
    Decimal("30.00"),
    "example",
    ("费用一共200元。", "报销比例：75%，每次最多150元，一年最多1500元。", "医保付150元。", "您要付30元。"),
)
"""200 yuan: 150 by insurance, 20 from the account, 30 by the patient."""


class KnownCharges:
    """Stands for `ChargingService` where only its views are read."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.views: dict[str, ChargeView] = {}

    async def view(self, _actor: Actor, charge_id: str) -> ChargeView:
        """Give a charge."""
        return self.views[charge_id]

    async def settled(self, consultation_id: str, split: Split = SPLIT, at: datetime | None = None) -> str:
        """Let the charge of a consultation be settled; give its id."""
        case = await self._house.services.consultations.get(SYSTEM, consultation_id)
        now = at or self._house.clock.now()
        charge = ChargeView(
            id=new_id(),
            number=f"FY{now:%Y%m%d}-{len(self.views) + 1:04d}-1",
            consultation_id=consultation_id,
            patient_id=case.patient_id,
            state=ChargeState.SETTLED,
            reason=Reason.NONE,
            attention=Reason.NONE,
            insured=True,
            why_not="",
            fee=split.total,
            tariff="example",
            quote=split,
            settled=split,
            paid=split.cash,
            refunding=Decimal("0.00"),
            refunded=Decimal("0.00"),
            kept=Decimal("0.00"),
            slot_id=new_id(),
            starts_at=now,
            expires_at=now + timedelta(minutes=15),
            made_at=now,
            paid_at=now,
            settled_at=now,
            closed_at=None,
            slow=False,
        )
        self.views[charge.id] = charge
        await self._publish("charge.settled", charge)
        return charge.id

    async def reversed(self, charge_id: str) -> None:
        """Let everything of a charge be given back."""
        charge = replace(self.views[charge_id], state=ChargeState.REVERSED, reason=Reason.DECIDED)
        self.views[charge_id] = replace(charge, refunded=charge.paid, closed_at=self._house.clock.now())
        await self._publish("charge.reversed", charge)

    async def _publish(self, type_: str, charge: ChargeView) -> None:
        case = await self._house.services.consultations.get(SYSTEM, charge.consultation_id)
        async with self._house.database.transaction() as session:
            await self._house.events.publish(
                session,
                type_,
                charge_id=charge.id,
                number=charge.number,
                state=charge.state,
                reason=charge.reason,
                consultation_id=charge.consultation_id,
                patient_id=charge.patient_id,
                speaker_id=case.speaker_id,
                doctor_id=case.doctor_id,
                expert_id=case.expert_id,
            )
        await self._house.settle()
