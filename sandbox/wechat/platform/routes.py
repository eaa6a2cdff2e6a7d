"""All paths of the platform side."""

from aiohttp import web

from sandbox.wechat.errors import WechatError
from sandbox.wechat.platform import access, assets, menus, messages, notifications, users
from sandbox.wechat.platform.calls import Call, Endpoint, handler


def _unknown(_call: Call) -> web.Response:
    raise WechatError(40066)


def platform_routes() -> list[web.RouteDef]:
    """The routes of api.weixin.qq.com; any other path below them answers 40066."""
    modules = (access, messages, notifications, menus, users, assets)
    routes = [web.route("*", endpoint.path, handler(endpoint)) for module in modules for endpoint in module.ENDPOINTS]
    for prefix in ("/cgi-bin", "/sns", "/wxa"):
        unknown = Endpoint(prefix + "/*", _unknown, post=False, token=False)
        routes.append(web.route("*", prefix + "/{path:.*}", handler(unknown)))
    return routes
