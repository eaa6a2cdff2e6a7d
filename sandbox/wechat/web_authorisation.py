"""The page on which WeChat asks whose browser it is (open.weixin.qq.com), scope ``snsapi_base``: it shows nothing.

Source: developers.weixin.qq.com, 公众号 / 网页授权. A browser inside a real WeChat is somebody's by itself. Here a
phone on the phones page gives its frame the name ``wechat:{openid}``, which stays while the frame goes from page to
page; a program says ``&phone={openid}`` instead.
"""

from aiohttp import web
from yarl import URL

from sandbox.wechat.account import Account
from sandbox.wechat.platform.calls import ACCOUNT

PATH = "/connect/oauth2/authorize"
MAX_STATE = 128
# What WeChat's page shows instead of leading on.
_NO_APP_ID, _UNKNOWN_APP_ID = "10012 appid 不能为空", "40013 AppID 参数错误"
_NO_ADDRESS, _WRONG_DOMAIN = "10011 redirect_uri 不能为空", "10003 redirect_uri 域名与后台配置不一致"
_NO_SCOPE, _WRONG_SCOPE = "10010 scope 不能为空", "10005 此公众号没有这些 scope 的权限"
_WRONG_TYPE, _WRONG_STATE = "response_type 参数错误", "state 参数错误"
_UNKNOWN_PHONE = "没有这部手机"

_HEAD = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>微信</title>
<body style="font:18px/1.8 sans-serif;margin:20vh auto 0;padding:0 1.5em;max-width:24em;text-align:center">"""
_ASK = f"""{_HEAD}<p id="said"></p><script>
const [, openid] = /^wechat:(.+)$/.exec(window.name) ?? []
if (openid) {{
  const here = new URL(location.href)
  here.searchParams.set('phone', openid)
  location.replace(here)
}} else {{
  document.getElementById('said').textContent = '请在微信客户端打开链接'
}}
</script>"""

routes = web.RouteTableDef()


@routes.get(PATH)
async def authorize(request: web.Request) -> web.Response:
    """GET /connect/oauth2/authorize: leads back to ``redirect_uri`` with ``code`` and ``state``."""
    account, query = request.app[ACCOUNT], dict(request.query)
    wrong = _wrong(account, query)
    if wrong:
        return _page(f"{_HEAD}<p>{wrong}</p>")
    if "phone" not in query:
        return _page(_ASK)
    phone = account.phones.find(query["phone"])
    if phone is None:
        return _page(f"{_HEAD}<p>{_UNKNOWN_PHONE}</p>")
    back = URL(query["redirect_uri"]).update_query(code=account.web_codes.issue(phone.openid))
    if "state" in query:
        back = back.update_query(state=query["state"])
    return web.Response(status=302, headers={"Location": str(back), "Cache-Control": "no-store"})


def _wrong(account: Account, query: dict[str, str]) -> str:
    checks = (
        (not query.get("appid"), _NO_APP_ID),
        (query.get("appid") != account.settings.app_id, _UNKNOWN_APP_ID),
        (not query.get("redirect_uri"), _NO_ADDRESS),
        (not _is_ours(account, query.get("redirect_uri", "")), _WRONG_DOMAIN),
        (query.get("response_type") != "code", _WRONG_TYPE),
        (not query.get("scope"), _NO_SCOPE),
        (query.get("scope") != "snsapi_base", _WRONG_SCOPE),
        (not _may_be_state(query.get("state", "")), _WRONG_STATE),
    )
    return next((said for fails, said in checks if fails), "")


def _is_ours(account: Account, address: str) -> bool:
    """Whether the address lies on the domain entered for the account, which here is that of the callback."""
    try:
        url, home = URL(address), URL(account.courier.client.url)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and url.host == home.host


def _may_be_state(state: str) -> bool:
    return len(state) <= MAX_STATE and (not state or (state.isascii() and state.isalnum()))


def _page(html: str) -> web.Response:
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})
