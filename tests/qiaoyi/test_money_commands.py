"""The commands about money: what they say where nothing is charged, and what they find where it is."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from backend import migrations
from qiaoyi import reconciling, statements
from qiaoyi.house import open_house
from qiaoyi.settings import SettingsError, load
from tests.support.product import running_product


@pytest.mark.parametrize("command", [reconciling.compare, statements.export])
async def test_where_nothing_is_charged_it_says_so(tmp_path: Path, command: object) -> None:
    settings = load(data=tmp_path)
    await migrations.upgrade(settings.database)
    async with open_house(settings) as house:
        with pytest.raises(SettingsError, match="nothing is charged here"):
            await command(house, argparse.Namespace(day=None, month="2026-11", out=None))  # type: ignore[operator]


async def test_a_day_without_money_agrees_in_both_books_and_a_month_is_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_product(tmp_path, prepare=replace) as product:
        await reconciling.compare(product.house, argparse.Namespace(day=None))
        said = capsys.readouterr().out.splitlines()
        assert [line.partition(" ")[2] for line in said] == [
            f"{book}: 0 entries, no difference, 0 for a person" for book in ("payment", "insurer")
        ]
        out = tmp_path / "pay.csv"
        await statements.export(product.house, argparse.Namespace(month="2026-11", out=out))
        assert out.read_bytes().startswith(b"\xef\xbb\xbf")
