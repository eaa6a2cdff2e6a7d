"""Signatures and safe mode, against wechatpy as an independent peer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from sandbox.settings import LOCAL_AES_KEY, LOCAL_APP_ID, LOCAL_TOKEN
from sandbox.wechat.crypto import CryptoError, SafeMode, signature

CIPHER = SafeMode(LOCAL_TOKEN, LOCAL_AES_KEY, LOCAL_APP_ID)
PEER = WeChatCrypto(LOCAL_TOKEN, LOCAL_AES_KEY, LOCAL_APP_ID)


@given(st.lists(st.text(alphabet=st.characters(codec="ascii"), max_size=40), min_size=1, max_size=4))
def test_a_signature_is_the_one_that_wechatpy_computes(parts: list[str]) -> None:
    signer = WeChatSigner()
    signer.add_data(*parts)
    assert signature(*parts) == signer.signature


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=3000))
def test_wechatpy_reads_what_the_sandbox_sealed(text: str) -> None:
    opened = PrpCrypto(PEER.key).decrypt(CIPHER.encrypt(text.encode()), LOCAL_APP_ID)
    assert (opened if isinstance(opened, bytes) else opened.encode()) == text.encode()


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=3000))
def test_the_sandbox_reads_what_wechatpy_sealed(text: str) -> None:
    sealed = PrpCrypto(PEER.key).encrypt(text, LOCAL_APP_ID)
    assert CIPHER.decrypt(sealed.decode() if isinstance(sealed, bytes) else sealed) == text.encode()


def test_an_envelope_for_another_account_is_refused() -> None:
    other = SafeMode(LOCAL_TOKEN, LOCAL_AES_KEY, "wx0000000000000000")
    with pytest.raises(CryptoError, match="app id"):
        CIPHER.decrypt(other.encrypt(b"<xml/>"))


@given(st.binary(max_size=200))
def test_what_was_never_sealed_raises_a_crypto_error_and_nothing_else(rubbish: bytes) -> None:
    import base64

    for text in (base64.b64encode(rubbish).decode(), rubbish.decode("latin-1")):
        with pytest.raises(CryptoError):
            CIPHER.decrypt(text)


def test_a_changed_signature_is_refused() -> None:
    sealed = CIPHER.encrypt(b"<xml/>")
    given_signature = CIPHER.sign_message("1", "2", sealed)
    CIPHER.check_message(given_signature, "1", "2", sealed)
    with pytest.raises(CryptoError):
        CIPHER.check_message(given_signature, "1", "3", sealed)
