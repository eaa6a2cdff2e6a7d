"""What a user can do on a phone, and the callback that each of it becomes.

Source: developers.weixin.qq.com, 公众号 / 接收普通消息, 接收事件推送, 自定义菜单事件推送.
"""

from typing import Any

from sandbox.errors import JsonObject, bad_request, conflict, not_found
from sandbox.wechat.account import Account
from sandbox.wechat.courier import Round
from sandbox.wechat.envelope import TAG_NAME
from sandbox.wechat.media import Medium
from sandbox.wechat.phones import Phone

SILENCE = b"#!AMR\n"
MAX_RAW_DEPTH = 5


def _require_following(phone: Phone) -> None:
    if not phone.following:
        raise conflict("not_following", "还没有关注公众号，请先关注。")


def _event(account: Account, phone: Phone, event: str, key: str = "", answerable: bool = True, **more: Any) -> Round:
    fields = {"MsgType": "event", "Event": event, "EventKey": key, **more}
    return account.courier.dispatch(phone, fields, answerable=answerable)


def _message(account: Account, phone: Phone, kind: str, content: JsonObject, fields: JsonObject) -> Round:
    """Show the user's bubble and deliver it. The fields go between the kind and the id, as WeChat orders them."""
    _require_following(phone)
    number = account.phones.next_message_id()
    bubble = account.phones.add_message(phone, "user", kind, content, msg_id=str(number))
    return account.courier.dispatch(
        phone, {"MsgType": fields.pop("MsgType", kind), **fields, "MsgId": number}, seq=bubble.seq
    )


def follow(account: Account, phone: Phone, scene: str | None) -> Round:
    """Follow the account, by a QR code where a scene is given; 409 when the phone follows already."""
    if phone.following:
        raise conflict("already_following", "已经关注了。")
    more = _ticket(account, scene) if scene else {}
    now = account.clock.now()
    phone.following, phone.followed_at, phone.follow_scene = True, now, scene or ""
    phone.ledger.user_acted(now)
    account.phones.changed(phone)
    return _event(account, phone, "subscribe", f"qrscene_{scene}" if scene else "", **more)


def unfollow(account: Account, phone: Phone) -> Round:
    """Leave the account: tags and consents are gone, and the window is closed."""
    _require_following(phone)
    phone.following = False
    phone.tag_ids.clear()
    phone.consents.clear()
    phone.ledger.close()
    account.phones.changed(phone)
    account.stream.publish({"menu": {"openids": [phone.openid]}})
    return _event(account, phone, "unsubscribe", answerable=False)


def say(account: Account, phone: Phone, text: str) -> Round:
    """Send a text."""
    _require_following(phone)
    phone.ledger.user_wrote(account.clock.now())
    return _message(account, phone, "text", {"text": text}, {"Content": text})


def tap(account: Account, phone: Phone, seq: int, item_id: str) -> Round:
    """Tap an item of a msgmenu, or a tappable sentence of a text: its content is sent in the user's name."""
    _require_following(phone)
    message = phone.find_message(seq)
    if message is None:
        raise not_found("message_unknown", "没有这条消息。")
    for item in message.content.get("items", []):
        if item["id"] == item_id:
            phone.ledger.user_acted(account.clock.now())
            text = item.get("content", item["text"])
            return _message(account, phone, "text", {"text": text}, {"Content": text, "bizmsgmenuid": item_id})
    raise not_found("item_unknown", "这条消息里没有这个选项。")


def press_menu(account: Account, phone: Phone, wanted: str) -> tuple[Round, JsonObject]:
    """Press a menu button by key, name or address; gives the round, and where a view button leads."""
    _require_following(phone)
    menu = account.menus.resolve(phone.tag_ids)
    button = menu.find_button(wanted) if menu else None
    if menu is None or button is None:
        raise not_found("menu_key_unknown", "菜单里没有这一项。")
    if button["type"] == "view":
        return _event(account, phone, "VIEW", button["url"], answerable=False, MenuId=menu.id), {"url": button["url"]}
    if button["type"] == "miniprogram":
        page = {name: button.get(name, "") for name in ("url", "appid", "pagepath")}
        key = page["pagepath"]
        return _event(account, phone, "view_miniprogram", key, answerable=False, MenuId=menu.id), page
    phone.ledger.user_acted(account.clock.now())
    event = "CLICK" if button["type"] == "click" else button["type"]
    return _event(account, phone, event, button["key"]), {}


def scan(account: Account, phone: Phone, scene: str) -> Round:
    """Scan the account's QR code with a scene: follows where the phone does not follow yet."""
    if not phone.following:
        return follow(account, phone, scene)
    more = _ticket(account, scene)
    phone.ledger.user_acted(account.clock.now())
    return _event(account, phone, "SCAN", scene, **more)


def send_image(account: Account, phone: Phone, medium: Medium) -> Round:
    """Send a picture."""
    _require_following(phone)
    phone.ledger.user_wrote(account.clock.now())
    url = account.media_url(medium.media_id)
    content = {"media_id": medium.media_id, "url": url}
    return _message(account, phone, "image", content, {"PicUrl": url, "MediaId": medium.media_id})


def send_voice(account: Account, phone: Phone, recognition: str, recording: bytes | None) -> Round:
    """Send a voice message with what WeChat recognised in it."""
    _require_following(phone)
    phone.ledger.user_wrote(account.clock.now())
    medium = account.media.add("voice", "audio/amr", "voice.amr", recording or SILENCE)
    content = {"text": recognition, "media_id": medium.media_id, "url": account.media_url(medium.media_id)}
    fields = {"MediaId": medium.media_id, "Format": "amr", "Recognition": recognition}
    return _message(account, phone, "voice", content, fields)


def send_location(account: Account, phone: Phone, latitude: float, longitude: float, label: str) -> Round:
    """Send a place. Latitude and longitude in degrees."""
    _require_following(phone)
    phone.ledger.user_wrote(account.clock.now())
    content = {"lat": latitude, "lon": longitude, "label": label, "text": label}
    fields = {"Location_X": f"{latitude:.6f}", "Location_Y": f"{longitude:.6f}", "Scale": 16, "Label": label}
    return _message(account, phone, "location", content, fields)


def send_raw(account: Account, phone: Phone, fields: JsonObject) -> Round:
    """Deliver a callback of any kind. A message opens the window and shows as a bubble; an event does neither."""
    _require_following(phone)
    if not isinstance(fields.get("MsgType"), str) or not _fits_xml(fields):
        raise bad_request("fields_invalid", "字段不对：要有 MsgType，字段名只能用字母、数字和下划线。")
    if fields["MsgType"] == "event":
        return account.courier.dispatch(phone, fields)
    phone.ledger.user_wrote(account.clock.now())
    kind = fields["MsgType"]
    number = fields.get("MsgId") or account.phones.next_message_id()
    bubble = account.phones.add_message(phone, "user", kind, {"fields": fields}, msg_id=str(number))
    return account.courier.dispatch(phone, {**fields, "MsgId": number}, seq=bubble.seq)


def _fits_xml(value: Any, depth: int = 0) -> bool:
    """Whether a value of ``raw`` can be written as WeChat's XML: names that are tags, not nested too deep."""
    if depth > MAX_RAW_DEPTH:
        return False
    if isinstance(value, dict):
        return all(TAG_NAME.fullmatch(name) and _fits_xml(inner, depth + 1) for name, inner in value.items())
    if isinstance(value, list):
        return all(not isinstance(inner, list) and _fits_xml(inner, depth + 1) for inner in value)
    return isinstance(value, str | int | float)


def consent(account: Account, phone: Phone, template_id: str, accept: bool) -> Round:
    """Answer the question whether a subscribe notification may come: one yes is one message, or all where long-term."""
    _require_following(phone)
    template = account.templates.subscribe.get(template_id)
    if template is None:
        raise not_found("template_unknown", "没有这个订阅通知。")
    if accept:
        phone.consents[template_id] = 1 if template.long_term else phone.consents.get(template_id, 0) + 1
    elif template.long_term:
        phone.consents.pop(template_id, None)
    account.phones.changed(phone)
    entry = {
        "TemplateId": template_id,
        "SubscribeStatusString": "accept" if accept else "reject",
        "PopupScene": "2",
    }
    fields = {"MsgType": "event", "Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": entry}}
    return account.courier.dispatch(phone, fields, answerable=False)


def _ticket(account: Account, scene: str) -> JsonObject:
    """The ticket of the code with this scene. A code the sandbox never made counts as one printed before its time."""
    code = account.qr_codes.by_scene.get(scene)
    if code is None:
        return {"Ticket": "gQ-printed-before"}
    if account.qr_codes.is_expired(code):
        raise conflict("qr_code_expired", "这个二维码已经过期了。")
    return {"Ticket": code.ticket}
