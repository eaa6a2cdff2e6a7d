"""The page behind the QR code of a printed report: is this paper genuine, and is it the newest version?

Whoever holds the paper may look, without a session: the code in the address is the right to see what the paper says.
The page is plain HTML without a script, for whatever browser a scanner opens. The code is a secret: it is in no log and
in no link that leads away.
"""

import html
from zoneinfo import ZoneInfo

from aiohttp import web

from backend.errors import NotFound
from backend.limits import RateLimits
from backend.reporting import ReportService, Verification
from miniprogram_api.address import Networks, client_address

PATH = "/verify/{code:.{1,200}}"

_LOOKS, _SECONDS = 30, 60
_ZONE = ZoneInfo("Asia/Shanghai")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_STYLE = """
body{margin:0;background:#f4f5f7;color:#1a1a1a;font:17px/1.7 -apple-system,"PingFang SC","Noto Sans SC",sans-serif}
main{max-width:34em;margin:0 auto;padding:16px}
.verdict{border-radius:14px;padding:20px;color:#fff;margin:8px 0 16px}
.verdict h1{font-size:26px;line-height:1.35;margin:0 0 6px}.verdict p{margin:0;font-size:18px}
.good{background:#176b3a}.old{background:#8a4b00}.bad{background:#a3261c}
dl,.text{background:#fff;border-radius:14px;margin:0 0 16px;padding:8px 18px}
dl div{display:flex;padding:9px 0;border-bottom:1px solid #eceef1}dl div:last-child{border:0}
dt{flex:0 0 5em;color:#5a6068}dd{margin:0;flex:1;overflow-wrap:anywhere}
.text{padding:14px 18px}.text h2{font-size:17px;margin:0 0 6px;color:#5a6068;font-weight:400}
.text p{margin:0;font-size:19px;white-space:pre-line;overflow-wrap:anywhere}
.advice{margin:0 4px 14px;font-size:18px}
footer{color:#5a6068;font-size:15px;padding:0 4px 24px}
"""


def verification_route(reports: ReportService, limits: RateLimits, proxies: Networks) -> web.RouteDef:
    """Give the route of the page; from one address so many looks a minute, which no guessing of codes gets through."""

    async def serve(request: web.Request) -> web.Response:
        address = client_address(request, proxies)
        if not await limits.allow(f"verify:{address}", _LOOKS, seconds=_SECONDS):
            return _page(429, _refusal("看得太频繁了", "请过一分钟再扫一次。"), {"Retry-After": str(_SECONDS)})
        try:
            said = await reports.verify(request.match_info["code"])
        except NotFound:
            return _page(404, _refusal("没有查到这份报告", _UNKNOWN))
        return _page(200, _shown(said))

    return web.get(PATH, serve)


_UNKNOWN = "请再扫一次纸上的二维码。如果还是查不到，这张纸可能不是从我们这里出的，请问给您看病的医生。"
_AS_PRINTED = "请对一对：下面写的和纸上写的要一样。不一样，就不要相信那张纸。"
_WHO = "桥医　报告核对"


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


def _shown(said: Verification) -> str:
    kind, headline, advice = _verdict(said)
    verdict = f'<div class="verdict {kind}"><h1>{headline}</h1><p>{advice}</p></div>'
    if not said.genuine:
        return verdict + _footer(f"报告编号：{html.escape(said.number)}")
    facts = (
        ("姓名", said.patient_name),
        ("检查项目", said.examination),
        ("报告医生", said.author_name),
        ("签发机构", said.institution_name),
        ("签发时间", f"{said.signed_at.astimezone(_ZONE):%Y年%m月%d日 %H:%M}"),
        ("报告编号", said.number),
        ("版本", f"第{said.version}版"),
    )
    rows = "".join(f"<div><dt>{name}</dt><dd>{html.escape(value)}</dd></div>" for name, value in facts)
    impression = f'<div class="text"><h2>诊断意见</h2><p>{html.escape(said.impression)}</p></div>'
    return f'{verdict}<p class="advice">{_AS_PRINTED}</p><dl>{rows}</dl>{impression}{_footer(_WHO)}'


def _refusal(headline: str, advice: str) -> str:
    return f'<div class="verdict bad"><h1>{headline}</h1><p>{advice}</p></div>' + _footer(_WHO)


def _footer(words: str) -> str:
    return f"<footer>{words}</footer>"


def _page(status: int, body: str, more: dict[str, str] | None = None) -> web.Response:
    text = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><title>报告核对</title>'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS | (more or {}))
