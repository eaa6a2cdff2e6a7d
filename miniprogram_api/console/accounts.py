"""Accounts of the console, for platform administrators."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.console import CONSOLE_ROLES, Link
from backend.security.policy import Role
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, Id
from miniprogram_api.endpoint import Model

_ACCOUNT = {"account_id": "An account."}
_PATH = "/console/api/accounts"


class AccountItem(Model):
    """An account; `ready` once its person has set a password."""

    id: str
    name: str
    role: Role
    role_name: str
    institution_id: str | None
    active: bool
    ready: bool
    created_at: datetime


class AccountItems(Model):
    """All accounts, the newest first."""

    items: list[AccountItem]


class NewAccount(Model):
    """An account to be made; an institution for its administrator, and for nobody else."""

    name: str = Field(min_length=1, max_length=100)
    role: Literal["administrator", "institution_admin", "auditor"]
    institution_id: Id | None = None


class LinkAnswer(Model):
    """The address by which the account's person begins; shown once, good once."""

    account_id: str
    url: str
    expires_at: datetime


class Standing(Model):
    """Whether the account may be used."""

    active: bool


async def _accounts(call: ConsoleCall) -> AccountItems:
    found = await call.context.console.accounts(call.actor)
    return AccountItems(items=[AccountItem(**vars(one), role_name=CONSOLE_ROLES[one.role]) for one in found])


async def _create(call: ConsoleCall) -> LinkAnswer:
    wanted = call.body
    link = await call.context.console.create_account(call.actor, wanted.name, Role(wanted.role), wanted.institution_id)
    return _answer(call, link)


async def _renew_link(call: ConsoleCall) -> LinkAnswer:
    return _answer(call, await call.context.console.renew_link(call.actor, call.path["account_id"]))


async def _set_standing(call: ConsoleCall) -> Done:
    await call.context.console.set_active(call.actor, call.path["account_id"], call.body.active)
    return Done()


def enrolment_url(public_url: str, code: str) -> str:
    """Give the address of a link: its code stands where browsers send nothing to servers, so that no log holds it."""
    return f"{public_url}/console#/begin/{code}"


def _answer(call: ConsoleCall, link: Link) -> LinkAnswer:
    url = enrolment_url(call.context.public_url, link.code)
    return LinkAnswer(account_id=link.account_id, url=url, expires_at=link.expires_at)


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "accounts", "All accounts", _accounts, AccountItems),
    ConsoleEndpoint(
        "POST", _PATH, "createAccount", "Make an account", _create, LinkAnswer, body=NewAccount, status=201
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/{{account_id}}/link",
        "renewLink",
        "Let an account's person begin anew",
        _renew_link,
        LinkAnswer,
        status=201,
        path_parameters=_ACCOUNT,
    ),
    ConsoleEndpoint(
        "PUT",
        f"{_PATH}/{{account_id}}",
        "setStanding",
        "Close or open an account",
        _set_standing,
        Done,
        body=Standing,
        path_parameters=_ACCOUNT,
    ),
)
