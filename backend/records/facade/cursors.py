"""Where the next page of a search begins: everything about it, sealed, so that an address tells nobody what was asked
for, and nobody can make one up."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backend.db import key_ring
from backend.errors import InvalidInput
from backend.fhir.searching import Position
from backend.records.facade.outcomes import Expired
from backend.security.errors import KeyRingError

VALID_FOR = timedelta(hours=1)

_COLUMN = "fhir.cursor"
_LONGEST = 8000


@dataclass(frozen=True)
class Cursor:
    """The rest of a search.

    Args:
        person_id: whose search it is.
    """

    type: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    after: Position
    person_id: str


def seal(cursor: Cursor, now: datetime) -> str:
    """Give the cursor as a text that is good for an hour."""
    key = cursor.after.key
    content = [
        cursor.type,
        cursor.parameters,
        key.isoformat() if isinstance(key, datetime) else key,
        isinstance(key, datetime),
        cursor.after.id,
        cursor.person_id,
        (now + VALID_FOR).timestamp(),
    ]
    sealed = key_ring().encrypt(json.dumps(content).encode(), _COLUMN)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(text: str, type_: str, person_id: str, now: datetime) -> Cursor:
    """Give what `seal` sealed.

    Raises:
        InvalidInput: it is none of ours, of another type, or of somebody else. Expired: it is too old.
    """
    wrong = InvalidInput("翻页的地址不对，请从头再找一次。", field="_cursor")
    if len(text) > _LONGEST or not text.isascii():
        raise wrong
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = json.loads(key_ring().decrypt(sealed, _COLUMN))
    except (ValueError, KeyRingError):
        raise wrong from None
    sealed_type, parameters, key, is_moment, identifier, whose, until = content
    if (sealed_type, whose) != (type_, person_id):
        raise wrong
    if now.timestamp() >= until:
        raise Expired
    after = Position(datetime.fromisoformat(key) if is_moment else key, identifier)
    return Cursor(type_, tuple((name, value) for name, value in parameters), after, whose)
