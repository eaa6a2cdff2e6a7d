"""Logging in, and who is logged in."""

from datetime import datetime

from pydantic import Field

from miniprogram_api.endpoint import Call, Endpoint, Model

CHANNEL = "miniprogram"


class LoginRequest(Model):
    """The code that `wx.login` gave, good for five minutes and one use."""

    code: str = Field(min_length=1, max_length=256, pattern=r"^[!-~]+$")


class SessionAnswer(Model):
    """A session: send the token as `Authorization: Bearer …` until it ends."""

    token: str
    expires_at: datetime


class MeAnswer(Model):
    """The person who is logged in, and whether the present consent was given."""

    person_id: str
    roles: list[str]
    consent_version: str
    consent_given: bool


async def _login(call: Call) -> SessionAnswer:
    identity = await call.context.code2session.identify(call.body.code)
    person_id = await call.context.identities.person_at(CHANNEL, identity.openid, identity.unionid)
    token, until = call.context.sessions.mint(person_id)
    return SessionAnswer(token=token, expires_at=until)


async def _me(call: Call) -> MeAnswer:
    people = call.context.people
    return MeAnswer(
        person_id=call.actor.person_id,
        roles=sorted(call.actor.roles),
        consent_version=people.consent_document().version,
        consent_given=await people.has_consent(call.actor.person_id),
    )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/session",
        "login",
        "Log in with a code of wx.login",
        _login,
        SessionAnswer,
        body=LoginRequest,
        status=201,
        open=True,
    ),
    Endpoint("GET", "/api/v1/me", "me", "Who is logged in", _me, MeAnswer),
)
