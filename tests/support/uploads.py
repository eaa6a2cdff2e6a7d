"""Uploads as a page makes them: archives, and the way of their bytes into the service."""

import io
import zipfile
from collections.abc import Mapping
from hashlib import sha256

from backend.imaging import BatchView, ImagingService, NewUpload, UploadView
from backend.security.policy import Actor
from tests.support.imaging import streamed

BATCH = "ab" * 16


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Give a zip archive of files by name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def new_upload(content: bytes, name: str = "光盘.zip", batch: str = BATCH) -> NewUpload:
    """Give what a page says of a file."""
    return NewUpload(batch, sha256(content).hexdigest(), name, len(content))


async def send(
    imaging: ImagingService, actor: Actor, consultation_id: str, content: bytes, name: str = "光盘.zip"
) -> UploadView:
    """Send a file, from where it stands to its end."""
    view = await imaging.begin_upload(actor, consultation_id, new_upload(content, name))
    return await imaging.append_upload(actor, view.id, view.received, streamed(content[view.received :]))


async def brought(
    imaging: ImagingService, actor: Actor, consultation_id: str, content: bytes, name: str = "光盘.zip"
) -> BatchView:
    """Send a file, let it be read, and give what became of it."""
    await send(imaging, actor, consultation_id, content, name)
    while await imaging.unpack_next():
        pass
    view = await imaging.batch(actor, consultation_id)
    assert view is not None
    return view
