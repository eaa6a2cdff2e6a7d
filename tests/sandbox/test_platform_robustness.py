"""Whatever a product sends, the platform answers in WeChat's words and never falls over."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.settings import Settings
from sandbox.wechat.errors import MESSAGES, WechatError
from sandbox.wechat.platform import access, assets, menus, messages, notifications, users
from sandbox.wechat.platform.calls import Call, Endpoint, Upload
from sandbox.world import World

ENDPOINTS = [
    endpoint for module in (access, assets, menus, messages, notifications, users) for endpoint in module.ENDPOINTS
]
OPENID = "o-wang"
NAMES = [
    "touser", "openid", "openid_list", "user_id", "msgtype", "text", "image", "news", "msgmenu", "miniprogrampage",
    "content", "media_id", "articles", "list", "id", "head_content", "title", "thumb_media_id", "appid", "pagepath",
    "template_id", "data", "thing1", "time4", "value", "client_msg_id", "button", "sub_button", "type", "name", "key",
    "url", "matchrule", "tag_id", "menuid", "tag", "tagid", "action_name", "action_info", "scene", "scene_str",
    "scene_id", "expire_seconds", "command", "grant_type", "secret", "force_refresh", "ticket", "js_code",
]  # fmt: skip
WORDS = [
    OPENID,
    "text",
    "msgmenu",
    "news",
    "click",
    "view",
    "100",
    "²",
    "9" * 5000,
    "QR_STR_SCENE",
    "QR_SCENE",
    "Typing",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ENDPOINTS), BODIES, BODIES, st.booleans())
def test_any_body_is_answered_or_refused_with_a_known_code(
    endpoint: Endpoint, body: dict[str, Any], query: dict[str, Any], with_file: bool
) -> None:
    async def call() -> None:
        account = World(Settings()).account
        phone = account.phones.create("王阿姨", OPENID)
        phone.following = True
        phone.ledger.user_wrote(account.clock.now())
        account.tags.create("医生")
        account.menus.create({"button": [{"type": "click", "name": "问诊", "key": "ask"}]})
        texts = {name: str(value) for name, value in query.items()}
        upload = Upload("a.png", "image/png", b"picture") if with_file else None
        errcode = -1
        try:
            endpoint.serve(Call(account, texts, {"touser": OPENID, **body}, upload))
        except WechatError as refusal:
            errcode = refusal.errcode
        assert errcode in MESSAGES
        await account.courier.cancel_all()

    asyncio.run(call())
