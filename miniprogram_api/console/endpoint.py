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
    from backend.clock import Clock
    from backend.console import ConsoleService
    from backend.consultation import ConsultationService
    from backend.limits import RateLimits
    from backend.messaging.undelivered import UndeliveredService
    from backend.operations import Operations
    from backend.people import PeopleService
    from backend.security.audit import AuditLog
    from backend.surveillance.service import SurveillanceService

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""An identifier."""


class WechatAway(DomainError):
    """WeChat refused or did not answer."""

    code = "wechat_away"
    sentence = "微信暂时没有回应，请过一会儿再试。"


@dataclass(frozen=True)
class ConsoleContext:
    """What the console's endpoints may use of the house.

    Attributes:
        invitation_picture: makes the QR code of a scene that is good for so many seconds, as a `data:` address.
        parts: tells of each loop of this process whether it runs.
        public_url: how browsers reach the product; over http on loopback alone.
        requests_a_minute: more of one session are refused.
    """

    console: "ConsoleService"
    people: "PeopleService"
    consultations: "ConsultationService"
    analytics: "AnalyticsService"
    surveillance: "SurveillanceService"
    undelivered: "UndeliveredService"
    operations: "Operations"
    audit: "AuditLog"
    invitation_picture: Callable[[str, int], Awaitable[str]]
    parts: Callable[[], Mapping[str, bool]]
    public_url: str
    clock: "Clock"
    limits: "RateLimits"
    trusted_proxies: Networks = ()
    requests_a_minute: int = 300


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


@dataclass(frozen=True)
class ConsoleEndpoint(Endpoint):
    """One operation of the console.

    Args:
        largest_file: it takes a file of at most so many bytes, as `application/octet-stream`, instead of JSON.
    """

    largest_file: int = 0


class Done(Model):
    """It is done."""


class WithCookie(BaseModel):
    """An answer that begins a session, or ends it where `token` is empty."""

    answer: BaseModel
    token: str
