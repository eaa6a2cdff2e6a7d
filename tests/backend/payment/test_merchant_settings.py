"""The merchant's settings: what cannot work stops the start, in one line that shows nothing of a key."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from backend.payment.settings import Keys
from qiaoyi.house import open_house
from qiaoyi.settings import SettingsError, load
from sandbox.wechat_pay import keys
from tests.support.shop import merchant_settings


def test_a_key_file_that_is_none_stops_the_start(pay_keys: Path, tmp_path: Path) -> None:
    for name in (keys.MERCHANT_KEY, keys.PLATFORM_PUBLIC_KEY):
        shutil.copyfile(pay_keys / name, tmp_path / name)
    Keys.of(merchant_settings(tmp_path, "http://127.0.0.1:1"))
    for name, setting in ((keys.PLATFORM_PUBLIC_KEY, "platform_key_file"), (keys.MERCHANT_KEY, "private_key_file")):
        (tmp_path / name).write_text("no key")
        with pytest.raises(ValueError, match=setting):
            Keys.of(merchant_settings(tmp_path, "http://127.0.0.1:1"))
        (tmp_path / name).unlink()
        with pytest.raises(ValueError, match=f"{setting}: cannot be read"):
            Keys.of(merchant_settings(tmp_path, "http://127.0.0.1:1"))
        shutil.copyfile(pay_keys / name, tmp_path / name)


def test_a_platform_certificate_serves_as_the_public_key(pay_keys: Path, tmp_path: Path) -> None:
    pem, certificate = tmp_path / "certificate.pem", keys.Keys(pay_keys).certificate
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    serial = f"{certificate.serial_number:X}"
    settings = merchant_settings(pay_keys, "http://127.0.0.1:1", platform_key_file=pem, platform_key_id=serial)
    assert Keys.of(settings).theirs == certificate.public_key()
    with pytest.raises(ValueError, match="platform_key_id"):
        Keys.of(merchant_settings(pay_keys, "http://127.0.0.1:1", platform_key_file=pem, platform_key_id="A" * 40))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("mchid", "12"),
        ("appid", ""),
        ("serial", "no serial"),
        ("platform_key_id", "PUB"),
        ("api_v3_key", "short"),
        ("api_url", "ftp://elsewhere"),
        ("notify_url", "nowhere"),
        ("call_timeout", 0),
    ],
)
def test_a_setting_that_cannot_work_is_named(pay_keys: Path, setting: str, value: object) -> None:
    with pytest.raises(ValueError, match=setting):
        merchant_settings(pay_keys, "http://127.0.0.1:1", **{setting: value})


def test_the_environment_sets_the_merchant(pay_keys: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = merchant_settings(pay_keys, "http://127.0.0.1:1")
    for name, value in vars(wanted).items():
        monkeypatch.setenv(f"QIAOYI_PAYMENT__{name.upper()}", str(value))
    assert load().payment == wanted
    monkeypatch.setenv("QIAOYI_PAYMENT__MCHIDD", "1900000109")
    with pytest.raises(SettingsError, match="payment: mchidd is no setting"):
        load()
    monkeypatch.delenv("QIAOYI_PAYMENT__MCHIDD")
    monkeypatch.setenv("QIAOYI_PAYMENT__MCHID", "12")
    with pytest.raises(SettingsError, match="setting payment: mchid: is none"):
        load()


async def test_a_house_without_its_keys_is_not_opened(pay_keys: Path, tmp_path: Path) -> None:
    lost = merchant_settings(pay_keys, "http://127.0.0.1:1", private_key_file=tmp_path / "lost.pem")
    with pytest.raises(SettingsError, match=r"setting payment\.private_key_file: cannot be read"):
        async with open_house(load(data=tmp_path, payment=lost)):
            pass
    async with open_house(load(data=tmp_path)) as house:
        assert (house.payments, house.payment_inbox) == (None, None)
