"""The printed page, read back from the PDF."""

from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp

from backend.paper import Paper, print_paper

FINDINGS = (
    "胸廓对称，双侧肺纹理清晰。右肺上叶尖段见一实性结节，大小约8mm×6mm，边界清楚，边缘可见浅分叶及短毛刺，邻近胸膜轻度牵拉；"
    "增强扫描呈中度强化（CT值约45HU→78HU）。气管及各级支气管通畅，纵隔内未见肿大淋巴结。"
)
PAPER = Paper(
    institution="云山市人民医院",
    title="影像诊断报告单",
    number="HZ20261121-0007-01",
    version="第1版",
    patient="王小明",
    facts=(
        (("姓名", "王小明"), ("性别", "男"), ("年龄", "58岁")),
        (("检查项目", "胸部CT"), ("检查日期", "2026-11-20")),
    ),
    sections=(("检查所见", FINDINGS), ("诊断意见（印象）", "右肺上叶结节。")),
    signature=(("报告医生", "李明远　主任医师"), ("签发时间", "2026-11-21 14:32")),
    notices=("本报告由医生电子签发。",),
    address="https://qiaoyi.example/verify/Xk3v9sTq2LmNwP4rYb8CzA",
)


def words(pdf: bytes) -> list[str]:
    """The text of each page, without breaks."""
    texts = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]
    return [text.replace("\r", "").replace("\n", "") for text in texts]


def test_the_same_report_makes_the_same_bytes() -> None:
    assert print_paper(PAPER) == print_paper(PAPER)
    assert print_paper(PAPER) != print_paper(replace(PAPER, patient="王小红", sections=(("检查所见", "无"),)))


@pytest.mark.parametrize("times", range(1, 30, 4))
def test_a_long_text_goes_on_over_pages_and_none_of_it_is_lost(times: int) -> None:
    sections = (("检查所见", "\n".join(f"第{number}段。{FINDINGS}" for number in range(times))), PAPER.sections[1])
    pages = words(print_paper(replace(PAPER, sections=sections)))
    whole = "".join(pages)
    assert all(f"第{number}段。胸廓对称" in whole for number in range(times))
    assert [f"第{number}页　共{len(pages)}页" in page for number, page in enumerate(pages, 1)] == [True] * len(pages)
    assert all("王小明" in page and PAPER.number in page for page in pages)
    assert "报告医生" in pages[-1]
    assert not any("报告医生" in page for page in pages[:-1])
    assert "诊断意见（印象）右肺上叶结节。" in pages[-1]


@pytest.mark.parametrize("scale", [1.5, 3])
def test_the_code_is_read_from_the_page_also_at_a_low_resolution(scale: float) -> None:
    page = pypdfium2.PdfDocument(print_paper(PAPER))[0]
    [code] = zxingcpp.read_barcodes(page.render(scale=scale).to_pil())
    assert (code.text, code.ec_level) == (PAPER.address, "M")


def test_what_the_font_lacks_stands_there_as_a_code_with_a_note() -> None:
    signature = (("报告医生", "𢀖明　主任医师"),)
    [page] = words(print_paper(replace(PAPER, sections=(("检查所见", "患者𠮷，囗😀"),), signature=signature)))
    assert "患者[U+20BB7]，囗[U+1F600]" in page
    assert "报告医生：[U+22016]明" in page
    assert "[U+20BB7]、[U+1F600]、[U+22016] 处的字打印不出来" in page


def test_the_characters_of_names_and_of_medicine_are_in_the_font() -> None:
    rare = "㐀䶵𬭚龘䲜𬱖℃μ±≤≥①Ⅱ×→～·"
    [page] = words(print_paper(replace(PAPER, sections=(("检查所见", rare),))))
    assert "U+" not in page


def test_a_long_name_of_a_hospital_stays_on_the_page() -> None:
    name = "云南省楚雄彝族自治州双柏县妥甸镇人民医院医疗共同体总医院（县人民医院）影像诊断中心分部"
    [page] = words(print_paper(replace(PAPER, institution=name)))
    assert name in page
