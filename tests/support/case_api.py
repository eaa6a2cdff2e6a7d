"""What the viewer page asks of the product's API beside DICOMweb: key images, photographs and copies for teaching, in
memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.pictures import jpeg, quarters

PHOTOGRAPH = "0123456789abcdef" * 2
TEACHING_STUDY, SCHOOL, CENTRE = "a" * 32, "b" * 32, "c" * 32


@dataclass(slots=True)
class CaseApi:
    """The key images, the photographs and the copies for teaching of a case, and what a test changes about them.

    Args:
        check: refuses a request without a session.
    """

    check: Callable[[web.Request], None]
    may_mark: bool = True
    marks: list[dict[str, Any]] = field(default_factory=list)
    photographs: list[dict[str, Any]] = field(default_factory=list)
    conversions: list[dict[str, Any]] = field(default_factory=list)
    patients_word: str = "undecided"
    places: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    broken: bool = False
    """Whether nothing can be written down now."""
    converted: Callable[[], None] = lambda: None

    def send_photographs(self, *senders: str) -> None:
        """Let photographs come from these people."""
        for number, sender in enumerate(senders):
            sent_at = f"2026-11-21T09:{number:02}:00+08:00"
            known = {"id": f"{number}{PHOTOGRAPH[1:]}", "note": "" if number else "右小腿伤口", "sender": sender}
            self.photographs.append({**known, "sent_at": sent_at, "converted": False})

    def register_places(self) -> None:
        """Let there be two who teach, and a study for them."""
        school = {"id": SCHOOL, "label": "影像教学库", "institution": "市医学院"}
        self.places = [school, {"id": CENTRE, "label": "规培教学库", "institution": "县人民医院"}]

    def routes(self) -> list[web.RouteDef]:
        """The routes below a consultation."""
        case = "/api/v1/consultations/{id}"
        return [
            web.get(f"{case}/key-images", self._list),
            web.post(f"{case}/key-images", self._mark),
            web.delete(f"{case}/key-images/{{key_image}}", self._unmark),
            web.get(f"{case}/photographs", self._photographs),
            web.get(f"{case}/photographs/{{photograph}}", self._photograph),
            web.get(f"{case}/photographs/{{photograph}}/thumbnail", self._thumbnail),
            web.post(f"{case}/photographs/{{photograph}}/conversion", self._convert),
            web.get(f"{case}/teaching", self._teaching),
            web.post(f"{case}/teaching", self._teach),
        ]

    def _answer(self) -> web.Response:
        return web.json_response({"items": self.marks, "may_mark": self.may_mark})

    async def _list(self, request: web.Request) -> web.Response:
        self.check(request)
        return self._answer()

    async def _mark(self, request: web.Request) -> web.Response:
        self.check(request)
        if self.broken:
            return web.json_response({"code": "busy", "message": "现在人有点多，请稍后再试。"}, status=503)
        told = await request.json()
        known = {"id": f"{len(self.marks):032x}", "study": "1", "series": "1.1", "marker": "张强专家"}
        self.marks.append({**known, **told, "marked_at": "2026-11-21T09:30:00+08:00"})
        return web.json_response(self.marks[-1], status=201)

    async def _unmark(self, request: web.Request) -> web.Response:
        self.check(request)
        self.marks = [one for one in self.marks if one["id"] != request.match_info["key_image"]]
        return self._answer()

    async def _photographs(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.json_response({"items": self.photographs, "may_convert": self.may_mark})

    async def _photograph(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.Response(body=jpeg(quarters(800, 600)), content_type="image/jpeg")

    async def _thumbnail(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.Response(body=jpeg(quarters(80, 60)), content_type="image/jpeg")

    async def _convert(self, request: web.Request) -> web.Response:
        self.check(request)
        [one] = [one for one in self.photographs if one["id"] == request.match_info["photograph"]]
        self.conversions.append({"id": one["id"], **await request.json()})
        one["converted"] = True
        self.converted()
        return web.json_response(one)

    async def _teaching(self, request: web.Request) -> web.Response:
        self.check(request)
        known = {
            "id": TEACHING_STUDY,
            "description": "胸部平扫",
            "date": "20261121",
            "modalities": ["CT"],
            "images": 24,
        }
        studies = [{**known, "requests": self.requests}] if self.may_mark and self.places else []
        places = self.places if self.may_mark else []
        told = {"may_ask": self.may_mark, "patient": self.patients_word, "places": places, "studies": studies}
        return web.json_response(told)

    async def _teach(self, request: web.Request) -> web.Response:
        self.check(request)
        if self.broken:
            return web.json_response({"code": "consent_required", "message": "患者不同意，不能发送。"}, status=403)
        asked = await request.json()
        self.asked.append(asked)
        [place] = [one for one in self.places if one["id"] == asked["place"]]
        state = "waiting" if self.patients_word == "undecided" else "sending"
        self.requests.append({"place": place, "state": state, "total": 0, "arrived": 0, "stayed": 0, "sentence": ""})
        return await self._teaching(request)
