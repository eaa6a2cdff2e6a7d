"""What the endpoints may use of the house."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.clock import Clock
from backend.limits import RateLimits
from backend.messaging.identities import Identities
from miniprogram_api.login import Code2Session
from miniprogram_api.sessions import Sessions

if TYPE_CHECKING:
    from backend.consultation import ConsultationService
    from backend.people.service import PeopleService
    from backend.scheduling import SchedulingService


@dataclass(frozen=True)
class Context:
    """The use cases, and how a login becomes a person.

    Attributes:
        identities: gives the person behind a login: the one who talks with the official account where WeChat's union id
            says so, else the mini-program's own person, made at the first login.
        sessions: tokens of the mini-program.
        calendar_links: tokens that open one booking's calendar file.
        limits: how often one person asked lately; more than `requests_a_minute` are refused.
    """

    people: "PeopleService"
    consultations: "ConsultationService"
    scheduling: "SchedulingService"
    code2session: Code2Session
    identities: Identities
    sessions: Sessions
    calendar_links: Sessions
    clock: Clock
    limits: RateLimits
    requests_a_minute: int = 120
