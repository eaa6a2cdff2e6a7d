"""The consent document is plain, whole and versioned."""

from pathlib import Path

import pytest

from data.consent import ConsentKind, consent_document, load_consent_documents
from data.errors import DataError


def test_the_present_version_is_the_newest_that_is_shipped() -> None:
    assert consent_document() == load_consent_documents()[-1]
    assert consent_document().title == "隐私与知情同意书"


@pytest.mark.parametrize("said", ["120", "加密", "不会给您下诊断", "撤回", "更正", "谁能看到"])
def test_the_text_says_what_people_must_know(said: str) -> None:
    assert said in consent_document().text


def test_the_text_is_plain_and_short_enough_to_be_read() -> None:
    text = consent_document().text
    assert len(text) < 600
    assert not any(mark in text for mark in "#*`<>[]")


def test_versions_count_up_and_the_newest_holds(tmp_path: Path) -> None:
    for version in range(1, 12):
        (tmp_path / f"{version}.md").write_text(f"# 标题{version}\n\n内容{version}\n", "utf-8")
    newest = load_consent_documents(tmp_path)[-1]
    assert (newest.version, newest.title, newest.text) == ("11", "标题11", "内容11")


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({}, "no consent document"),
        ({"1.md": "内容"}, "does not begin"),
        ({"1.md": "# 标题"}, "does not begin"),
        ({"1.md": "# 标题\n内容"}, "does not begin"),
        ({"1.md": "# 标题\n\n内容", "3.md": "# 标题\n\n内容"}, "version 2 is missing"),
        ({"2.md": "# 标题\n\n内容"}, "version 1 is missing"),
    ],
)
def test_a_faulty_folder_is_refused(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=fault):
        load_consent_documents(tmp_path)


def test_a_document_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.md").write_bytes("# 标题\n\n内容".encode("gb18030"))
    with pytest.raises(DataError, match="cannot be read"):
        load_consent_documents(tmp_path)


@pytest.mark.parametrize(
    ("kind", "its_own"),
    [
        (ConsentKind.TEACHING, ["没有办法再找回来", "教学用图"]),
        (ConsentKind.CASES, ["没有办法再收回", "教学病例", "删掉"]),
    ],
)
def test_the_texts_about_teaching_say_what_people_must_know(kind: ConsentKind, its_own: list[str]) -> None:
    document = consent_document(kind)
    for said in ("不影响", "收回", "姓名", *its_own):
        assert said in document.text
    assert len(document.text) < 500
    assert not any(mark in document.text for mark in "#*`<>[]")
