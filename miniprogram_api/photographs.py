"""Photographs of a consultation: the list, one of them as a picture, and one made an image of a study."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web

from backend.errors import Forbidden, NotFound
from backend.imaging import PhotographView
from backend.security.policy import Actor
from miniprogram_api.context import Context
from miniprogram_api.endpoint import Call, Endpoint, Model

_CONSULTATION = {"consultation_id": "The consultation."}
_PHOTOGRAPH = {**_CONSULTATION, "photograph_id": "One of its photographs."}
_PATH = "/api/v1/consultations/{consultation_id}/photographs"
PICTURE = _PATH.replace("}", ":[0-9a-f]{32}}") + "/{photograph_id:[0-9a-f]{32}}"
"""Where the picture itself is: image/jpeg or image/png. It is no JSON and not in the document."""
THUMBNAIL = f"{PICTURE}/thumbnail"

Authorise = Callable[[web.Request], Awaitable[Actor]]


class PhotographItem(Model):
    """A photograph; `note` are the words that came with it, `converted` says that it is an image of a study too."""

    id: str
    note: str
    sender: str
    sent_at: datetime
    converted: bool


class PhotographList(Model):
    """The photographs in the order of their sending; `may_convert`: whether the reader may make images of them."""

    items: list[PhotographItem]
    may_convert: bool


class ConversionRequest(Model):
    """Whether a name or a number is to be seen in the picture: the image says so (DICOM, Burned In Annotation)."""

    names_visible: bool


def _item(view: PhotographView) -> PhotographItem:
    return PhotographItem(
        id=view.file_id, note=view.note, sender=view.sender, sent_at=view.sent_at, converted=view.converted
    )


async def _list(call: Call) -> PhotographList:
    imaging, consultation_id = call.context.imaging, call.path["consultation_id"]
    views = await imaging.photographs(call.actor, consultation_id)
    may_convert = await imaging.may_convert(call.actor, consultation_id)
    return PhotographList(items=[_item(view) for view in views], may_convert=may_convert)


async def _convert(call: Call) -> PhotographItem:
    consultation_id, file_id = call.path["consultation_id"], call.path["photograph_id"]
    view = await call.context.imaging.convert_photograph(
        call.actor, consultation_id, file_id, names_visible=call.body.names_visible
    )
    return _item(view)


def opened(
    context: Context, authorise: Authorise, *, is_small: bool
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Give what answers with a photograph, or with a small one for lists."""

    async def answer(request: web.Request) -> web.Response:
        actor, path = await authorise(request), request.match_info
        which = (path["consultation_id"], path["photograph_id"])
        try:
            if is_small:
                return web.Response(
                    body=await context.imaging.photograph_thumbnail(actor, *which), content_type="image/jpeg"
                )
            data, media_type = await context.consultations.open_file(actor, *which)
        except Forbidden:  # whoever may not see it does not learn that it is there
            raise NotFound("没有找到这张照片。") from None
        if not media_type.startswith("image/"):
            raise NotFound("没有找到这张照片。")
        return web.Response(body=data, content_type=media_type)

    return answer


ENDPOINTS = (
    Endpoint("GET", _PATH, "listPhotographs", "Its photographs", _list, PhotographList, path_parameters=_CONSULTATION),
    Endpoint(
        "POST",
        f"{_PATH}/{{photograph_id}}/conversion",
        "convertPhotograph",
        "Make a photograph an image of a study, a DICOM Secondary Capture",
        _convert,
        PhotographItem,
        body=ConversionRequest,
        path_parameters=_PHOTOGRAPH,
    ),
)
