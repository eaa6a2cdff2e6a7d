"""Credentials: access tokens, the jsapi ticket, logins of the mini-program and of web pages, quotas."""

import hmac

from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError
from sandbox.wechat.platform.calls import OK, Call, Endpoint


def _check_credentials(given_id: object, given_secret: object, app_id: str, secret: str) -> None:
    if given_id != app_id:
        raise WechatError(40013)
    if not isinstance(given_secret, str) or not hmac.compare_digest(given_secret.encode(), secret.encode()):
        raise WechatError(40125)


def stable_token(call: Call) -> JsonObject:
    """POST /cgi-bin/stable_token."""
    if call.body.get("grant_type") != "client_credential":
        raise WechatError(40002)
    settings = call.account.settings
    _check_credentials(call.body.get("appid"), call.body.get("secret"), settings.app_id, settings.app_secret)
    value, seconds = call.account.tokens.give_stable(call.body.get("force_refresh") is True)
    return {"access_token": value, "expires_in": seconds}


def token(call: Call) -> JsonObject:
    """GET /cgi-bin/token."""
    if call.query.get("grant_type") != "client_credential":
        raise WechatError(40002)
    settings = call.account.settings
    _check_credentials(call.query.get("appid"), call.query.get("secret"), settings.app_id, settings.app_secret)
    value, seconds = call.account.tokens.give_plain()
    return {"access_token": value, "expires_in": seconds}


def ticket(call: Call) -> JsonObject:
    """GET /cgi-bin/ticket/getticket?type=jsapi."""
    if call.query.get("type") != "jsapi":
        raise WechatError(40097)
    value, seconds = call.account.tokens.give_ticket()
    return {**OK, "ticket": value, "expires_in": seconds}


def clear_quota(call: Call) -> JsonObject:
    """POST /cgi-bin/clear_quota."""
    if call.body.get("appid") != call.account.settings.app_id:
        raise WechatError(40013)
    call.account.tokens.clear_quota()
    call.account.templates.sent_today = 0
    return OK


def code_to_session(call: Call) -> JsonObject:
    """GET /sns/jscode2session."""
    settings = call.account.settings
    query = call.query
    _check_credentials(query.get("appid"), query.get("secret"), settings.mini_app_id, settings.mini_app_secret)
    if query.get("grant_type") != "authorization_code":
        raise WechatError(40002)
    if not query.get("js_code"):
        raise WechatError(41008)
    openid, session_key = call.account.logins.redeem(query["js_code"])
    phone = call.account.phones.find(openid)
    if phone is None:
        raise WechatError(40029)
    return {"openid": phone.mini_openid, "session_key": session_key, "unionid": phone.union_id}


def web_code_to_token(call: Call) -> JsonObject:
    """GET /sns/oauth2/access_token: who opened a page. The token itself opens nothing with ``snsapi_base``."""
    settings, query = call.account.settings, call.query
    _check_credentials(query.get("appid"), query.get("secret"), settings.app_id, settings.app_secret)
    if query.get("grant_type") != "authorization_code":
        raise WechatError(40002)
    if not query.get("code"):
        raise WechatError(41008)
    openid, session_key = call.account.web_codes.redeem(query["code"])
    phone = call.account.phones.find(openid)
    if phone is None:
        raise WechatError(40029)
    return {
        "access_token": session_key,
        "expires_in": 7200,
        "refresh_token": session_key,
        "openid": phone.openid,
        "scope": "snsapi_base",
        "unionid": phone.union_id,
    }


ENDPOINTS = [
    Endpoint("/cgi-bin/stable_token", stable_token, token=False),
    Endpoint("/cgi-bin/token", token, post=False, token=False),
    Endpoint("/cgi-bin/ticket/getticket", ticket, post=False),
    Endpoint("/cgi-bin/clear_quota", clear_quota),
    Endpoint("/sns/jscode2session", code_to_session, post=False, token=False),
    Endpoint("/sns/oauth2/access_token", web_code_to_token, post=False, token=False),
]
