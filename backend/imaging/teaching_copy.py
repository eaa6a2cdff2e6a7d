"""The de-identified copy of one instance, for teaching: decoded, its header as the profile says, its pixels alone.

The file is made anew: of the preamble, the file meta information and what follows the pixels nothing is taken over.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.pixels.utils import get_expected_length

from backend.imaging.decoding import Decoding, decoded_file, plan_decoding
from backend.imaging.deidentification import Pseudonyms, deidentified, left_over
from backend.imaging.deidentified_pixels import clearing, in_whole_pixels, may_show_who
from backend.imaging.dicomfile import Elements
from backend.imaging.recoding import as_dataset
from backend.imaging.transfer_rules import Failure
from backend.rendering import DecodedFrame, Undecodable


class NotForTeaching(Exception):
    """No copy may be made of this instance."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True)
class TeachingCopy:
    """A copy that can be made.

    Args:
        pixel_bytes: how long native pixels are; what is stored behind them does not go.
        clear: what sets the unused bits of pixels of `width` bytes; None where there are none.
    """

    sop_instance_uid: str
    decoding: Decoding
    pixel_bytes: int
    clear: Callable[[bytes], bytes] | None
    width: int

    async def stream(
        self,
        native: Callable[[int, int], AsyncIterator[bytes]],
        decode: Callable[[int], Awaitable[DecodedFrame]],
    ) -> AsyncIterator[bytes]:
        """Stream the file; arguments as in `decoded_file`.

        Raises:
            NotForTeaching: its pixels cannot be decoded.
        """
        clear = self.clear or bytes

        async def cleared(number: int) -> DecodedFrame:
            frame = await decode(number)
            return replace(frame, data=clear(frame.data))

        async def of_file(start: int, end: int) -> AsyncIterator[bytes]:
            async for piece in in_whole_pixels(native(start, start + self.pixel_bytes), clear, self.width):
                yield piece
            yield b"\0" * (end - start - self.pixel_bytes)

        try:
            async for piece in decoded_file(self.decoding, of_file, cleared):
                yield piece
        except Undecodable as error:
            raise NotForTeaching(Failure.NOT_CLEANED) from error


def plan_copy(file: BinaryIO, size: int, pseudonyms: Pseudonyms, patient: str) -> TeachingCopy:
    """Read how a copy of a file of `size` bytes can be made; `patient` is whom it is of, as we know them.

    Raises:
        NotForTeaching: none may be.
    """
    try:
        plan = plan_decoding(file, size)
    except Undecodable as error:
        raise NotForTeaching(Failure.NOT_CLEANED) from error
    original = as_dataset(plan.before | plan.after, plan.transfer_syntax)
    failure = may_show_who(original, has_pixels=bool(plan.frames))
    if failure is not None:
        raise NotForTeaching(failure)
    copy = deidentified(original, pseudonyms, patient)
    if left_over(original, copy):
        raise NotForTeaching(Failure.NOT_CLEANED)
    elements: Elements = {element.tag: element for element in copy}
    length = get_expected_length(original)
    even = length + length % 2
    return TeachingCopy(
        str(copy.SOPInstanceUID),
        replace(plan, file_meta=_file_meta(copy), before=elements, after={}, pixels_length=even),
        length,
        clearing(original),
        max(plan.allocated // 8, 1),
    )


def _file_meta(copy: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = copy.SOPClassUID, copy.SOPInstanceUID
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta)
    return b"\0" * 128 + b"DICM" + bytes(buffer.getvalue())
