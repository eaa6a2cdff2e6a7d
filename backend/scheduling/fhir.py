"""A booked time as an `Appointment` of FHIR R4. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from backend.fhir.elements import Resource, concept, hl7, instant, reference, uuid_identifier
from backend.scheduling.tables import BookingState
from backend.scheduling.views import BookingView

APPOINTMENT_STATUS: Mapping[BookingState, str] = MappingProxyType(
    {
        BookingState.ACTIVE: "booked",
        BookingState.MOVED: "cancelled",  # another appointment took its place
        BookingState.CANCELLED: "cancelled",
        BookingState.KEPT: "fulfilled",
        BookingState.NO_SHOW: "noshow",
    }
)


def appointment(booking: BookingView, names: Mapping[str, str]) -> Resource:
    """Give a booking.

    Args:
        names: of the patient and the expert, by their identifiers.
    """
    minutes = int((booking.ends_at - booking.starts_at).total_seconds() // 60)
    people = (("Patient", booking.patient_id), ("Practitioner", booking.expert_id))
    return {
        "resourceType": "Appointment",
        "id": booking.id,
        "identifier": [uuid_identifier(booking.id)],
        "status": APPOINTMENT_STATUS[booking.state],
        "serviceType": [concept(text="远程会诊")],
        "appointmentType": concept(hl7("v2-0276", "ROUTINE", "Routine appointment - default if not valued")),
        "start": instant(booking.starts_at),
        "end": instant(booking.ends_at),
        "minutesDuration": minutes,
        "created": instant(booking.made_at),
        "basedOn": [reference("ServiceRequest", booking.consultation_id)],
        "participant": [
            {"actor": reference(type_, one, names.get(one, "")), "required": "required", "status": "accepted"}
            for type_, one in people
        ],
    }
