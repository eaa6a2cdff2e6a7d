"""The one consumer of events that tells people."""

from collections.abc import Awaitable, Callable, Mapping

from backend.events import Event, EventBus
from bot.notifications import administrators, bookings, matching, preparation, results, tasks, thread
from bot.notifications.notifier import Notifier
from bot.services import Services

CONSUMER = "notifications"

Handler = Callable[[Notifier], Awaitable[None]]

# Heard by nobody, on purpose: opinion.recorded (it is told when the consultation is completed), practitioner.joined and
# consent.* (their own turns answer), findings.added (the expert reads them in the digest).
_MODULES = (tasks, matching, bookings, preparation, thread, results, administrators)


def handlers() -> Mapping[str, Handler]:
    """Give the handler of each type of event that anybody hears of."""
    return {type_: handler for module in _MODULES for type_, handler in module.HANDLERS.items()}


def register(bus: EventBus, services: Services) -> None:
    """Let people hear of what happens from now on."""
    known = handlers()

    async def handle(event: Event) -> None:
        await known[event.type](Notifier(services, event))

    bus.subscribe(CONSUMER, known, handle)
