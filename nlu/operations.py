"""What is said of operations: done, not done, or merely asked about."""

import re
from collections.abc import Iterable

from nlu.lexicon import Match
from nlu.normalise import Normalised
from nlu.types import Statement, Status

_CLAUSE_MARK = re.compile(r"[,。!?;]")
_REACH = 14
_DENIED_BEFORE = re.compile(
    r"(?:没有?|未|无|不曾|从来没|否认)(?:再|去|怎么|给|有)*(?:做|放|装|开|动|上|安|打|输|挂|吊|住)?(?:过|了|什么|任何|大)*[^,。!?;]{0,2}$"
)
_DENIED_AFTER = re.compile(
    r"^(?:手术|术|史)*(?:都|也|还)*(?:没有?|未|不)(?:有)?(?:做|放|装|开|动|上)(?!得|好)|^(?:都|也|还)*没有?(?=$|[,。!;])"
)
_OPEN_BEFORE = re.compile(
    r"(?:要不要|需不需要|用不用|能不能|可不可以|是否|是不是|有没有|需要|应该|该|可以|必须|必要|还要|想|准备|打算|建议|让|叫|不想|害怕|怕|"
    r"如果|假如|要是|除了|或者?|还是|不能|能|要|得|考虑|等)[^,。!?;]{0,8}$"
)
_OPEN_AFTER = re.compile(
    r"^[^,。!?;]{0,10}(?:吗|么\b|嘛|\?|多少钱|贵不贵|风险|怎么样|好不好|行不行|危险|成功率|有必要|能活|可以不|的话|哪[家个里])"
)
_DONE_BEFORE = re.compile(
    r"(?:做|放|装|安|上|开|动|打|植入|搭)(?:了|过|完|的|有)|曾|以前|去年|前年|年前|刚|已经|\d年[^,。]{0,3}$"
)
_DONE_AFTER = re.compile(r"^(?:手术|术)?(?:后|以后|之后|完|了|做了|术后|已经|成功|史|\d+(?:年|个?月|天))")


def find_operations(source: Normalised, masked: str, matches: Iterable[Match]) -> tuple[Statement, ...]:
    """The operations that ``matches`` name, one each: had (positive), not had, or asked about or planned (unknown).

    ``masked`` is the text with all matches blanked, so that no word of one colours another.
    """
    found: dict[str, Statement] = {}
    for match in matches:
        first, last = source.span(match.start, match.end)
        text = source.original[first:last]
        status = _status(masked, match, text)
        known = found.get(match.name)
        if known is None or known.status is Status.UNKNOWN:
            found[match.name] = Statement(name=match.name, text=text, status=status, start=first, end=last)
    return tuple(found.values())


def _status(masked: str, match: Match, text: str) -> Status:
    before = _CLAUSE_MARK.split(masked[max(0, match.start - _REACH) : match.start])[-1]
    after = masked[match.end : match.end + _REACH]
    if _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after):
        return Status.NEGATIVE
    if _DONE_BEFORE.search(before) or _DONE_AFTER.match(after) or re.search("了|过|史|术后", text):
        return Status.UNKNOWN if re.match(r"^[^,。!?;]{0,4}(?:吗|没有?\?)", after) else Status.POSITIVE
    if _OPEN_BEFORE.search(before) or _OPEN_AFTER.match(after):
        return Status.UNKNOWN
    return Status.POSITIVE
