"""The console's accounts: who may sign in, how, and for how long."""

from backend.console.rules import CONSOLE_ROLES
from backend.console.service import ConsoleService
from backend.console.views import (
    AccountView,
    Enrolment,
    Link,
    LinkRefused,
    SessionOver,
    SessionView,
    SignedIn,
    SignInLocked,
    SignInRefused,
)

__all__ = [
    "CONSOLE_ROLES",
    "AccountView",
    "ConsoleService",
    "Enrolment",
    "Link",
    "LinkRefused",
    "SessionOver",
    "SessionView",
    "SignInLocked",
    "SignInRefused",
    "SignedIn",
]
