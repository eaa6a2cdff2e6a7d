"""The consultation service: one name for the use cases, which live in files by subject."""

from typing import Any

from backend.consultation.alarms import Alarms
from backend.consultation.appointments import NO_SHOW_TIMER, REMINDER_TIMER
from backend.consultation.calibration import Calibration
from backend.consultation.content import Contents
from backend.consultation.intake import TASK_TIMER
from backend.consultation.lookup import Lookup
from backend.consultation.matching import OFFERS_TIMER
from backend.consultation.meetings import Meetings
from backend.consultation.outcomes import Outcomes
from backend.consultation.patient_notes import PatientNotes
from backend.consultation.pictures import Pictures
from backend.consultation.signs import Signs
from backend.consultation.steering import Steering
from backend.consultation.supplements import Supplements
from backend.consultation.thread import Thread


class ConsultationService(
    Steering,
    Calibration,
    Supplements,
    PatientNotes,
    Pictures,
    Thread,
    Alarms,
    Meetings,
    Contents,
    Lookup,
    Outcomes,
    Signs,
):
    """All use cases of consultations. Where each lives:

    * `intake`: open, open_by_doctor, acknowledge_task, add_findings; a task that nobody looks at
    * `offers`: offers_of, offers_for, offer, accept_offer, decline_offer, assign_expert, response_statistics
    * `matching`: the search for an expert, which `submit` begins and timers carry on
    * `appointments`: bookable_slots, booking, book, reschedule, cancel_booking, record_no_show; reminders
    * `supplements`: request_supplement, answer_supplement, supplements, waiting_for_supplement
    * `patient_notes`: add_patient_note
    * `pictures`: pictures
    * `thread`: post, messages, message, focus, set_focus
    * `opinions`: record_opinion, rate
    * `alarms`: raise_alarm
    * `meetings`: meeting, note_meeting, publish_meeting, for the place where its people meet
    * `lifecycle`: submit, give_back, start, complete, cancel
    * `steering`: search, overviews, queue, reassign, for who steers without reading what is clinical
    * `calibration`: weights, try_weights, publish_weights, for who decides what experts are compared by
    * `outcomes`: outcome, what a case came to, for figures
    * `signs`: signs, what a case shows, for counts of many
    * `lookup`: reference, reference_by_number, running_references, running_at, references_of,
      note; for other subjects of the backend
    * `content`: content, what a case has learned of its patient
    * `reading`: get, list_for, timeline, attach, attachments, open_file

    Each of them is one transaction (part of the caller's where there is one) that locks the consultation, asks the
    policy, checks the state machine in `rules`, writes the audit entry and the timeline, and publishes what happened.

    Raises (besides what each method names):
        NotFound: no such consultation. Forbidden: the policy refuses. IllegalMove: not from this status.
        Conflict: somebody else was first.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(TASK_TIMER, self._on_task_overdue)
        self._timers.on(OFFERS_TIMER, self._on_offers_due)
        self._timers.on(REMINDER_TIMER, self._on_reminder)
        self._timers.on(NO_SHOW_TIMER, self._on_no_show)
