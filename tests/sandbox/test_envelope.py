"""The XML of callbacks and of passive replies."""

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from sandbox.settings import LOCAL_AES_KEY, LOCAL_APP_ID, LOCAL_TOKEN
from sandbox.wechat.crypto import SafeMode
from sandbox.wechat.envelope import NOT_XML, AbnormalReplyError, PassiveReply, cdata, open_reply, render

CIPHER = SafeMode(LOCAL_TOKEN, LOCAL_AES_KEY, LOCAL_APP_ID)
HEAD = "<ToUserName>o1</ToUserName><FromUserName>gh_1</FromUserName><CreateTime>1</CreateTime>"


def sealed(inner: str) -> bytes:
    """A passive reply in its envelope."""
    encrypted = CIPHER.encrypt(f"<xml>{inner}</xml>".encode())
    signature = CIPHER.sign_message("1", "2", encrypted)
    return (
        f"<xml><Encrypt>{encrypted}</Encrypt><MsgSignature>{signature}</MsgSignature>"
        "<TimeStamp>1</TimeStamp><Nonce>2</Nonce></xml>"
    ).encode()


def opened(inner: str) -> PassiveReply | None:
    return open_reply(CIPHER, sealed(inner), "o1", "gh_1")


@given(st.text(max_size=500))
def test_any_text_survives_the_callbacks_xml_but_for_what_xml_cannot_hold(text: str) -> None:
    parsed = xmltodict.parse(f"<xml><Content>{cdata(text)}</Content></xml>", strip_whitespace=False)
    expected = NOT_XML.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    assert (parsed["xml"]["Content"] or "") == expected


def test_numbers_are_bare_and_objects_nested() -> None:
    xml = render({"CreateTime": 5, "Popup": {"List": [{"A": "x"}, {"A": "y"}]}})
    assert xml == (
        "<xml><CreateTime>5</CreateTime><Popup><List><A><![CDATA[x]]></A></List>"
        "<List><A><![CDATA[y]]></A></List></Popup></xml>"
    )


@pytest.mark.parametrize("body", [b"success", b"", b" \n", b"success\n"])
def test_success_and_nothing_are_no_reply(body: bytes) -> None:
    assert open_reply(CIPHER, body, "o1", "gh_1") is None


def test_each_kind_of_reply_is_read() -> None:
    assert opened(f"{HEAD}<MsgType>text</MsgType><Content>你好</Content>") == PassiveReply("text", {"text": "你好"})
    image = f"{HEAD}<MsgType>image</MsgType><Image><MediaId>m</MediaId></Image>"
    assert opened(image) == PassiveReply("image", {"media_id": "m"})
    music = f"{HEAD}<MsgType>music</MsgType><Music><Title>t</Title><MusicUrl>u</MusicUrl></Music>"
    assert opened(music) == PassiveReply("music", {"title": "t", "description": "", "url": "u"})
    assert opened(f"{HEAD}<MsgType>transfer_customer_service</MsgType>") is None
    news = opened(
        f"{HEAD}<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles><item><Title>标题</Title>"
        "<Url>http://a</Url></item></Articles>"
    )
    assert news is not None
    assert news.content["articles"] == [{"title": "标题", "description": "", "url": "http://a", "pic_url": ""}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "json"}',
        b"<html></html>",
        b"<xml><Encrypt>",
        f"<xml>{HEAD}<MsgType>text</MsgType><Content>plain</Content></xml>".encode(),
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        sealed(f"{HEAD}<MsgType>text</MsgType><Content></Content>"),
        sealed(f"{HEAD}<MsgType>text</MsgType><Content>{'字' * 683}</Content>"),
        sealed(f"{HEAD}<MsgType>msgmenu</MsgType>"),
        sealed(f"{HEAD}<MsgType>image</MsgType>"),
        sealed(
            f"{HEAD}<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles><item><Title>1</Title></item></Articles>"
        ),
        sealed(HEAD.replace("o1", "o2") + "<MsgType>text</MsgType><Content>x</Content>"),
        sealed("<MsgType>text</MsgType>").replace(b"<Nonce>2", b"<Nonce>3"),
    ],
)
def test_what_wechat_does_not_understand_is_abnormal(body: bytes) -> None:
    with pytest.raises(AbnormalReplyError):
        open_reply(CIPHER, body, "o1", "gh_1")


@given(st.binary(max_size=300))
def test_no_answer_whatever_breaks_the_reader(body: bytes) -> None:
    try:
        open_reply(CIPHER, body, "o1", "gh_1")
    except AbnormalReplyError:
        return
    assert body.strip() in (b"", b"success")
