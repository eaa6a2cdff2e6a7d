"""The copy on paper: everything is on it, in order, and no heading stands alone at the end of a page."""

import pypdfium2
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.rights.paper import print_copy


def pages(sections: list[tuple[str, list[str]]]) -> list[list[str]]:
    """Give the lines of each page, without its foot."""
    document = pypdfium2.PdfDocument(print_copy(sections, "2026-11-22 13:30"))
    try:
        found = []
        for page in document:
            text = page.get_textpage()
            found.append([line for line in text.get_text_range().splitlines() if "应本人要求制作" not in line])
            text.close()
            page.close()
        return found
    finally:
        document.close()


@settings(max_examples=10)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_all_is_printed_and_no_heading_stands_alone(lengths: list[int]) -> None:
    sections = [
        (f"会诊{number}号", [f"第{number}例第{line}行" for line in range(length)])
        for number, length in enumerate(lengths)
    ]
    printed = pages(sections)
    wanted = [line for heading, lines in sections for line in (heading, *lines)]
    assert [line for page in printed for line in page] == ["我的病历", *wanted]
    assert not any(page[-1].endswith("号") for page in printed)
