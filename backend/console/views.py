"""What the console's accounts show of themselves."""

from dataclasses import dataclass, field
from datetime import datetime

from backend.errors import DomainError
from backend.security.policy import Actor, Role


class SignInRefused(DomainError):
    """Name, password or code is wrong; which of them is not told."""

    code = "sign_in_refused"
    sentence = "用户名、密码或验证码不对，请检查后再试。"


class SignInLocked(DomainError):
    """This name was tried too often in vain; `retry_after` says for how many seconds it is locked."""

    code = "sign_in_locked"
    sentence = "试的次数太多了，请过一会儿再试。"


class SessionOver(DomainError):
    """Nobody is signed in, or no longer."""

    code = "session_over"
    sentence = "登录已结束，请重新登录。"


class LinkRefused(DomainError):
    """The link is unknown, used or over."""

    code = "link_refused"
    sentence = "这个链接已经用过或过期了，请向管理员要一个新的。"


@dataclass(frozen=True)
class AccountView:
    """An account; `ready` once its person has set password and second factor."""

    id: str
    name: str = field(repr=False)
    role: Role
    institution_id: str | None
    active: bool
    ready: bool
    created_at: datetime


@dataclass(frozen=True)
class Link:
    """A fresh link's code. It is shown once and never stored."""

    account_id: str
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Enrolment:
    """What a link is for: whose account, and the secret that their app takes."""

    name: str = field(repr=False)
    role: Role
    totp_secret: str = field(repr=False)
    totp_address: str = field(repr=False)


@dataclass(frozen=True)
class SignedIn:
    """Somebody who is signed in, as the policy knows them."""

    session_id: str
    name: str = field(repr=False)
    actor: Actor
    ends_at: datetime


@dataclass(frozen=True)
class SessionView:
    """A session that has not ended."""

    id: str
    began_at: datetime
    seen_at: datetime
    address: str = field(repr=False)
    browser: str = field(repr=False)
