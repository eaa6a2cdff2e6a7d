"""Signing in and out, the account's sessions, and the link by which somebody begins."""

from datetime import datetime

import segno
from pydantic import Field

from backend.console import CONSOLE_ROLES, Enrolment
from backend.console.rules import LONGEST_PASSWORD
from backend.security.policy import Role
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, WithCookie
from miniprogram_api.endpoint import Model

_LINK = {404: "No such link, or it was used or is over."}
_SESSION = {"session_id": "A session of the account."}
_LONGEST_INPUT = 4 * LONGEST_PASSWORD


class SignInRequest(Model):
    """Name, password, and a code of the app or a recovery code."""

    name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=_LONGEST_INPUT)
    code: str = Field(min_length=1, max_length=40)


class ConsoleSessionAnswer(Model):
    """Who is signed in. `csrf_token` goes with every changing call as `X-CSRF-Token`; `now` is the product's time."""

    session_id: str
    name: str
    role: Role
    role_name: str
    institution_id: str | None
    ends_at: datetime
    now: datetime
    csrf_token: str


class SessionItem(Model):
    """A session of the account; `own` is the one that asks."""

    id: str
    began_at: datetime
    seen_at: datetime
    address: str
    browser: str
    own: bool


class SessionItems(Model):
    """The account's sessions."""

    items: list[SessionItem]


class LinkCode(Model):
    """The code of a link."""

    code: str = Field(min_length=1, max_length=100)


class EnrolmentAnswer(Model):
    """What a link is for; the app takes `secret`, or reads `picture`, a `data:` address."""

    name: str
    role_name: str
    secret: str
    picture: str


class EnrolmentRequest(LinkCode):
    """The chosen password, and the code that the app shows now."""

    password: str = Field(min_length=1, max_length=_LONGEST_INPUT)
    totp_code: str = Field(min_length=1, max_length=20)


class RecoveryCodes(Model):
    """Shown once."""

    recovery_codes: list[str]


async def _sign_in(call: ConsoleCall) -> WithCookie:
    wanted, console = call.body, call.context.console
    token, held = await console.sign_in(wanted.name, wanted.password, wanted.code, call.address, call.browser)
    asked_by = ConsoleCall(call.context, held, call.path, call.query, call.body, call.address, call.browser)
    return WithCookie(answer=await _me(asked_by), token=token)


async def _me(call: ConsoleCall) -> ConsoleSessionAnswer:
    held = call.signed_in
    [role] = held.actor.roles
    return ConsoleSessionAnswer(
        session_id=held.session_id,
        name=held.name,
        role=role,
        role_name=CONSOLE_ROLES[role],
        institution_id=held.actor.institution_id,
        ends_at=held.ends_at,
        now=call.context.clock.now(),
        csrf_token=call.context.console.csrf_token(held.session_id),
    )


async def _sign_out(call: ConsoleCall) -> WithCookie:
    await call.context.console.end_session(call.signed_in, call.signed_in.session_id)
    return WithCookie(answer=Done(), token="")


async def _sessions(call: ConsoleCall) -> SessionItems:
    found = await call.context.console.sessions(call.signed_in)
    own = call.signed_in.session_id
    return SessionItems(items=[SessionItem(**vars(one), own=one.id == own) for one in found])


async def _end_session(call: ConsoleCall) -> Done:
    await call.context.console.end_session(call.signed_in, call.path["session_id"])
    return Done()


async def _begin_enrolment(call: ConsoleCall) -> EnrolmentAnswer:
    found: Enrolment = await call.context.console.enrolment(call.body.code)
    picture: str = segno.make(found.totp_address, error="m", micro=False).svg_data_uri(border=2, scale=5)
    return EnrolmentAnswer(
        name=found.name, role_name=CONSOLE_ROLES[found.role], secret=found.totp_secret, picture=picture
    )


async def _enrol(call: ConsoleCall) -> RecoveryCodes:
    wanted = call.body
    return RecoveryCodes(
        recovery_codes=await call.context.console.enrol(wanted.code, wanted.password, wanted.totp_code)
    )


_PATH = "/console/api/session"
ENDPOINTS = (
    ConsoleEndpoint(
        "POST",
        _PATH,
        "consoleSignIn",
        "Sign in",
        _sign_in,
        ConsoleSessionAnswer,
        body=SignInRequest,
        status=201,
        open=True,
    ),
    ConsoleEndpoint("GET", _PATH, "consoleSession", "Who is signed in", _me, ConsoleSessionAnswer),
    ConsoleEndpoint("DELETE", _PATH, "consoleSignOut", "Sign out", _sign_out, Done),
    ConsoleEndpoint(
        "GET", "/console/api/sessions", "consoleSessions", "The account's sessions", _sessions, SessionItems
    ),
    ConsoleEndpoint(
        "DELETE",
        "/console/api/sessions/{session_id}",
        "endConsoleSession",
        "End a session of the account",
        _end_session,
        Done,
        path_parameters=_SESSION,
    ),
    ConsoleEndpoint(
        "POST",
        "/console/api/enrolment/begin",
        "beginEnrolment",
        "What a link is for",
        _begin_enrolment,
        EnrolmentAnswer,
        body=LinkCode,
        open=True,
        refusals=_LINK,
    ),
    ConsoleEndpoint(
        "POST",
        "/console/api/enrolment",
        "enrol",
        "Set password and second factor",
        _enrol,
        RecoveryCodes,
        body=EnrolmentRequest,
        status=201,
        open=True,
        refusals=_LINK,
    ),
)
