"""Refusals as FHIR tells them: `OperationOutcome` and the status of HTTP. Pure.

Source: FHIR R4, sections 3.1.0 (http) and 2.26 (OperationOutcome), value set issue-type.
"""

from backend.errors import Conflict, ConsentRequired, DomainError, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.fhir.elements import Resource, coding, concept
from backend.fhir.searching import TooCostly
from backend.fhir.systems import PROBLEM


class Unsupported(InvalidInput):
    """A parameter, a modifier or a way of sorting that is not offered."""

    code = "not_supported"
    sentence = "这里不支持这种查找方式。"


class UnknownType(NotFound):
    """No resources of this type are given out."""

    code = "unknown_type"
    sentence = "这里没有这一类资料。"


class Expired(DomainError):
    """A page of a search that was begun too long ago."""

    code = "expired"
    sentence = "这次查找已经过期，请从头再找一次。"


_KINDS: tuple[tuple[type[DomainError], int, str], ...] = (
    (Unsupported, 400, "not-supported"),
    (TooCostly, 403, "too-costly"),
    (InvalidInput, 400, "invalid"),
    (ConsentRequired, 403, "suppressed"),
    (Forbidden, 403, "forbidden"),
    (UnknownType, 404, "not-supported"),
    (NotFound, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (IllegalMove, 422, "business-rule"),
    (Expired, 410, "not-found"),
)


def status_of(refusal: DomainError) -> tuple[int, str]:
    """Give the status of HTTP and the code of the issue for a refusal."""
    return next(((status, code) for kind, status, code in _KINDS if isinstance(refusal, kind)), (400, "processing"))


def outcome(code: str, problem: str, sentence: str, *, severity: str = "error", place: str = "") -> Resource:
    """Give an `OperationOutcome` with one issue.

    Args:
        code: of the value set issue-type. problem: our own stable code. sentence: for people.
        place: the parameter that it is about; "" for none.
    """
    issue: Resource = {
        "severity": severity,
        "code": code,
        "details": concept(coding(PROBLEM, problem), text=sentence),
    }
    if place:
        issue["diagnostics"] = place
    return {"resourceType": "OperationOutcome", "issue": [issue]}
