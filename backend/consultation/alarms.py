"""Danger signs that are told after a case was opened."""

from collections.abc import Collection
from typing import Any

from backend.consultation.intake import Intake
from backend.consultation.matching import Matching
from backend.consultation.rules import RUNNING, Urgency
from backend.errors import IllegalMove, InvalidInput
from backend.security.policy import SYSTEM, Action, Actor

_MOST_FLAGS = 50


class Alarms(Intake, Matching):
    """Raising the urgency of a case that is under way."""

    async def raise_alarm(self, actor: Actor, consultation_id: str, red_flags: Collection[dict[str, Any]]) -> None:
        """Add danger signs to a case and make it critical, whatever it was; the same sign twice is one.

        Whoever is being waited for, the doctor or the experts who are asked, has the short limit from now on.

        Args:
            red_flags: JSON values with `code`, at most fifty; what is known already is left out.

        Raises:
            IllegalMove: the case has ended. InvalidInput: no flags, or too many.
        """
        if not 0 < len(red_flags) <= _MOST_FLAGS:
            raise InvalidInput(flags=len(red_flags))
        async with self._database.transaction() as session:
            case = await self._case(session, consultation_id, lock=True)
            self._allow(actor, Action.CONSULTATION_RAISE_ALARM, case)
            if case.status not in RUNNING:
                raise IllegalMove(f"这次会诊{case.status.label}了。情况紧急，请马上打120。", status=case.status.value)
            clinical = await self._clinical(session, case)
            known = {flag["code"] for flag in clinical.red_flags}
            new = [flag for flag in red_flags if flag["code"] not in known]
            if not new and case.urgency is Urgency.CRITICAL:
                return
            clinical.red_flags = [*clinical.red_flags, *new]
            case.urgency = Urgency.CRITICAL
            await self._hurry_task(session, case)
            await self._hurry_offers(session, case)
            await self._record(session, actor, Action.CONSULTATION_RAISE_ALARM, case)
            await self._note(session, SYSTEM, case, "critical", "患者说到危险信号，病情标记为危急，已提醒医生")
            await self._publish(session, case, "consultation.critical")
