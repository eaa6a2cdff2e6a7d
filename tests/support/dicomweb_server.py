"""A server for the viewer page: the built page, a login like WeChat's, and what the viewer asks of DICOMweb (PS3.18),
from studies in memory. It decodes with pydicom alone, so that the page is compared with another reader of the files."""

import io
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGBaseline8Bit, JPEGLSLossless

from miniprogram_api.pages import page_routes
from tests.support.case_api import CaseApi
from tests.support.imaging import ct_slice

CONSULTATION = "fedcba9876543210" * 2
STATE = "0a1b2c"
SERIES_LEVEL = ("SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDescription")
STUDY_LEVEL = ("SpecificCharacterSet", "StudyInstanceUID", "PatientName", "StudyDate", "StudyDescription")
JPEG_FRAMES = "image/jpeg"
OCTET_FRAMES = "application/octet-stream"
JPEG_LS_FRAMES = "image/jls"
CT_SIZE = 512


def big_slice(number: int, **changes: Any) -> FileDataset:
    """Give a CT slice of 512² made of pydicom's of 128²: each slice rolled by its number, 2 mm apart."""
    dataset = ct_slice(number)
    wide = np.kron(dataset.pixel_array, np.ones((CT_SIZE // 128, CT_SIZE // 128), np.int16))
    dataset.PixelData = np.roll(wide, number, axis=0).astype("<i2").tobytes()
    dataset.Rows = dataset.Columns = CT_SIZE
    dataset.PixelSpacing = [0.7, 0.7]
    dataset.SliceThickness = 2
    dataset.StudyDate, dataset.StudyDescription = "20261121", "胸部 CT 平扫"
    dataset.SeriesDescription, dataset.SeriesNumber = "胸部 2mm", 1
    dataset.SpecificCharacterSet, dataset.PatientName = "ISO_IR 192", "Wang^XiuYing=王秀英"
    for name, value in changes.items():
        setattr(dataset, name, value)
    return dataset


def of_study(file: str, series: int, **changes: Any) -> FileDataset:
    """Give one of pydicom's images as a further series of the made study."""
    dataset = pydicom.dcmread(str(get_testdata_file(file, download=False)))
    template = big_slice(1)
    for name in ("StudyInstanceUID", "PatientName", "StudyDate", "StudyDescription", "SpecificCharacterSet"):
        setattr(dataset, name, getattr(template, name))
    dataset.SeriesInstanceUID = f"{template.StudyInstanceUID}.{series}"
    dataset.SOPInstanceUID = f"{dataset.SeriesInstanceUID}.1"
    dataset.SeriesNumber = series
    for name, value in changes.items():
        setattr(dataset, name, value)
    return dataset


def _taken(dataset: Dataset, names: tuple[str, ...]) -> Dataset:
    taken = Dataset()
    for name in names:
        if name in dataset:
            taken[name] = dataset[name]
    return taken


def _json(datasets: list[Dataset]) -> web.Response:
    text = "[" + ",".join(one.to_json() for one in datasets) + "]"
    return web.Response(text=text, content_type="application/dicom+json")


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)


@dataclass(slots=True)
class DicomWebServer:
    """What the server answers, and what was asked of it."""

    pages: Path
    consultation: str = CONSULTATION
    may_read: Callable[[str], bool] | None = None
    """Whether a bearer token is of somebody who may see the images, where the login is another server's."""
    images: list[FileDataset] = field(default_factory=list)
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """The numbers of the frames' instances in the order in which they were asked for."""
    broken: set[str] = field(default_factory=set)
    """Instances whose frames are cut off."""
    stored_frames: int = 0
    """How many frames went out as JPEG-LS, as they are stored."""
    logins: int = 0
    case: CaseApi = field(init=False)
    _tokens: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.case = CaseApi(self._check)

    @property
    def address(self) -> str:
        """What the card in the chat opens."""
        return f"{self.url}/h5/viewer/{CONSULTATION}"

    def forget_sessions(self) -> None:
        """As if two hours had passed: no bearer token is good any more."""
        self._tokens.clear()

    def application(self) -> web.Application:
        """The routes of the product that the page uses."""
        application = web.Application()
        application.add_routes(
            [
                *page_routes(self.pages),
                web.get("/wechat", self._wechat),
                web.get("/api/v1/web-login", self._web_login),
                web.post("/api/v1/web-session", self._web_session),
                web.get(f"/api/v1/consultations/{CONSULTATION}/reports/standing", self._standing),
                *self.dicomweb(),
                *self.case.routes(),
            ]
        )
        return application

    def dicomweb(self) -> list[web.RouteDef]:
        """The routes of DICOMweb alone."""
        study = "/dicomweb/view/studies/{study}"
        series = f"{study}/series/{{series}}"
        instance = f"{series}/instances/{{sop}}"
        return [
            web.get("/dicomweb/view/studies", self._studies),
            web.get(f"{study}/series", self._series),
            web.get(f"{series}/metadata", self._metadata),
            web.get(f"{series}/thumbnail", self._thumbnail),
            web.get(f"{instance}/frames/{{frame}}", self._frame),
            web.get(f"{instance}/frames/{{frame}}/rendered", self._rendered),
        ]

    def _check(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.may_read is not None:
            if not self.may_read(token):
                raise web.HTTPNotFound(
                    text='{"code": "not_found", "message": "没有找到这次会诊"}', content_type="application/json"
                )
        elif token not in self._tokens:
            raise web.HTTPUnauthorized(
                text='{"code": "no_session", "message": "请重新登录"}', content_type="application/json"
            )

    async def _wechat(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{request.query['path']}?code=expert&state={STATE}")

    async def _web_login(self, request: web.Request) -> web.Response:
        return web.json_response({"url": f"{self.url}/wechat?path={request.query['path']}", "state": STATE})

    async def _web_session(self, request: web.Request) -> web.Response:
        assert await request.json() == {"code": "expert", "state": STATE, "path": f"/h5/viewer/{CONSULTATION}"}
        self.logins += 1
        token = secrets.token_hex(8)
        self._tokens.add(token)
        return web.json_response({"token": token, "expires_at": "2099-01-01T00:00:00+08:00"}, status=201)

    async def _standing(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"may_write": False, "signed": 0})

    async def _studies(self, request: web.Request) -> web.Response:
        self._check(request)
        if request.query["consultation"] != self.consultation:
            return _refusal(404, "not_found", "没有找到这次会诊")
        studies = {one.StudyInstanceUID: _taken(one, STUDY_LEVEL) for one in self.images}
        return _json(list(studies.values()))

    async def _series(self, request: web.Request) -> web.Response:
        self._check(request)
        found: dict[str, Dataset] = {}
        for one in self.images:
            if one.StudyInstanceUID != request.match_info["study"]:
                continue
            series = found.setdefault(one.SeriesInstanceUID, _taken(one, ("SpecificCharacterSet", *SERIES_LEVEL)))
            series.NumberOfSeriesRelatedInstances = int(series.get("NumberOfSeriesRelatedInstances", 0)) + 1
        return _json(list(found.values()))

    def _of_series(self, request: web.Request) -> list[FileDataset]:
        self._check(request)
        wanted = (request.match_info["study"], request.match_info["series"])
        return [one for one in self.images if (one.StudyInstanceUID, one.SeriesInstanceUID) == wanted]

    def _instance(self, request: web.Request) -> FileDataset:
        [found] = [one for one in self._of_series(request) if one.SOPInstanceUID == request.match_info["sop"]]
        return found

    async def _metadata(self, request: web.Request) -> web.Response:
        headers = []
        for one in self._of_series(request):
            header = Dataset(
                {element.tag: element for element in one if element.VR not in {"OB", "OW", "OB or OW", "UN"}}
            )
            header.AvailableTransferSyntaxUID = one.file_meta.TransferSyntaxUID
            headers.append(header)
        return _json(headers)

    async def _frame(self, request: web.Request) -> web.Response:
        dataset = self._instance(request)
        number = int(request.match_info["frame"])
        self.asked.append(f"{dataset.SOPInstanceUID}/{number}")
        asked = request.headers["Accept"]
        if dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:
            if JPEG_FRAMES not in asked:
                return _refusal(406, "not_acceptable", "这种压缩在这里不解开")
            count = int(dataset.get("NumberOfFrames", 1))
            return self._part(JPEG_FRAMES, get_frame(dataset.PixelData, number - 1, number_of_frames=count))
        assert OCTET_FRAMES in asked
        stored_as_jls = dataset.file_meta.TransferSyntaxUID == JPEGLSLossless
        if stored_as_jls and JPEG_LS_FRAMES in asked:
            body = get_frame(dataset.PixelData, number - 1, number_of_frames=1)
            self.stored_frames += 1
            return self._part(JPEG_LS_FRAMES, body[: len(body) // 2] if dataset.SOPInstanceUID in self.broken else body)
        decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
        frame, _ = decoder.as_buffer(dataset, index=number - 1, raw=True)
        body = bytes(frame)
        if dataset.SOPInstanceUID in self.broken:
            body = body[: len(body) // 2]
        return self._part(OCTET_FRAMES, body)

    def _part(self, media_type: str, body: bytes) -> web.Response:
        boundary = secrets.token_hex(12)
        head = f"--{boundary}\r\nContent-Type: {media_type}\r\n\r\n".encode()
        return web.Response(
            body=head + body + f"\r\n--{boundary}--\r\n".encode(),
            headers={"Content-Type": f'multipart/related; type="{media_type}"; boundary={boundary}'},
        )

    async def _thumbnail(self, request: web.Request) -> web.Response:
        images = self._of_series(request)
        return web.Response(body=_bitmap(images[len(images) // 2]), content_type="image/bmp")

    async def _rendered(self, request: web.Request) -> web.Response:
        return web.Response(body=_bitmap(self._instance(request)), content_type="image/bmp")


def _bitmap(dataset: FileDataset) -> bytes:
    """Give a small grey bitmap of an image: a format that needs no library to write."""
    if dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:
        values = np.full((8, 8), 90.0)
    else:
        values = dataset.pixel_array.astype(float)
    values = values[..., 0] if values.ndim == 3 else values
    low, high = np.percentile(values, (1, 99))
    grey = np.clip((values - low) / max(1, high - low) * 255, 0, 255).astype(np.uint8)
    rows, columns = grey.shape
    padded = np.pad(grey[::-1], ((0, 0), (0, -columns % 4))).tobytes()
    palette = b"".join(bytes((one, one, one, 0)) for one in range(256))
    start = 14 + 40 + len(palette)
    written = io.BytesIO()
    written.write(b"BM" + (start + len(padded)).to_bytes(4, "little") + bytes(4) + start.to_bytes(4, "little"))
    sizes = (40).to_bytes(4, "little") + columns.to_bytes(4, "little") + rows.to_bytes(4, "little")
    written.write(sizes + (1).to_bytes(2, "little") + (8).to_bytes(2, "little") + bytes(24) + palette + padded)
    return written.getvalue()


@asynccontextmanager
async def running_dicomweb_server(pages: Path) -> AsyncIterator[DicomWebServer]:
    """The server on loopback, with no images yet."""
    server = DicomWebServer(pages)
    listening = TestServer(server.application(), host="127.0.0.1")
    await listening.start_server()
    server.url = str(listening.make_url("")).rstrip("/")
    try:
        yield server
    finally:
        await listening.close()
