"""What is looked for is found, the best fit first; and what is similar says why."""

from typing import Any

import pytest
import pytest_asyncio

from backend.errors import Forbidden, InvalidInput
from backend.teaching_cases import Tag, ranking
from backend.teaching_cases.terms import words_of
from tests.support import cases
from tests.support.teaching import REVIEWER, Library

_SHELF: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("老年肺炎", "咳嗽、咳痰伴发热3天，右下肺湿啰音，胸片右下肺斑片影。社区获得性肺炎。", {
        "codes": ["J18.9"], "signs": ["咳嗽", "发烧"]}),
    ("慢阻肺急性加重", "反复咳嗽、气促10年，加重2天，桶状胸，双肺哮鸣音。", {
        "codes": ["J44.1"], "signs": ["咳嗽", "气促"]}),
    ("急性心肌梗死", "突发胸痛2小时，伴大汗，心电图ST段抬高。急性心肌梗死。", {
        "codes": ["I21.9"], "signs": ["胸痛"], "tags": [Tag.EMERGENCY], "department": "cardiology"}),
    ("被当成胃炎的心梗", "上腹痛4小时，曾按胃炎处理，心电图下壁导联ST段抬高。", {
        "codes": ["I21.9"], "signs": ["腹痛"], "tags": [Tag.MISDIAGNOSED, Tag.EMERGENCY], "department": "cardiology"}),
    ("脑卒中", "突发左侧肢体无力1小时，言语不清，头颅CT未见出血。脑梗死。", {
        "codes": ["I63.9"], "signs": ["肢体无力"], "tags": [Tag.EMERGENCY], "department": "neurology"}),
    ("小儿腹泻", "腹泻3天，稀水样便每日8次，尿少。", {"codes": ["A09"], "signs": ["腹泻"], "department": "pediatrics"}),
    ("少见的肺部阴影", "体检发现右肺上叶结节8毫米，无咳嗽。", {"codes": ["R91"], "tags": [Tag.RARE]}),
)  # fmt: skip


@pytest_asyncio.fixture
async def shelf(library: Library) -> dict[str, str]:
    """A small library; the ids of its cases by their titles."""
    patient = await library.patient()
    return {title: await library.shelved(patient, title, text, **more) for title, text, more in _SHELF}


async def _titles(library: Library, words: str = "", **filters: Any) -> list[str]:
    return [one.content.title for one in await library.service.search(REVIEWER, words, **filters)]


async def test_the_best_fit_comes_first_however_people_say_it(library: Library, shelf: dict[str, str]) -> None:
    expected = {
        "肺炎": "老年肺炎",
        "发烧咳嗽咳痰": "老年肺炎",
        "胸口疼 心电图": "急性心肌梗死",
        "胃炎": "被当成胃炎的心梗",
        "拉肚子": "小儿腹泻",
        "肺结节": "少见的肺部阴影",
        "喘 哮鸣音": "慢阻肺急性加重",
        "说话不清楚 没力气 脑梗": "脑卒中",
    }
    assert {words: (await _titles(library, words))[:1] for words in expected} == {
        words: [title] for words, title in expected.items()
    }
    assert await _titles(library, "骨折") == []
    assert await _titles(library, "。，！") == []


async def test_in_a_large_library_what_has_every_word_is_not_lost_behind_what_has_one_often(
    library: Library, shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await library.patient("李秀芳")
    await library.shelved(patient, "咳嗽", "咳嗽")
    await library.shelved(patient, "发热", "发热")
    monkeypatch.setattr(ranking, "_CHAMPIONS", 1)
    monkeypatch.setattr(ranking, "_CANDIDATES", 1)
    assert await _titles(library, "咳嗽 发热", limit=1) == ["老年肺炎"]
    assert await _titles(library, "咳嗽", limit=1) == ["咳嗽"]
    assert len(await _titles(library, "咳嗽", limit=3)) == 3


async def test_without_words_the_latest_come_first_in_pages(library: Library, shelf: dict[str, str]) -> None:
    titles = [title for title, _, _ in reversed(_SHELF)]
    assert await _titles(library, limit=3) == titles[:3]
    assert await _titles(library, limit=3, offset=3) == titles[3:6]


async def test_filters_are_by_tag_code_span_and_specialty(library: Library, shelf: dict[str, str]) -> None:
    assert set(await _titles(library, tag=Tag.EMERGENCY)) == {"急性心肌梗死", "被当成胃炎的心梗", "脑卒中"}
    assert await _titles(library, "心电图", tag=Tag.MISDIAGNOSED) == ["被当成胃炎的心梗"]
    assert set(await _titles(library, icd10="I21")) == {"急性心肌梗死", "被当成胃炎的心梗"}
    assert await _titles(library, icd10="j44.1") == ["慢阻肺急性加重"]
    assert set(await _titles(library, icd10="I00-I99")) == {"急性心肌梗死", "被当成胃炎的心梗", "脑卒中"}
    assert await _titles(library, department_code="pediatrics") == ["小儿腹泻"]
    for wrong in ("肺炎", "J"):
        with pytest.raises(InvalidInput):
            await _titles(library, icd10=wrong)


async def test_similar_cases_say_what_they_share(library: Library, shelf: dict[str, str]) -> None:
    running = await library.opened(await library.patient("李四"), icd10="J18.9")
    found = await library.service.similar(await cases.staff(library.house, "村医甲"), running)
    assert found[0].case.content.title == "老年肺炎"
    disease, signs, words = found[0].reasons
    assert disease.startswith("同类疾病：J18.9")
    assert set(signs.removeprefix("都有：").split("、")) == {"咳嗽", "发烧"}
    assert words.startswith("都提到：")
    assert "小儿腹泻" not in [one.case.content.title for one in found]


async def test_nobody_learns_by_similarity_what_a_strangers_case_says(library: Library, shelf: dict[str, str]) -> None:
    running = await library.opened(await library.patient("李四"))
    with pytest.raises(Forbidden):
        await library.service.similar(await cases.staff(library.house, "村医乙"), running)


def test_what_means_the_same_is_the_same_word() -> None:
    assert words_of("发热") == words_of("发烧")
    assert "腹泻" in words_of("拉肚子")
    assert words_of("患者［姓名］，") == []
