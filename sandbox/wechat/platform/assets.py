"""QR codes and temporary media. Source: developers.weixin.qq.com, 公众号 / 账号管理, 素材管理."""

from aiohttp import web

from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError
from sandbox.wechat.media import check_upload
from sandbox.wechat.platform.calls import Call, Endpoint


def create_qr_code(call: Call) -> JsonObject:
    """POST /cgi-bin/qrcode/create."""
    answer = call.account.qr_codes.create(call.body)
    code = call.account.qr_codes.by_ticket[answer["ticket"]]
    call.account.stream.publish({"qrcode": code.to_json()})
    return answer


def show_qr_code(call: Call) -> web.Response:
    """GET /cgi-bin/showqrcode?ticket=…: PNG; 404 for an unknown or expired ticket."""
    picture = call.account.qr_codes.picture(call.query.get("ticket", ""))
    if picture is None:
        return web.Response(status=404)
    return web.Response(body=picture, content_type="image/png")


def upload_media(call: Call) -> JsonObject:
    """POST /cgi-bin/media/upload?type=…, multipart with the file in ``media``."""
    if call.upload is None:
        raise WechatError(41005)
    kind = check_upload(call.query.get("type"), call.upload.filename, call.upload.data)
    medium = call.account.media.add(kind, call.upload.content_type, call.upload.filename, call.upload.data)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: medium.media_id, "created_at": int(medium.created_at)}


def get_media(call: Call) -> web.Response:
    """GET /cgi-bin/media/get?media_id=…"""
    if not call.query.get("media_id"):
        raise WechatError(41006)
    medium = call.account.media.get(call.query["media_id"])
    headers = {"Content-Type": medium.content_type, "Content-Disposition": 'attachment; filename="media"'}
    return web.Response(body=medium.data, headers=headers)


ENDPOINTS = [
    Endpoint("/cgi-bin/qrcode/create", create_qr_code),
    Endpoint("/cgi-bin/showqrcode", show_qr_code, post=False, token=False),
    Endpoint("/cgi-bin/media/upload", upload_media),
    Endpoint("/cgi-bin/media/get", get_media, post=False),
]
