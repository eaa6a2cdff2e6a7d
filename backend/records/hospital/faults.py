"""What can be wrong with a hospital's answer: a stable code for programs, a Chinese sentence for people."""

from enum import StrEnum

from backend.errors import DomainError


class FaultCode(StrEnum):
    """Why a hospital could not be asked, or its answer not be used."""

    SLOW = "hospital_slow"
    DOWN = "hospital_down"
    PAUSED = "hospital_paused"  # it failed so often that it is left alone for a while
    NOT_FHIR = "hospital_not_fhir"  # a page of HTML, another content type, broken JSON, a redirect
    UNAUTHORIZED = "hospital_unauthorized"
    REFUSED = "hospital_refused"  # an OperationOutcome, or another refusal of this very request
    NOT_FOUND = "hospital_not_found"
    CHANGED = "hospital_changed"  # somebody else was first: 409 or 412
    TOO_LARGE = "hospital_too_large"
    FORBIDDEN_ADDRESS = "hospital_forbidden_address"


FAULT_SENTENCES = {
    FaultCode.SLOW: "医院系统没有及时回答。",
    FaultCode.DOWN: "医院系统现在连不上。",
    FaultCode.PAUSED: "医院系统连续出错，过一会儿会自动再试。",
    FaultCode.NOT_FHIR: "医院系统的回答不是病历数据，请管理员检查接口地址。",
    FaultCode.UNAUTHORIZED: "医院系统不接受我们的登录信息，请管理员检查。",
    FaultCode.REFUSED: "医院系统拒绝了这次请求。",
    FaultCode.NOT_FOUND: "医院系统里没有这份资料。",
    FaultCode.CHANGED: "医院系统里的这份资料刚刚被别人改过。",
    FaultCode.TOO_LARGE: "医院系统的回答太大，没有读取。",
    FaultCode.FORBIDDEN_ADDRESS: "医院接口的地址不允许访问，请管理员检查。",
}


class HospitalFault(DomainError):
    """A hospital could not be asked, or what it said cannot be used.

    Args:
        fault: what is wrong.
        detail: a status or the codes of an OperationOutcome; never free text, which may tell of a patient.
        retry_seconds: how long the hospital asked us to wait, where it did.
    """

    def __init__(self, fault: FaultCode, detail: str = "", retry_seconds: float | None = None) -> None:
        self.code = fault.value
        super().__init__(FAULT_SENTENCES[fault], detail=detail)
        self.fault = fault
        self.detail = detail
        self.retry_seconds = retry_seconds

    def __reduce__(self) -> tuple[type["HospitalFault"], tuple[FaultCode, str, float | None]]:
        """Let it come out of the process in which an answer was read."""
        return HospitalFault, (self.fault, self.detail, self.retry_seconds)

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed a moment later."""
        return self.fault in (FaultCode.SLOW, FaultCode.DOWN)

    @property
    def of_the_server(self) -> bool:
        """Whether it tells of the server as a whole, and not of this one request."""
        return self.fault in (FaultCode.SLOW, FaultCode.DOWN, FaultCode.NOT_FHIR, FaultCode.UNAUTHORIZED)
