"""The page that pairs a device at home: a one-time code to scan or to read out, or the token itself, shown once.

Whoever has the address may pair the device: the code in it is the right to do so, for half an hour and once. The page
is plain HTML without a script. Opening it changes nothing, for WeChat opens addresses by itself; the button does.
"""

import html

import segno
from aiohttp import web

from backend.limits import RateLimits
from backend.records.monitoring.devices import PairingRefused
from backend.records.monitoring.service import MonitoringService
from miniprogram_api.address import Networks, counted_address

PATH = "/h5/devices/{code:[0-9A-Za-z]{1,32}}"
PAIRINGS, READINGS = "/api/v1/devices/pairings", "/api/v1/devices/readings"

_LOOKS, _SECONDS = 20, 60
_STYLE = """
body{margin:0;background:#f4f5f7;color:#1a1a1a;font:18px/1.7 -apple-system,"PingFang SC","Noto Sans SC",sans-serif}
main{max-width:34em;margin:0 auto;padding:16px}
h1{font-size:26px;line-height:1.35;margin:8px 4px 12px}
section{background:#fff;border-radius:14px;margin:0 0 16px;padding:16px 18px}
h2{font-size:19px;margin:0 0 6px}p{margin:0 0 8px}
.code{font:700 34px/1.3 ui-monospace,monospace;letter-spacing:.12em;text-align:center;margin:8px 0}
.token,.address{font:16px/1.5 ui-monospace,monospace;overflow-wrap:anywhere;background:#f4f5f7;border-radius:8px;
padding:10px 12px;user-select:all}.token{word-break:break-all}
.picture{text-align:center}.picture svg{width:min(60vw,220px);height:auto}
button{font:inherit;width:100%;min-height:48px;border:0;border-radius:10px;background:#176b3a;color:#fff}
button:focus-visible{outline:3px solid #1a1a1a;outline-offset:2px}
.small{color:#5a6068;font-size:16px}
"""


def device_page_routes(
    monitoring: MonitoringService, limits: RateLimits, proxies: Networks, public_url: str, framed_by: str = ""
) -> list[web.RouteDef]:
    """Give the routes of the page; from one address so many looks a minute, which no guessing of codes gets through.

    Args:
        framed_by: the origin that may show it in a frame (a local WeChat's); nobody's when empty.
    """
    ancestors = framed_by or "'none'"
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
        f"form-action 'self'; frame-ancestors {ancestors}",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    }

    async def show(request: web.Request) -> web.Response:
        code = request.match_info["code"]
        device = await monitoring.waiting_device(code)
        return _page(200, _to_pair(device.kind.device, code.upper(), public_url), headers)

    async def pair(request: web.Request) -> web.Response:
        new = await monitoring.redeem_code(request.match_info["code"])
        return _page(200, _token(new.token, public_url), headers)

    async def guarded(request: web.Request) -> web.Response:
        address = counted_address(request, proxies)
        if not await limits.allow(f"pairing:{address}", _LOOKS, seconds=_SECONDS):
            words = _refusal("看得太频繁了", "请过一分钟再打开。")
            return _page(429, words, {**headers, "Retry-After": str(_SECONDS)})
        try:
            return await (pair if request.method == "POST" else show)(request)
        except PairingRefused:
            return _page(404, _refusal("这个页面用不了了", _OVER), headers)

    return [web.get(PATH, guarded, allow_head=False), web.post(PATH, guarded)]


_OVER = "码已经用过，或者过了半小时。请回到公众号，重新点“绑定设备”。"
_KEEP = "谁有这个密钥，谁就能替这台设备传数据。请只填进设备厂家的软件里，不要发给别人。丢了就解绑，重新绑一次。"


def _to_pair(device: str, code: str, public_url: str) -> str:
    picture = segno.make(f"{public_url}/h5/devices/{code}", error="m", micro=False).svg_inline(scale=6, border=2)
    spoken = f"{code[: len(code) // 2]} {code[len(code) // 2 :]}"
    return f"""<h1>绑定{html.escape(device)}</h1>
<section class="picture"><p>用设备厂家的软件扫这个码：</p>{picture}
<p>扫不了，就在软件里填这个绑定码：</p><p class="code">{html.escape(spoken)}</p>
<p class="small">半小时内有效，只能用一次。</p></section>
<section><h2>厂家的软件只能填密钥？</h2><p>点下面的按钮，密钥只显示一次，请先打开要填的地方。</p>
<form method="post"><button>显示密钥（只显示一次）</button></form></section>
<section><h2>给设备厂家的技术人员</h2><p class="small">用绑定码换密钥：</p>
<p class="address">POST {html.escape(public_url)}{PAIRINGS}</p><p class="small">上传测量结果：</p>
<p class="address">POST {html.escape(public_url)}{READINGS}</p></section>"""


def _token(token: str, public_url: str) -> str:
    return f"""<h1>绑定好了</h1>
<section><h2>密钥（只显示这一次）</h2><p class="token">{html.escape(token)}</p><p>{_KEEP}</p></section>
<section><h2>上传地址</h2><p class="address">{html.escape(public_url)}{READINGS}</p>
<p class="small">请求头：Authorization: Bearer 加上密钥。</p></section>"""


def _refusal(headline: str, advice: str) -> str:
    return f"<h1>{headline}</h1><section><p>{advice}</p></section>"


def _page(status: int, body: str, headers: dict[str, str]) -> web.Response:
    text = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><title>绑定设备</title>'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
