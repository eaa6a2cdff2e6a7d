"""Which media types a client of DICOMweb takes (PS3.18, section 8.7; RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.helpers import parse_mimetype

_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')


@dataclass(frozen=True)
class Wanted:
    """One media type that is taken.

    Args:
        media_type: of a part where `related`, else of the whole answer; "*/*" for any.
        related: whether as parts of a multipart/related answer.
        transfer_syntax: "" where none is named, "*" for whichever is stored.
    """

    media_type: str
    related: bool
    transfer_syntax: str = ""

    def takes(self, media_type: str) -> bool:
        """Tell whether this is, or takes in, a media type."""
        major = self.media_type.partition("/")[0]
        return self.media_type in (media_type, "*/*") or self.media_type == f"{media_type.partition('/')[0]}/*" != major


def wanted(request: web.Request) -> Sequence[Wanted]:
    """Give what the request takes, best first: of the query parameter `accept` or else of the header; everything where
    neither says anything."""
    said = request.query.get("accept", "") or request.headers.get(hdrs.ACCEPT, "")
    found = [_read(part) for part in _COMMA.split(said) if part.strip()]
    ordered = sorted((one for one in found if one[0] > 0), key=lambda one: -one[0])
    return [one for _weight, one in ordered] if found else [Wanted("*/*", related=True)]


def _read(part: str) -> tuple[float, Wanted]:
    given = parse_mimetype(part.strip())
    try:
        weight = float(given.parameters.get("q", "1"))
    except ValueError:
        weight = 0
    syntax = given.parameters.get("transfer-syntax", "")
    whole = f"{given.type}/{given.subtype}".lower()
    if whole in ("multipart/related", "*/*", "multipart/*"):
        return weight, Wanted(given.parameters.get("type", "*/*").lower(), related=True, transfer_syntax=syntax)
    return weight, Wanted(whole, related=False, transfer_syntax=syntax)
