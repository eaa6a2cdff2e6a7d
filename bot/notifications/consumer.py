"""The one consumer of events that tells people."""

from collections.abc import Awaitable, Callable, Mapping

from backend.events import Event, EventBus
from bot.notifications import (
    administrators,
    amendments,
    bookings,
    charges,
    dispensing,
    emergencies,
    erasures,
    imaging,
    key_images,
    matching,
    medicines,
    monitoring,
    patient_notes,
    preparation,
    prescriptions,
    remuneration,
    reports,
    results,
    rooms,
    slips,
    surveillance,
    tasks,
    teaching,
    teaching_cases,
    thread,
)
from bot.notifications.notifier import Notifier
from bot.services import Services

CONSUMER = "notifications"

Handler = Callable[[Notifier], Awaitable[None]]

UNHEARD = frozenset(
    {
        "consent.given",  # their own turns answer these
        "consent.refused",
        "consent.withdrawn",
        "practitioner.joined",
        "findings.added",  # the expert reads them in the digest
        "offer.declined",  # the search goes on; what comes of it is told
        "opinion.recorded",  # told when the consultation is completed
        "background.changed",  # whoever said it has read it back; prescribers see it when they write
        "observations.recorded",  # the same; what is dangerous is told by its own turn
        "imaging.document_filed",  # the report itself was told of when it was signed
        "charge.paid",  # told when the time is booked, or when it is given back
        "charge.reversed",  # what is given back is told by its own events
        "teaching_case.queued",  # its draft is made, and told of then
        "teaching_case.withdrawn",  # it was the reviewer's, who sees it
        "room.left",  # those inside see it, and the end is told
    }
)
"""Events of which nobody hears, each for its reason."""

_MODULES = (
    emergencies,
    tasks,
    matching,
    bookings,
    charges,
    patient_notes,
    preparation,
    thread,
    rooms,
    imaging,
    key_images,
    teaching,
    teaching_cases,
    reports,
    prescriptions,
    dispensing,
    results,
    remuneration,
    monitoring,
    medicines,
    slips,
    amendments,
    erasures,
    surveillance,
    administrators,
)


def handlers() -> Mapping[str, Handler]:
    """Give the handler of each type of event that anybody hears of."""
    return {type_: handler for module in _MODULES for type_, handler in module.HANDLERS.items()}


def register(bus: EventBus, services: Services) -> None:
    """Let people hear of what happens from now on."""
    known = handlers()

    async def handle(event: Event) -> None:
        await known[event.type](Notifier(services, event))

    bus.subscribe(CONSUMER, known, handle)
