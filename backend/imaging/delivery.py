"""What is handed to a client of a PACS, and what it brings back."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from backend.imaging.transfer_rules import Failure


@dataclass(frozen=True)
class Parcel:
    """One instance to send: `size` bytes of a DICOM file, which `open` streams."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    size: int
    open: Callable[[], AsyncIterator[bytes]] = field(repr=False)


@dataclass
class Answer:
    """What a destination answered.

    Args:
        statuses: DICOM status by SOP Instance UID, of those that it answered about, and of no others.
        failure: what ended the attempt before it had answered about everything.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True)
class Probe:
    """What a destination that was only asked whether it is there answered.

    Args:
        failure: None where it is there and knows us. detail: in the words of the protocol, such as "HTTP 401".
    """

    failure: Failure | None
    detail: str


@dataclass(frozen=True)
class StowAddress:
    """Where a PACS takes STOW-RS.

    Args:
        url: of its DICOMweb service, without /studies. authorization: the whole header, "" for none.
    """

    url: str
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True)
class StoreAddress:
    """Where a PACS takes C-STORE: its socket, its AE title, and the one by which we call."""

    host: str
    port: int
    ae_title: str
    own_ae_title: str = "QIAOYI"
