"""What the console's endpoints have beside those of the mini-program: somebody who is signed in, files, a cookie."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, StringConstraints

from backend.console import SignedIn
from backend.errors import DomainError
from backend.security.policy import Actor
from miniprogram_api.address import Networks
from miniprogram_api.endpoint import Endpoint, Model

if TYPE_CHECKING:
    from backend.analytics import AnalyticsService
    from backend.charging import ChargingService, ReconciliationService
    from backend.clock import Clock
    from backend.console import ConsoleService
    from backend.consultation import ConsultationService
    from backend.dispensing import DispensingService
    from backend.imaging import ImagingService
    from backend.limits import RateLimits
    from backend.messaging.channel import ChannelService
    from backend.messaging.undelivered import UndeliveredService
    from backend.operations import Operations
    from backend.people import PeopleService
    from backend.prescription import PrescriptionService
    from backend.remuneration import RemunerationService
    from backend.research import ResearchExports
    from backend.rights import Amendments
    from backend.scheduling import SchedulingService
    from backend.security.audit import AuditLog
    from backend.surveillance.service import SurveillanceService
    from backend.teaching_cases import TeachingCaseService

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""An identifier."""


class WechatAway(DomainError):
    """WeChat refused or did not answer."""

    code = "wechat_away"
    sentence = "微信暂时没有回应，请过一会儿再试。"


class NothingCharged(DomainError):
    """Where the county pays there are no charges."""

    code = "nothing_charged"
    sentence = "这个平台没有开通收费：会诊不向患者收钱，所以没有费用、对账和劳务费。"


@dataclass(frozen=True)
class Money:
    """The services of money, which are there together or not at all."""

    charging: "ChargingService"
    reconciliation: "ReconciliationService"
    remuneration: "RemunerationService"


@dataclass(frozen=True)
class ConsoleContext:
    """What the console's endpoints may use of the house.

    Attributes:
        invitation_picture: makes the QR code of a scene that is good for so many seconds, as a `data:` address.
        parts: tells of each loop of this process whether it runs.
        public_url: how browsers reach the product; over http on loopback alone.
        requests_a_minute: more of one session are refused.
        held_money: the services of money; None where nothing is charged.
    """

    console: "ConsoleService"
    people: "PeopleService"
    consultations: "ConsultationService"
    scheduling: "SchedulingService"
    analytics: "AnalyticsService"
    surveillance: "SurveillanceService"
    undelivered: "UndeliveredService"
    channel: "ChannelService"
    operations: "Operations"
    teaching_cases: "TeachingCaseService"
    audit: "AuditLog"
    imaging: "ImagingService"
    prescriptions: "PrescriptionService"
    dispensing: "DispensingService"
    exports: "ResearchExports"
    amendments: "Amendments"
    invitation_picture: Callable[[str, int], Awaitable[str]]
    parts: Callable[[], Mapping[str, bool]]
    public_url: str
    clock: "Clock"
    limits: "RateLimits"
    held_money: Money | None = None
    trusted_proxies: Networks = ()
    requests_a_minute: int = 300

    @property
    def money(self) -> Money:
        """The services of money. Raises NothingCharged where there are none."""
        if self.held_money is None:
            raise NothingCharged
        return self.held_money


@dataclass(frozen=True)
class ConsoleCall:
    """One request of a page of the console, checked against its endpoint.

    Attributes:
        held: who is signed in; None for an open endpoint.
        path: the path's parameters.
        query, body: instances of the endpoint's models; the body is bytes where the endpoint takes a file.
        address, browser: from which the request came.
    """

    context: ConsoleContext
    held: SignedIn | None
    path: Mapping[str, str]
    query: Any
    body: Any
    address: str
    browser: str

    @property
    def signed_in(self) -> SignedIn:
        """Who is signed in."""
        assert self.held is not None  # noqa: S101  # an endpoint that is not open is not reached without
        return self.held

    @property
    def actor(self) -> Actor:
        """Who asks, for the policy."""
        return self.signed_in.actor


class ConsoleEndpoint(Endpoint):
    """One operation of the console."""


class Done(Model):
    """It is done."""


class WithCookie(BaseModel):
    """An answer that begins a session, or ends it where `token` is empty."""

    answer: BaseModel
    token: str
