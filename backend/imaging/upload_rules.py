"""Uploads from a doctor's page: their states and limits, and what is wrong with a file in words. Pure."""

import unicodedata
from enum import StrEnum

from backend.imaging.reasons import LARGEST_BYTES, WORDS

LARGEST_UPLOAD = 32 * 1024**3
"""Bytes of one upload: a file, or an archive of many."""
MOST_ENTRIES = 50_000
"""Entries of one archive. The largest studies on a disc have some ten thousand."""
LARGEST_DIRECTORY = 12 * 1024 * 1024
"""Bytes of the list of an archive's entries, which is read at once: enough for `MOST_ENTRIES` with long names."""
LARGEST_ENTRY = LARGEST_BYTES
MOST_UNPACKED = 32 * 1024**3
"""Bytes that come out of one archive."""
_FREE_BYTES = 64 * 1024 * 1024
_LARGEST_RATIO = 100
LONGEST_NAME = 120


class UploadState(StrEnum):
    """Where an upload stands."""

    RECEIVING = "receiving"  # bytes are still to come
    WAITING = "waiting"  # all of it is here; its files are being read, or will be
    DONE = "done"
    FAILED = "failed"  # something of it was damaged on its way, or it is none that can be read: send it again


class Fault(StrEnum):
    """What is wrong with an upload or an entry of it, beside what is wrong with an instance (`Reason`)."""

    ENCRYPTED = "encrypted"
    NESTED_ARCHIVE = "nested_archive"
    LINK = "link"
    UNSUPPORTED_COMPRESSION = "unsupported_compression"
    DAMAGED = "damaged"
    TOO_MUCH = "too_much"  # more comes out than can be right
    BROKEN_ARCHIVE = "broken_archive"
    TOO_MANY_ENTRIES = "too_many_entries"
    OTHER_ARCHIVE = "other_archive"
    NOT_ALLOWED = "not_allowed"
    STORE_AWAY = "store_away"
    OUR_FAULT = "our_fault"


FAULT_WORDS = {
    Fault.ENCRYPTED: "设了密码，打不开。请先解压，再选解压出来的文件夹",
    Fault.NESTED_ARCHIVE: "是压缩包里的压缩包。请先解压，再选解压出来的文件夹",
    Fault.LINK: "是快捷方式，里面没有图像",
    Fault.UNSUPPORTED_COMPRESSION: "压缩方式不支持。请先解压，再选解压出来的文件夹",
    Fault.DAMAGED: "在路上或光盘上损坏了。请再选一次，重新上传",
    Fault.TOO_MUCH: "解压出来大得不正常，没有收。请先解压，再选解压出来的文件夹",
    Fault.BROKEN_ARCHIVE: "压缩包不完整或者坏了。请重新压缩，或者先解压，再选解压出来的文件夹",
    Fault.TOO_MANY_ENTRIES: f"压缩包里的文件太多，最多{MOST_ENTRIES}个。请先解压，再分几次选文件夹",
    Fault.OTHER_ARCHIVE: "这种压缩包不支持，只支持 zip。请先解压，再选解压出来的文件夹",
    Fault.NOT_ALLOWED: "您现在不能给这次会诊上传影像，请联系管理员",
    Fault.STORE_AWAY: "服务器的存储空间不够，或者存储坏了。已经传上来的不会丢，修好以后会自动接着处理",
    Fault.OUR_FAULT: "服务器出了点问题，会自动再试",
}
"""What is wrong, in words that follow the name of a file."""
_ALL_WORDS: dict[str, str] = {str(code): words for code, words in (*WORDS.items(), *FAULT_WORDS.items())}


def words_of(code: str) -> str:
    """Give what the code of a `Fault` or a `Reason` says to a person."""
    return _ALL_WORDS[code]


def unpacked_limit(packed: int) -> int:
    """Give how many bytes may come out of an archive of `packed` bytes. Real images shrink to a tenth at best; black
    ones to less, but they are few."""
    return min(MOST_UNPACKED, _FREE_BYTES + _LARGEST_RATIO * packed)


def shown_name(name: str) -> str:
    """Give the name of a file as it may be shown: one line, nothing that turns the text round, its end where it is
    long. A name is never used as a path."""
    plain = "".join(mark for mark in name if unicodedata.category(mark) not in ("Cc", "Cf", "Zl", "Zp", "Cs"))
    return plain if len(plain) <= LONGEST_NAME else "…" + plain[1 - LONGEST_NAME :]
