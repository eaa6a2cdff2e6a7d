"""Codes, passwords, lock-out and the life of a session. Pure functions."""

import base64
import hmac
import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from urllib.parse import quote

from backend.clock import backoff
from backend.errors import InvalidInput
from backend.people.rules import clean_name
from backend.security.policy import Role

CONSOLE_ROLES = {
    Role.ADMINISTRATOR: "平台管理员",
    Role.INSTITUTION_ADMINISTRATOR: "机构管理员",
    Role.AUDITOR: "审计员",
}
"""Roles that an account can have, with the words people read."""

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
LINK_VALID = timedelta(days=1)
RECOVERY_CODES = 10
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128

_TRIES = 5
_FIRST_LOCK = timedelta(minutes=1)
_LONGEST_LOCK = timedelta(hours=1)
_STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20
# Without letters and digits that look alike on paper.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ACCOUNT_NAME = re.compile(r"[\w.@-]{2,40}")


def lock_after(failures: int) -> timedelta | None:
    """Give how long a name is locked after the `failures`-th vain try in a row: not before the fifth, then a minute,
    twice as long each time, at most an hour."""
    if failures < _TRIES:
        return None
    return backoff(failures - _TRIES + 1, _FIRST_LOCK, _LONGEST_LOCK)


def folded_name(text: str) -> str:
    """Give a sign-in name as it is compared: compatibility forms as one, case ignored, no blanks around."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def valid_account_name(text: str) -> str:
    """Give a sign-in name: 2 to 40 letters (Chinese ones too), digits and `. @ - _`.

    Raises:
        InvalidInput: it is none.
    """
    name = clean_name(unicodedata.normalize("NFKC", text))
    if not _ACCOUNT_NAME.fullmatch(name):
        raise InvalidInput("用户名要2到40个字，可以用汉字、字母、数字和 . @ - _。", field="name")
    return name


def valid_password(password: str, name: str) -> str:
    """Give a password as it is hashed (NFKC, after NIST SP 800-63B 5.1.1.2: length counts, not kinds of characters).

    Raises:
        InvalidInput: shorter than 12 characters or longer than 128, it holds the name, or is few characters repeated.
    """
    plain = normal_password(password)
    if not SHORTEST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
        raise InvalidInput(f"密码至少{SHORTEST_PASSWORD}个字符，最多{LONGEST_PASSWORD}个。", field="password")
    if folded_name(name) in plain.casefold() or len(set(plain)) < 5:
        raise InvalidInput("密码太容易猜到，请不要包含用户名，也不要重复几个字符。", field="password")
    return plain


def normal_password(password: str) -> str:
    """Give a password in the one form in which it is hashed and verified."""
    return unicodedata.normalize("NFKC", password)


def new_totp_secret() -> str:
    """Give a fresh secret of 160 bits in base32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def totp_address(secret: str, name: str) -> str:
    """Give the address that an authenticator app reads from a QR code (Key URI Format of Google Authenticator)."""
    return f"otpauth://totp/{quote('桥医')}:{quote(name)}?secret={secret}&issuer={quote('桥医')}"


def time_step(now: datetime) -> int:
    """Give the number of the 30-second step that `now` lies in (RFC 6238, 4.2)."""
    return int(now.timestamp()) // _STEP_SECONDS


def totp(secret: str, step: int, digits: int = _DIGITS) -> str:
    """Give the code of a time step: HOTP with HMAC-SHA-1 (RFC 4226, 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**digits:0{digits}}"


def accepted_step(secret: str, code: str, now: datetime, after: int) -> int | None:
    """Give the time step that `code` is of: this one, the one before or the one after (clocks differ), but a later one
    than `after`; None where it is of none of them."""
    present = time_step(now)
    for step in (present, present - 1, present + 1):
        if step > after and hmac.compare_digest(totp(secret, step), code):
            return step
    return None


def is_totp_code(text: str) -> bool:
    """Tell a code of the app from a recovery code."""
    return len(text) == _DIGITS and text.isascii() and text.isdigit()


def new_recovery_code() -> str:
    """Give a recovery code of 60 bits: three groups of four letters and digits."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join(letters[at : at + 4] for at in range(0, 12, 4))


def normal_code(text: str) -> str:
    """Give a code as it is compared, however it was typed: `abcd efgh-jkmn` is `ABCDEFGHJKMN`."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
