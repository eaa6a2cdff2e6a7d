"""Faults on demand: what goes wrong, where, for whom and how often."""

from dataclasses import asdict, dataclass
from itertools import count

from sandbox.errors import JsonObject, bad_request, not_found

CALLBACK = "callback"
PAY_NOTIFICATION = "pay_notification"
PAY_CALLS = "/v3/"
"""With what the paths of WeChat Pay begin."""
CALLBACK_KINDS = ("duplicate", "drop_reply", "bad_signature", "stale_timestamp")
INSURER = "/insurer/"
INSURER_KINDS = ("twice", "late", "bad_signature", "foreign_answer", "negative", "wrong_sum")
PAY_CALL_KINDS = ("tampered_amount", "bad_signature", "stale_timestamp")
PAY_NOTIFICATION_KINDS = ("duplicate", "reorder", *PAY_CALL_KINDS)
MAX_FAULTS = 1_000
MAX_LATENCY_MS = 60_000


@dataclass(slots=True)
class Fault:
    """One fault. ``times`` is how often it still happens; None: until it is removed."""

    id: int
    path: str | None = None
    openid: str | None = None
    errcode: int | None = None
    status: int | None = None
    latency_ms: int = 0
    times: int | None = None
    body: str | None = None
    drop: str | None = None
    kind: str | None = None
    copies: int = 2

    def fits(self, path: str, openid: str | None) -> bool:
        """Whether the fault is meant for a call. Without a path it means every call of the product, no callback."""
        if self.openid is not None and self.openid != openid:
            return False
        if self.path is None:
            return path not in (CALLBACK, PAY_NOTIFICATION)
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


def _kinds_of(path: str) -> tuple[str, ...]:
    """The kinds that a fault of this path may be of."""
    for prefix, kinds in ((PAY_CALLS, PAY_CALL_KINDS), (INSURER, INSURER_KINDS)):
        if path.startswith(prefix):
            return kinds
    return {CALLBACK: CALLBACK_KINDS, PAY_NOTIFICATION: PAY_NOTIFICATION_KINDS}.get(path, ())


def _integer(fields: JsonObject, name: str, low: int, high: int) -> None:
    value = fields.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high):
        raise bad_request("fault_invalid", f"故障设置不对：{name} 要是 {low} 到 {high} 的整数。")


class Faults:
    """The faults in force, in the order in which they were set; the first that fits a call happens to it."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._ids = count(1)

    def add(self, fields: JsonObject) -> Fault:
        """Set a fault from the fields of POST /api/faults; 400 ``fault_invalid`` where they make no sense."""
        known = {"path", "openid", "errcode", "status", "latency_ms", "times", "body", "drop", "kind", "copies"}
        if unknown := set(fields) - known:
            raise bad_request("fault_invalid", f"故障设置不对：不认识 {'、'.join(sorted(unknown))}。")
        _integer(fields, "errcode", -1, 99_999_999)
        _integer(fields, "status", 100, 599)
        _integer(fields, "latency_ms", 0, MAX_LATENCY_MS)
        _integer(fields, "times", 1, 1_000_000)
        _integer(fields, "copies", 2, 20)
        for name in ("path", "openid", "body", "drop", "kind"):
            if not isinstance(fields.get(name), str | None):
                raise bad_request("fault_invalid", f"故障设置不对：{name} 要是文字。")
        if fields.get("drop") not in (None, "before", "after"):
            raise bad_request("fault_invalid", "故障设置不对：drop 只能是 before 或 after。")
        given = {name: value for name, value in fields.items() if value is not None}
        kinds = _kinds_of(str(given.get("path", CALLBACK)))
        if "kind" in given and given["kind"] not in kinds:
            raise bad_request("fault_invalid", f"故障设置不对：kind 在这里只能是 {'、'.join(kinds) or '空'}。")
        if "kind" in given:
            given.setdefault("path", CALLBACK)
        if len(self._faults) >= MAX_FAULTS:
            raise bad_request("too_many_faults", "故障太多了，请先清除一些。")
        fault = Fault(id=next(self._ids), **given)
        self._faults[fault.id] = fault
        return fault

    def take(self, path: str, openid: str | None) -> Fault | None:
        """The fault that happens to a call now, counted as happened; None where all goes well."""
        for fault in self._faults.values():
            if fault.fits(path, openid):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        del self._faults[fault.id]
                return fault
        return None

    def all(self) -> list[JsonObject]:
        """Every fault in force, as JSON."""
        return [asdict(fault) for fault in self._faults.values()]

    def remove(self, fault_id: int) -> None:
        """Remove one fault; 404 ``fault_unknown``."""
        if self._faults.pop(fault_id, None) is None:
            raise not_found("fault_unknown", "没有这个故障。")

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()
