"""Notifications of WeChat Pay: what they have to prove before a word of them is read.

Source: pay.weixin.qq.com, APIv3 / 如何验证签名, 回调通知注意事项.
"""

from collections.abc import Mapping

from backend.payment.payments import ForgedNotification, Notification
from backend.payment.reading import Foreign, Malformed, Raw, field, read_object, read_payment, read_refund
from backend.payment.settings import WeChatPaySettings
from backend.payment.signatures import Signatures, Unproven

_ALGORITHM = "AEAD_AES_256_GCM"
_LONGEST_ID = 64


class NotificationReader:
    """Verifies, opens and reads notifications for one merchant."""

    def __init__(self, settings: WeChatPaySettings, signatures: Signatures) -> None:
        self._settings = settings
        self._signatures = signatures

    def read(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Read a notification.

        Raises:
            ForgedNotification: with one of the reasons headers, key, stale, signature, content, foreign.
        """
        try:
            self._signatures.verify(headers, body)
            return self._read(read_object(body))
        except Unproven as error:
            raise ForgedNotification(error.reason) from None
        except Foreign:
            raise ForgedNotification("foreign") from None
        except ValueError:
            raise ForgedNotification("content") from None

    def _read(self, raw: Raw) -> Notification:
        id_, event = field(raw, "id", str), field(raw, "event_type", str)
        resource = field(raw, "resource", dict)
        if len(id_) > _LONGEST_ID or not id_.isascii() or field(resource, "algorithm", str) != _ALGORITHM:
            raise Malformed("resource")
        associated = resource.get("associated_data") or ""
        ciphertext = resource.get("ciphertext")
        if not isinstance(ciphertext, str) or not isinstance(associated, str):
            raise Malformed("resource")
        opened = read_object(self._signatures.unseal(ciphertext, field(resource, "nonce", str), associated))
        if event == "TRANSACTION.SUCCESS":
            return Notification(id_, read_payment(opened, self._settings.mchid, self._settings.appid))
        if event not in ("REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"):
            raise Malformed("event_type")
        if field(opened, "mchid", str) != self._settings.mchid:
            raise Foreign
        return Notification(id_, read_refund(opened, "refund_status"))
