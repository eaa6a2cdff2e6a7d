"""Whether a picture itself may show whose it is, and bits beside its pixels in which something may lie."""

from collections.abc import AsyncIterator, Callable

import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset

from backend.imaging.transfer_rules import Failure

# Pictures that such a machine makes by itself carry no text; those that people or workstations make may.
_MEASURED = {
    uid.CTImageStorage,
    uid.EnhancedCTImageStorage,
    uid.LegacyConvertedEnhancedCTImageStorage,
    uid.MRImageStorage,
    uid.EnhancedMRImageStorage,
    uid.LegacyConvertedEnhancedMRImageStorage,
    uid.PositronEmissionTomographyImageStorage,
    uid.EnhancedPETImageStorage,
    uid.LegacyConvertedEnhancedPETImageStorage,
}
# Taken with rays, fields or sound, not light: no photograph of a face.
_OTHER_RADIOLOGY = {
    uid.ComputedRadiographyImageStorage,
    uid.DigitalXRayImageStorageForPresentation,
    uid.DigitalXRayImageStorageForProcessing,
    uid.DigitalMammographyXRayImageStorageForPresentation,
    uid.DigitalMammographyXRayImageStorageForProcessing,
    uid.DigitalIntraOralXRayImageStorageForPresentation,
    uid.DigitalIntraOralXRayImageStorageForProcessing,
    uid.BreastTomosynthesisImageStorage,
    uid.XRayAngiographicImageStorage,
    uid.EnhancedXAImageStorage,
    uid.XRayRadiofluoroscopicImageStorage,
    uid.EnhancedXRFImageStorage,
    uid.XRay3DAngiographicImageStorage,
    uid.XRay3DCraniofacialImageStorage,
    uid.NuclearMedicineImageStorage,
    uid.UltrasoundImageStorage,
    uid.UltrasoundMultiFrameImageStorage,
    uid.EnhancedUSVolumeStorage,
}
_GREY = {"MONOCHROME1", "MONOCHROME2"}


def may_show_who(header: Dataset, *, has_pixels: bool) -> Failure | None:
    """Give why a picture may not be shown to strangers; None where it may.

    Burned In Annotation (PS3.3, C.7.6.1.1.2) decides. Where it is not given, only grey pictures of CT, MR and PET pass
    that the machine calls original or derived without help (ImageType …\\\\PRIMARY), so no screenshot and no dose page.
    """
    sop_class = header.get("SOPClassUID", "")
    if not has_pixels or ("Image Storage" not in uid.UID(sop_class).name and sop_class != uid.EnhancedUSVolumeStorage):
        return Failure.NO_IMAGE
    face = header.get("RecognizableVisualFeatures")
    if face == "YES" or (sop_class not in _MEASURED | _OTHER_RADIOLOGY and face != "NO"):
        return Failure.RECOGNIZABLE
    burned_in = header.get("BurnedInAnnotation")
    if burned_in == "NO" or (burned_in is None and _is_measured(header, sop_class)):
        return None
    return Failure.BURNED_IN


def _is_measured(header: Dataset, sop_class: str) -> bool:
    kind = header.get("ImageType")
    return (
        sop_class in _MEASURED
        and header.get("PhotometricInterpretation") in _GREY
        and "ConversionType" not in header
        and kind is not None
        and len(kind) > 1
        and kind[1] == "PRIMARY"
    )


def clearing(header: Dataset) -> Callable[[bytes], bytes] | None:
    """Give what sets the bits of native pixels that are none of their value, where older machines kept overlays
    (PS3.5, section 8.1.2), to what follows from the value; None where there are no such bits.

    It takes whole pixels.

    Raises:
        ValueError: the header says of the bits what cannot be.
    """
    allocated, stored = int(header.BitsAllocated), int(header.BitsStored)
    high = int(header.get("HighBit", stored - 1))
    if allocated == stored == 1:
        return None
    if allocated not in (8, 16, 32) or not 0 < stored <= allocated or not stored - 1 <= high < allocated:
        raise ValueError("bits of pixels that cannot be told apart")
    if stored == allocated:
        return None
    kind = np.dtype(f"<{'i' if header.get('PixelRepresentation') == 1 else 'u'}{allocated // 8}")

    def cleared(data: bytes) -> bytes:
        shifted = np.frombuffer(data, kind) << (allocated - 1 - high)
        return ((shifted >> (allocated - stored)) << (high - stored + 1)).astype(kind).tobytes()

    return cleared


async def in_whole_pixels(
    pieces: AsyncIterator[bytes], clear: Callable[[bytes], bytes], width: int
) -> AsyncIterator[bytes]:
    """Stream pixels of `width` bytes through `clear`."""
    rest = b""
    async for piece in pieces:
        whole = rest + piece
        cut = len(whole) - len(whole) % width
        rest = whole[cut:]
        if cut:
            yield clear(whole[:cut])
