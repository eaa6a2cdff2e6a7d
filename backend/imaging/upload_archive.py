"""An upload as the files in it: a single file, or a zip archive that is believed nothing.

What an archive says of sizes is not used: what comes out is counted while it comes. Only the two usual methods are
taken, for they alone give their output in pieces. No name is used as a path.
"""

import re
import stat
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from backend.imaging.upload_rules import (
    LARGEST_DIRECTORY,
    LARGEST_ENTRY,
    MOST_ENTRIES,
    Fault,
    shown_name,
    unpacked_limit,
)

_HEAD_BYTES = 512
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OTHER_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ")
# Media Storage Directory Storage (PS3.4, annex B.5): a DICOMDIR, whatever it is called.
_DIRECTORY_CLASS = re.compile(rb"1\.2\.840\.10008\.1\.3\.10(?![.\d])")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError)


class Refused(Exception):
    """An entry of an upload that is not taken; where `whole`, the upload itself."""

    def __init__(self, fault: Fault, *, whole: bool = False) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.whole = whole


@dataclass(frozen=True)
class Content:
    """What may be an instance: read it to its end with `read`, in a worker thread."""

    archive: "Archive"
    file: IO[bytes] = field(repr=False)
    head: bytes = field(repr=False)

    def read(self, most: int) -> bytes:
        """Give at most so many bytes; none at the end.

        Raises:
            Refused: it is damaged, or more comes out than can be right.
        """
        return self.archive.measured(self.file, most)


class Archive:
    """The files of an upload, in the order in which they stand there; folders are none.

    Args:
        file: the bytes of the upload. name: how it is called.

    Raises:
        Refused: it cannot be opened.
    """

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file = file
        self._name = name
        self._limit = unpacked_limit(size)
        self._entry_bytes = self._total = 0
        head = _head(file)
        self._zip = _opened(file) if head[:4] in _ZIP and not _is_dicom(head) else None
        self._entries = [] if self._zip is None else [one for one in self._zip.infolist() if not one.is_dir()]
        if self._zip is None and head.startswith(_OTHER_ARCHIVES) and not _is_dicom(head):
            raise Refused(Fault.OTHER_ARCHIVE, whole=True)
        if len(self._entries) > MOST_ENTRIES:
            raise Refused(Fault.TOO_MANY_ENTRIES, whole=True)

    @property
    def count(self) -> int:
        """How many files there are."""
        return 1 if self._zip is None else len(self._entries)

    def name(self, number: int) -> str:
        """Give how a file is called, as it may be shown."""
        return shown_name(self._name if self._zip is None else _entry_name(self._entries[number]))

    def content(self, number: int) -> Content | None:
        """Open a file; None where it is no image and need not be one.

        Raises:
            Refused: it is not taken, whatever is in it, or cannot be read.
        """
        self._entry_bytes = 0
        file: IO[bytes] = self._file
        if self._zip is None:
            self._file.seek(0)
        else:
            file = self._open(self._zip, self._entries[number])
        head = self.measured(file, _HEAD_BYTES)
        if self._zip is not None and head.startswith((*_ZIP, *_OTHER_ARCHIVES)) and not _is_dicom(head):
            raise Refused(Fault.NESTED_ARCHIVE)
        if not _is_dicom(head) or _DIRECTORY_CLASS.search(head):
            return None
        return Content(self, file, head)

    def _open(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
        if entry.flag_bits & _ENCRYPTED:
            raise Refused(Fault.ENCRYPTED)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Refused(Fault.LINK)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(Fault.UNSUPPORTED_COMPRESSION)
        try:
            return archive.open(entry)
        except _DAMAGE as error:
            raise Refused(Fault.DAMAGED) from error
        except (NotImplementedError, RuntimeError, ValueError) as error:
            raise Refused(Fault.UNSUPPORTED_COMPRESSION) from error

    def measured(self, file: IO[bytes], most: int) -> bytes:
        """Read from a file of the archive and count what comes out. Raises as `Content.read`."""
        try:
            piece = file.read(most)
        except _DAMAGE as error:
            raise Refused(Fault.DAMAGED) from error
        self._entry_bytes += len(piece)
        self._total += len(piece)
        if self._zip is not None and self._total > self._limit:
            raise Refused(Fault.TOO_MUCH, whole=True)
        if self._entry_bytes > LARGEST_ENTRY:
            raise Refused(Fault.TOO_MUCH)
        return piece


class _Directory:
    """A file that gives no more at once than the list of entries may take: the library reads that in one go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_DIRECTORY:
            raise Refused(Fault.TOO_MANY_ENTRIES, whole=True)
        return self._file.read(size)


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_Directory(file))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise Refused(Fault.BROKEN_ARCHIVE, whole=True) from error


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(_HEAD_BYTES)


def _is_dicom(head: bytes) -> bool:
    return head[128:132] == b"DICM"


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Give the name of an entry; Windows writes it in GBK where the library takes it for code page 437."""
    if not entry.flag_bits & _UTF8_NAME:
        with suppress(UnicodeError):
            return entry.filename.encode("cp437").decode("gb18030")
    return entry.filename
