"""The page behind the QR code of a paper: is it genuine, is it the newest, can it still be used?

Whoever holds the paper may look, without a session: the code in the address is the right to see what the paper says.
The code is a secret: it is in no log and in no link that leads away.
"""

from zoneinfo import ZoneInfo

from aiohttp import web

from backend.dispensing import DispensingService
from backend.errors import NotFound
from backend.limits import RateLimits
from backend.prescription import PrescriptionService
from backend.reporting import ReportService, Verification
from miniprogram_api.address import Networks, counted_address
from miniprogram_api.verification_page import advice, facts, footer, page, section, verdict
from miniprogram_api.verified_prescription import shown_prescription

PATH = "/verify/{code:.{1,200}}"

_LOOKS, _SECONDS = 30, 60
_ZONE = ZoneInfo("Asia/Shanghai")
_WHO = "桥医　真伪核对"
_TITLE = "真伪核对"


def verification_route(
    reports: ReportService,
    prescriptions: PrescriptionService,
    dispensing: DispensingService,
    limits: RateLimits,
    proxies: Networks,
) -> web.RouteDef:
    """Give the route of the page; from one address so many looks a minute, which no guessing of codes gets through."""

    async def serve(request: web.Request) -> web.Response:
        address = counted_address(request, proxies)
        if not await limits.allow(f"verify:{address}", _LOOKS, seconds=_SECONDS):
            said = _refusal("看得太频繁了", "请过一分钟再扫一次。")
            return page(429, _TITLE, said, {"Retry-After": str(_SECONDS)})
        code = request.match_info["code"]
        try:
            return page(200, "报告核对", _shown_report(await reports.verify(code)))
        except NotFound:
            pass
        try:
            verified = await prescriptions.verify(code)
            return page(200, "处方核对", shown_prescription(verified, await dispensing.handed_out(code)))
        except NotFound:
            return page(404, _TITLE, _refusal("没有查到这张纸", _UNKNOWN))

    return web.get(PATH, serve)


_UNKNOWN = "请再扫一次纸上的二维码。如果还是查不到，这张纸可能不是从我们这里出的，请问给您看病的医生。"
_AS_PRINTED = "请对一对：下面写的和纸上写的要一样。不一样，就不要相信那张纸。"


def _verdict(said: Verification) -> tuple[str, str, str]:
    """Give the kind of the verdict, its headline and what to do."""
    if not said.genuine:
        return "bad", "这份报告有问题", "内容和签发的时候不一样，不要相信。请联系给您看病的医生。"
    if not said.current:
        return (
            "old",
            "报告是真的，但已经作废",
            f"医生后来改过，现在要看第{said.latest}版。您手里的是第{said.version}版，请找医生要新的。",
        )
    return "good", "这份报告是真的", "这是最新的一版。"


def _shown_report(said: Verification) -> str:
    head = verdict(*_verdict(said))
    if not said.genuine:
        return head + footer(f"报告编号：{said.number}")
    rows = (
        ("姓名", said.patient_name),
        ("检查项目", said.examination),
        ("报告医生", said.author_name),
        ("签发机构", said.institution_name),
        ("签发时间", f"{said.signed_at.astimezone(_ZONE):%Y年%m月%d日 %H:%M}"),
        ("报告编号", said.number),
        ("版本", f"第{said.version}版"),
    )
    return head + advice(_AS_PRINTED) + facts(rows) + section("诊断意见", said.impression) + footer(_WHO)


def _refusal(headline: str, words: str) -> str:
    return verdict("bad", headline, words) + footer(_WHO)
