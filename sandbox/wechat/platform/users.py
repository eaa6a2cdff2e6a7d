"""Users and their tags. Source: developers.weixin.qq.com, 公众号 / 用户管理 (标签管理, 获取用户基本信息)."""

from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError
from sandbox.wechat.phones import Phone
from sandbox.wechat.platform.calls import OK, Call, Endpoint
from sandbox.wechat.tags import MAX_TAGS_OF_A_USER, MAX_USERS_AT_ONCE


def _tag(call: Call) -> JsonObject:
    tag = call.body.get("tag")
    if not isinstance(tag, dict):
        raise WechatError(47001)
    return tag


def create_tag(call: Call) -> JsonObject:
    """POST /cgi-bin/tags/create."""
    name = _tag(call).get("name")
    return {"tag": {"id": call.account.tags.create(name), "name": name}}


def list_tags(call: Call) -> JsonObject:
    """GET /cgi-bin/tags/get."""
    counts = dict.fromkeys(call.account.tags.names, 0)
    for phone in call.account.phones:
        for tag_id in phone.tag_ids:
            counts[tag_id] += 1
    return {"tags": [{"id": i, "name": name, "count": counts[i]} for i, name in call.account.tags.names.items()]}


def update_tag(call: Call) -> JsonObject:
    """POST /cgi-bin/tags/update."""
    tag = _tag(call)
    call.account.tags.rename(tag.get("id"), tag.get("name"))
    return OK


def delete_tag(call: Call) -> JsonObject:
    """POST /cgi-bin/tags/delete: the users lose it too."""
    tag_id = call.account.tags.check_id(_tag(call).get("id"))
    call.account.tags.delete(tag_id)
    for phone in call.account.phones:
        phone.tag_ids.discard(tag_id)
    _tell_the_page(call, None)
    return OK


def batch_tag(call: Call) -> JsonObject:
    """POST /cgi-bin/tags/members/batchtagging."""
    tag_id = call.account.tags.check_id(call.body.get("tagid"))
    users = _users(call)
    if any(len(user.tag_ids | {tag_id}) > MAX_TAGS_OF_A_USER for user in users):
        raise WechatError(45059)
    for user in users:
        user.tag_ids.add(tag_id)
    _tell_the_page(call, users)
    return OK


def batch_untag(call: Call) -> JsonObject:
    """POST /cgi-bin/tags/members/batchuntagging."""
    tag_id = call.account.tags.check_id(call.body.get("tagid"))
    users = _users(call)
    for user in users:
        user.tag_ids.discard(tag_id)
    _tell_the_page(call, users)
    return OK


def tags_of_user(call: Call) -> JsonObject:
    """POST /cgi-bin/tags/getidlist."""
    return {"tagid_list": sorted(call.user().tag_ids)}


def user_info(call: Call) -> JsonObject:
    """GET /cgi-bin/user/info. Nickname and picture are not given since 2021-12-27."""
    phone = call.user()
    if not phone.following:
        return {"subscribe": 0, "openid": phone.openid, "unionid": phone.union_id, "tagid_list": []}
    return {
        "subscribe": 1,
        "openid": phone.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": int(phone.followed_at),
        "unionid": phone.union_id,
        "remark": "",
        "groupid": 0,
        "tagid_list": sorted(phone.tag_ids),
        "subscribe_scene": "ADD_SCENE_QR_CODE" if phone.follow_scene else "ADD_SCENE_SEARCH",
        "qr_scene": int(phone.follow_scene) if phone.follow_scene.isdecimal() else 0,
        "qr_scene_str": phone.follow_scene,
    }


def _users(call: Call) -> list[Phone]:
    openids = call.body.get("openid_list")
    if not isinstance(openids, list) or not 1 <= len(openids) <= MAX_USERS_AT_ONCE:
        raise WechatError(40032)
    users = []
    for openid in openids:
        phone = call.account.phones.find(openid) if isinstance(openid, str) else None
        if phone is None:
            raise WechatError(40003)
        if not phone.following:
            raise WechatError(49003)
        users.append(phone)
    return users


def _tell_the_page(call: Call, users: list[Phone] | None) -> None:
    call.account.stream.publish({"menu": {"openids": users and [user.openid for user in users]}})
    for user in users or ():
        call.account.phones.changed(user)


ENDPOINTS = [
    Endpoint("/cgi-bin/tags/create", create_tag),
    Endpoint("/cgi-bin/tags/get", list_tags, post=False),
    Endpoint("/cgi-bin/tags/update", update_tag),
    Endpoint("/cgi-bin/tags/delete", delete_tag),
    Endpoint("/cgi-bin/tags/members/batchtagging", batch_tag),
    Endpoint("/cgi-bin/tags/members/batchuntagging", batch_untag),
    Endpoint("/cgi-bin/tags/getidlist", tags_of_user),
    Endpoint("/cgi-bin/user/info", user_info, post=False),
]
