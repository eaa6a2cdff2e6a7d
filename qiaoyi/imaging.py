"""Imaging in a serving process: what takes studies in, gives them out, and works on them in between."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from aiohttp import web

from backend.imaging.qido import qido_routes
from backend.imaging.scp import ScpSettings, StoreScp
from backend.imaging.stow import stow_routes
from backend.imaging.tus import tus_routes
from backend.imaging.viewing import Authorise
from backend.imaging.wado import wado_routes
from backend.limits import RateLimits
from backend.lossless import FrameCodec, Method
from qiaoyi.house import House
from qiaoyi.settings import Compression, SettingsError
from qiaoyi.work import Work


def imaging_routes(house: House, authorise: Authorise, limits: RateLimits) -> list[web.RouteDef]:
    """Give the routes of imaging: machines store with their own tokens, people see as `authorise` knows them."""
    imaging = house.imaging
    return [
        *stow_routes(imaging, limits),
        *qido_routes(imaging, authorise),
        *wado_routes(imaging, authorise),
        *tus_routes(imaging, authorise),
    ]


def imaging_work(house: House) -> Work:
    """Give what goes on in the background."""
    work: Work = {
        "imaging objects": house.imaging.keep_objects_swept,
        "imaging uploads": house.imaging.keep_unpacking,
        "imaging forwarding": house.imaging.keep_forwarding,
        "imaging retention": partial(
            house.imaging.keep_rejected_removed, timedelta(days=house.settings.imaging_rejected_days)
        ),
        "report documents": house.documents.queue.keep_making,
        "laboratory slips": house.slips.keep_reading,
    }
    if house.settings.imaging_compression is not Compression.NONE:

        async def compress() -> None:
            codec = FrameCodec(Method(house.settings.imaging_compression.value))
            try:
                await house.imaging.keep_compressing(codec)
            finally:
                codec.close()

        work["imaging compression"] = compress
    return work


@asynccontextmanager
async def serving_machines(house: House) -> AsyncIterator[None]:
    """Take what machines send by C-STORE while inside, where a port is set for them.

    Raises:
        SettingsError: the port is taken.
    """
    settings = house.settings
    if not settings.dicom_port:
        yield
        return
    scp = StoreScp(house.imaging, ScpSettings(settings.dicom_host, settings.dicom_port, settings.dicom_title))
    try:
        scp.start()
    except (OSError, socket.gaierror) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        where = f"{settings.dicom_host}:{settings.dicom_port}"
        raise SettingsError(f"setting dicom_port: {where} cannot be used ({reason})") from None
    try:
        yield
    finally:
        await scp.stop()
