"""The custom menu and conditional menus. Source: developers.weixin.qq.com, 公众号 / 自定义菜单, 个性化菜单."""

from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError
from sandbox.wechat.platform.calls import OK, Call, Endpoint


def _tell_the_page(call: Call) -> None:
    call.account.stream.publish({"menu": {"openids": None}})


def create(call: Call) -> JsonObject:
    """POST /cgi-bin/menu/create."""
    call.account.menus.create(call.body)
    _tell_the_page(call)
    return OK


def get(call: Call) -> JsonObject:
    """GET /cgi-bin/menu/get."""
    return call.account.menus.describe()


def delete(call: Call) -> JsonObject:
    """GET /cgi-bin/menu/delete: the default and every conditional menu."""
    call.account.menus.delete_all()
    _tell_the_page(call)
    return OK


def add_conditional(call: Call) -> JsonObject:
    """POST /cgi-bin/menu/addconditional."""
    menu_id = call.account.menus.add_conditional(call.body, set(call.account.tags.names))
    _tell_the_page(call)
    return {"menuid": str(menu_id)}


def delete_conditional(call: Call) -> JsonObject:
    """POST /cgi-bin/menu/delconditional."""
    call.account.menus.delete_conditional(call.body.get("menuid"))
    _tell_the_page(call)
    return OK


def try_match(call: Call) -> JsonObject:
    """POST /cgi-bin/menu/trymatch."""
    menu = call.account.menus.resolve(call.follower().tag_ids)
    if menu is None:
        raise WechatError(46003)
    return {"button": menu.buttons}


ENDPOINTS = [
    Endpoint("/cgi-bin/menu/create", create),
    Endpoint("/cgi-bin/menu/get", get, post=False),
    Endpoint("/cgi-bin/menu/delete", delete, post=False),
    Endpoint("/cgi-bin/menu/addconditional", add_conditional),
    Endpoint("/cgi-bin/menu/delconditional", delete_conditional),
    Endpoint("/cgi-bin/menu/trymatch", try_match),
]
