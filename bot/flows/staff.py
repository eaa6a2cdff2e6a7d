"""The flows of those who work here, and of the three-way thread."""

from bot.dialogue import Dialogue
from bot.flows import (
    administrator,
    administrator_invite,
    amendment_answers,
    doctor_attach,
    doctor_cancel,
    doctor_findings,
    doctor_monitoring,
    doctor_new,
    doctor_refill,
    doctor_submit,
    doctor_task,
    emergency,
    expert_case,
    expert_critical,
    expert_give_back,
    expert_hours,
    expert_opinion,
    expert_pay,
    expert_report,
    expert_schedule,
    history,
    offers,
    patient_facts,
    pharmacy,
    photographs,
    prescribing,
    prescription_review,
    prescriptions,
    reports,
    staff_commands,
    staff_home,
    supplement,
    teaching_cases,
    thread,
)

# Interceptors look at a message in this order: commands, then what names a patient's device, then the thread.
_MODULES = (
    staff_commands,
    doctor_monitoring,
    thread,
    staff_home,
    doctor_task,
    doctor_findings,
    doctor_submit,
    doctor_cancel,
    doctor_attach,
    doctor_new,
    doctor_refill,
    emergency,
    supplement,
    offers,
    expert_case,
    photographs,
    expert_give_back,
    expert_opinion,
    expert_report,
    expert_critical,
    amendment_answers,
    reports,
    history,
    prescribing,
    patient_facts,
    prescription_review,
    prescriptions,
    pharmacy,
    expert_schedule,
    expert_hours,
    expert_pay,
    teaching_cases,
    administrator,
    administrator_invite,
)


def register_staff_flows(dialogue: Dialogue) -> None:
    """Add everything that doctors, experts and administrators can do, and the thread that patients share with them.

    Called after `register_patient_flows`: its watch over danger signs must hear every sentence before the thread does.
    """
    for module in _MODULES:
        module.register(dialogue)
