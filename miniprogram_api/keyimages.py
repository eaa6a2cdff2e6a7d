"""Key images of a consultation: the list, marking a frame as it is seen, taking a mark away."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.imaging import KeyImageView
from backend.rendering import Window
from miniprogram_api.endpoint import Call, Endpoint, Model, Number

_CONSULTATION = {"consultation_id": "The consultation."}
_KEY_IMAGE = {**_CONSULTATION, "key_image_id": "One of its key images."}
_UID = r"^[0-9.]{1,64}$"


class LinearWindow(Model):
    """Which values are shown from black to white (DICOM PS3.3, C.11.2.1.2)."""

    center: float = Field(ge=-1e9, le=1e9)
    width: float = Field(ge=1, le=1e9)
    function: Literal["LINEAR"] = "LINEAR"


class OtherWindow(Model):
    """The same by another function, which may be narrower than 1."""

    center: float = Field(ge=-1e9, le=1e9)
    width: float = Field(gt=0, le=1e9)
    function: Literal["LINEAR_EXACT", "SIGMOID"]


WindowItem = LinearWindow | OtherWindow


class KeyImageItem(Model):
    """A marked frame: `study`, `series` and `instance` are unique identifiers of DICOM, `frame` counts from 1.

    `window` is how it was seen, null where the header's holds; `marker` says who marked it.
    """

    id: str
    study: str
    series: str
    instance: str
    frame: int
    window: WindowItem | None
    inverted: bool
    marker: str
    marked_at: datetime


class KeyImageList(Model):
    """All key images, the oldest first; `may_mark`: whether the reader may mark and take marks away."""

    items: list[KeyImageItem]
    may_mark: bool


class MarkRequest(Model):
    """Which frame, and how it is seen."""

    instance: str = Field(pattern=_UID)
    frame: Number = Field(1, ge=1, le=1_000_000)
    window: WindowItem | None = None
    inverted: bool = False


def _item(view: KeyImageView) -> KeyImageItem:
    window = view.window
    return KeyImageItem.model_validate(
        {
            "id": view.id,
            "study": view.study_uid,
            "series": view.series_uid,
            "instance": view.sop_instance_uid,
            "frame": view.frame,
            "window": None if window is None else vars(window),
            "inverted": view.inverted,
            "marker": view.marker,
            "marked_at": view.marked_at,
        }
    )


async def _list(call: Call) -> KeyImageList:
    imaging, consultation_id = call.context.imaging, call.path["consultation_id"]
    views = await imaging.key_images(call.actor, consultation_id)
    may_mark = await imaging.may_mark(call.actor, consultation_id)
    return KeyImageList(items=[_item(view) for view in views], may_mark=may_mark)


async def _mark(call: Call) -> KeyImageItem:
    body = call.body
    window = None if body.window is None else Window(body.window.center, body.window.width, body.window.function)
    view = await call.context.imaging.mark_key_image(
        call.actor, call.path["consultation_id"], body.instance, body.frame, window, inverted=body.inverted
    )
    return _item(view)


async def _unmark(call: Call) -> KeyImageList:
    await call.context.imaging.unmark_key_image(call.actor, call.path["consultation_id"], call.path["key_image_id"])
    return await _list(call)


_PATH = "/api/v1/consultations/{consultation_id}/key-images"

ENDPOINTS = (
    Endpoint("GET", _PATH, "listKeyImages", "Its key images", _list, KeyImageList, path_parameters=_CONSULTATION),
    Endpoint(
        "POST",
        _PATH,
        "markKeyImage",
        "Mark a frame as telling; one that is marked stays as it was marked first",
        _mark,
        KeyImageItem,
        body=MarkRequest,
        status=201,
        path_parameters=_CONSULTATION,
    ),
    Endpoint(
        "DELETE",
        f"{_PATH}/{{key_image_id}}",
        "unmarkKeyImage",
        "Take a mark away",
        _unmark,
        KeyImageList,
        path_parameters=_KEY_IMAGE,
    ),
)
