"""Why an instance is not taken, and what each way of arrival answers then."""

from enum import StrEnum

LARGEST_BYTES = 8 * 1024**3
"""Longest file that is taken."""


class Reason(StrEnum):
    """A stable code for each."""

    NOT_DICOM = "not_dicom"
    NO_TRANSFER_SYNTAX = "no_transfer_syntax"
    UNKNOWN_TRANSFER_SYNTAX = "unknown_transfer_syntax"
    OTHER_TRANSFER_SYNTAX = "other_transfer_syntax"  # the data set is not encoded as its meta information says
    CUT_OFF = "cut_off"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    MISSING_IDENTIFIER = "missing_identifier"
    INVALID_IDENTIFIER = "invalid_identifier"
    OTHER_CLASS = "other_class"  # another SOP class or instance than the sender announced
    OTHER_STUDY = "other_study"  # another study than the one that it was sent into
    OTHER_CONTENT = "other_content"  # there is one of this identifier already, and it is not the same
    NO_ROOM = "no_room"  # it could not be kept now


WORDS: dict[Reason, str] = {
    Reason.NOT_DICOM: "不是DICOM图像",
    Reason.NO_TRANSFER_SYNTAX: "没有写明编码方式",
    Reason.UNKNOWN_TRANSFER_SYNTAX: "编码方式不支持",
    Reason.OTHER_TRANSFER_SYNTAX: "编码方式和写明的不一样",
    Reason.CUT_OFF: "文件不完整",
    Reason.UNREADABLE: "文件读不出来",
    Reason.TOO_LARGE: "文件太大",
    Reason.MISSING_IDENTIFIER: "缺少编号",
    Reason.INVALID_IDENTIFIER: "编号格式不对",
    Reason.OTHER_CLASS: "和设备说的不是同一张",
    Reason.OTHER_STUDY: "不属于设备说的那份检查",
    Reason.OTHER_CONTENT: "同一个编号已经有另一张图像",
    Reason.NO_ROOM: "存储空间不够，或存储坏了",
}
"""Each in words, for people."""


class Unacceptable(Exception):
    """An instance that is not taken.

    Args:
        reason: why.
        sop_class_uid, sop_instance_uid: of the instance, "" where they could not be read.
    """

    def __init__(self, reason: Reason, sop_class_uid: str = "", sop_instance_uid: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.sop_class_uid = sop_class_uid
        self.sop_instance_uid = sop_instance_uid


# PS3.4, table B.2-1 (storage service), PS3.7, annex C: what a C-STORE answers. PS3.18, section 10.5.3.1.1: the failure
# reasons of STOW-RS are the same numbers.
_UNABLE = 0xC000
STATUS: dict[Reason, int] = {
    Reason.NOT_DICOM: _UNABLE,
    Reason.NO_TRANSFER_SYNTAX: _UNABLE,
    Reason.UNKNOWN_TRANSFER_SYNTAX: 0xC122,  # referenced transfer syntax not supported
    Reason.OTHER_TRANSFER_SYNTAX: _UNABLE,
    Reason.CUT_OFF: _UNABLE,
    Reason.UNREADABLE: _UNABLE,
    Reason.TOO_LARGE: 0xA700,  # out of resources
    Reason.MISSING_IDENTIFIER: 0xA900,  # data set does not match SOP class
    Reason.INVALID_IDENTIFIER: 0xA900,
    Reason.OTHER_CLASS: 0xA900,
    Reason.OTHER_STUDY: 0xA900,
    Reason.OTHER_CONTENT: 0x0111,  # duplicate SOP instance
    Reason.NO_ROOM: 0xA700,
}
"""DICOM status of each reason."""

PROCESSING_FAILURE = 0x0110
"""Something went wrong on our side."""
