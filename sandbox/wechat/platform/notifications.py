"""Template messages and subscribe notifications.

Source: developers.weixin.qq.com, 公众号 / 模板消息 (发送模板消息), 订阅通知 (发送订阅通知, getTemplateList).
"""

from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError
from sandbox.wechat.platform.calls import OK, Call, Endpoint


def send_template(call: Call) -> JsonObject:
    """POST /cgi-bin/message/template/send. The same ``client_msg_id`` within ten minutes sends nothing again."""
    templates = call.account.templates
    template = templates.template.get(str(call.body.get("template_id")))
    if template is None:
        raise WechatError(40037)
    phone = call.follower()
    fields = template.fill(call.body.get("data"))
    client_id = call.body.get("client_msg_id")
    if isinstance(client_id, str) and client_id:
        sent_before = templates.sent_before(phone.openid, client_id)
        if sent_before is not None:
            return {**OK, "msgid": sent_before}
    templates.count_one()
    message_id = templates.next_id()
    if isinstance(client_id, str) and client_id:
        templates.note_sent(phone.openid, client_id, message_id)
    call.account.push(phone, "template", _card(call, template.id, template.title, fields))
    finished = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": message_id, "Status": "success"}
    call.account.courier.dispatch(phone, finished, answerable=False)
    return {**OK, "msgid": message_id}


def send_subscribe(call: Call) -> JsonObject:
    """POST /cgi-bin/message/subscribe/bizsend. Uses up one consent, unless the template is a long-term one."""
    templates = call.account.templates
    template = templates.subscribe.get(str(call.body.get("template_id")))
    if template is None:
        raise WechatError(40037)
    phone = call.user()
    fields = template.fill(call.body.get("data"))
    consents = phone.consents.get(template.id, 0)
    if consents < 1:
        raise WechatError(43101)
    if not template.long_term:
        phone.consents[template.id] = consents - 1
    message_id = templates.next_id()
    call.account.push(phone, "subscribe", _card(call, template.id, template.title, fields))
    sent = {"TemplateId": template.id, "MsgID": str(message_id), "ErrorCode": "0", "ErrorStatus": "success"}
    event = {"MsgType": "event", "Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": sent}}
    call.account.courier.dispatch(phone, event, answerable=False)
    return {**OK, "msgid": message_id}


def list_templates(call: Call) -> JsonObject:
    """GET /cgi-bin/template/get_all_private_template."""
    return {"template_list": [template.to_json() for template in call.account.templates.template.values()]}


def list_subscriptions(call: Call) -> JsonObject:
    """GET /wxaapi/newtmpl/gettemplate."""
    return {**OK, "data": [template.to_subscription() for template in call.account.templates.subscribe.values()]}


def _card(call: Call, template_id: str, title: str, fields: list[JsonObject]) -> JsonObject:
    card: JsonObject = {"template_id": template_id, "title": title, "fields": fields}
    card["url"] = str(call.body.get("url") or call.body.get("page") or "")
    mini_program = call.body.get("miniprogram")
    if isinstance(mini_program, dict):
        card["miniprogram"] = {name: str(mini_program.get(name) or "") for name in ("appid", "pagepath")}
    return card


ENDPOINTS = [
    Endpoint("/cgi-bin/message/template/send", send_template),
    Endpoint("/cgi-bin/message/subscribe/bizsend", send_subscribe),
    Endpoint("/cgi-bin/template/get_all_private_template", list_templates, post=False),
    Endpoint("/wxaapi/newtmpl/gettemplate", list_subscriptions, post=False),
]
