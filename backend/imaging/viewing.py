"""What QIDO-RS and WADO-RS have in common: where they are, who asks, and the studies that a path names."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from backend.errors import Forbidden, NotFound
from backend.imaging import ImagingService, InstanceView, StudyView
from backend.rendering import Undecodable
from backend.security.policy import Actor

VIEW = "/dicomweb/view"
"""Below this people see studies; machines store below /dicomweb."""

_UID = "[0-9.]{1,64}"
_NOTHING = "没有找到这份检查。"
STUDY = f"{VIEW}/studies/{{study:{_UID}}}"
SERIES = f"{STUDY}/series/{{series:{_UID}}}"
INSTANCE = f"{SERIES}/instances/{{instance:{_UID}}}"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Viewer:
    """One request and who makes it.

    Raises (its methods):
        NotFound: what the path names is not there, or the actor may not see it.
    """

    imaging: ImagingService
    request: web.Request
    actor: Actor

    async def study(self) -> StudyView:
        """Give the study of the path; `consultation` says which, where one identifier is of several."""
        path, consultation_id = self.request.match_info, self.request.query.get("consultation", "")
        return await self.imaging.study(self.actor, path["study"], consultation_id)

    async def instance(self) -> InstanceView:
        """Give the instance of the path."""
        path = self.request.match_info
        return await self.imaging.instance(self.actor, path["study"], path["series"], path["instance"])

    def address(self, *parts: str) -> str:
        """Give the address of something below the studies."""
        return "/".join((f"{self.request.url.origin()}{VIEW}/studies", *parts))

    def count(self, name: str, default: int, most: int) -> int:
        """Give a number of the query, at most `most`. Raises HTTPBadRequest where it is none."""
        said = self.request.query.get(name, str(default))
        if not said.isascii() or not said.isdigit() or len(said) > 9:
            raise web.HTTPBadRequest(text=f"{name} is a number")
        return min(int(said), most)


Answer = Callable[[Viewer], Awaitable[web.StreamResponse]]
Authorise = Callable[[web.Request], Awaitable[Actor]]


def handler(imaging: ImagingService, authorise: Authorise, answer: Answer) -> Handler:
    """Give what answers requests of people whom `authorise` knows."""

    @functools.wraps(answer)
    async def handle(request: web.Request) -> web.StreamResponse:
        viewer = Viewer(imaging, request, await authorise(request))
        try:
            return await answer(viewer)
        except Forbidden:  # whoever may not see it does not learn that it is there
            raise NotFound(_NOTHING) from None
        except Undecodable as error:
            raise web.HTTPNotAcceptable(text="these pixels cannot be decoded: ask for transfer-syntax=*") from error
        except ConnectionResetError:  # who asked has gone: somebody who scrolls asks for the next one
            return web.Response()

    return handle


def require_some(found: object) -> None:
    """Raise NotFound where there is nothing."""
    if not found:
        raise NotFound(_NOTHING)
