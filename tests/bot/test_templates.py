"""Short forms keep WeChat's limits whatever stands in them: the sandbox's own checks say so."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Notice
from bot.templates import TEMPLATES, fill
from sandbox.wechat.templates import read_library
from tests.support.transport import TEMPLATES as TEMPLATE_IDS

LIBRARY, _ = read_library()
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAMES = sorted({name for fields in TEMPLATES.values() for names in fields.values() for name in names})
values = st.one_of(
    st.text(max_size=60), st.sampled_from(["高血压复诊，需要心内科会诊并补充心电图资料", "2026-11-22 10:00"])
)


@given(st.sampled_from(sorted(TEMPLATES)), st.dictionaries(st.sampled_from(NAMES), values))
def test_whatever_a_notice_says_wechat_takes_it(kind: str, fields: dict[str, str]) -> None:
    data = fill(Notice(kind, fields), NOW)
    shown = LIBRARY[TEMPLATE_IDS[kind]].fill(data)
    assert len(shown) == len(TEMPLATES[kind])


def test_what_fits_is_said_unchanged() -> None:
    fields = {"title": "新的会诊任务", "action": "打开后点“我的任务”", "urgency": "紧急", "time": "2026-11-22 10:00"}
    data = fill(Notice("task", fields), NOW)
    assert [field["value"] for field in data.values()] == list(fields.values())


def test_a_missing_time_is_the_present_one_in_china() -> None:
    assert fill(Notice("task", {}), NOW)["time4"] == {"value": "2026-11-21 20:00"}


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill(Notice("gossip", {}), NOW)
