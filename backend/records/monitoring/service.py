"""The service of the devices at home: one name for the use cases, which live in files by subject."""

from typing import Any

from backend.events import Event
from backend.records.monitoring.alerts import ESCALATE_TIMER, TELL_TIMER
from backend.records.monitoring.devices import SILENT_TIMER
from backend.records.monitoring.intake import Intake
from data.consent import ConsentKind

CONSUMER = "monitoring"


class MonitoringService(Intake):
    """All use cases of the devices at home. Where each lives:

    * `devices`: begin_pairing, waiting_device, redeem_code, device_of_token, devices, device, remove_device
    * `intake`: take
    * `thresholds`: limits, set_limits, reset_limits, patients_named
    * `alerts`: alert, open_alerts, alerts_of, acknowledge, end; telling and escalation by timers

    Raises (besides what each method names):
        NotFound: no such patient, device or alert. Forbidden: the policy refuses.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(TELL_TIMER, self._on_tell)
        self._timers.on(ESCALATE_TIMER, self._on_unanswered)
        self._timers.on(SILENT_TIMER, self._on_silent)
        self._events.subscribe(CONSUMER, ("consent.withdrawn",), self._on_consent_withdrawn)

    async def _on_consent_withdrawn(self, event: Event) -> None:
        """Whoever takes their consent to care back sends nothing more, and neither do those for whom they speak."""
        if event.payload["kind"] != ConsentKind.CARE:
            return
        actor = await self._people.actor(event.payload["person_id"])
        for patient_id in (actor.person_id, *sorted(actor.wards)):
            await self._remove_devices(patient_id)
