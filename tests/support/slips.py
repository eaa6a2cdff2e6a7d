"""Laboratory slips as county laboratories print them, in several layouts, and what a phone does to them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from backend.photographs import CleanPicture, clean
from backend.records.chart import FONT

Row = tuple[str, ...]

BLOOD = (
    ("1", "WBC", "白细胞计数", "11.20", "↑", "10^9/L", "3.5-9.5"),
    ("2", "RBC", "红细胞计数", "4.35", "", "10^12/L", "3.8-5.1"),
    ("3", "HGB", "血红蛋白", "108", "↓", "g/L", "115-150"),
    ("4", "PLT", "血小板计数", "256", "", "10^9/L", "125-350"),
    ("5", "NEUT%", "中性粒细胞百分比", "78.4", "↑", "%", "40-75"),
    ("6", "CRP", "C反应蛋白", "35.6", "↑", "mg/L", "0-10"),
)
CHEMISTRY = (
    ("丙氨酸氨基转移酶(ALT)", "62", "9--50", "U/L"),
    ("总胆红素", "1.2", "<1.5", "mg/dL"),
    ("肌酐(CREA)", "1.1", "0.6-1.1", "mg/dL"),
    ("尿酸", "455", "208-428", "umol/L"),
    ("葡萄糖", "6.9", "3.9-6.1", "mmol/L"),
    ("钾", "4.10", "3.5-5.3", "mmol/L"),
)
URINE = (
    ("尿蛋白(PRO)", "++", "阴性"),
    ("葡萄糖(GLU)", "阴性", "阴性"),
    ("潜血(BLD)", "±", "阴性"),
    ("白细胞(LEU)", "阴性", "阴性"),
    ("比重(SG)", "1.020", "1.015-1.025"),
)
SIDE_BY_SIDE = (
    ("白细胞", "6.2", "3.5-9.5", "红细胞", "4.61", "4.3-5.8"),
    ("血红蛋白", "141", "130-175", "血小板", "201", "125-350"),
    ("平均红细胞体积", "91.3", "82-100", "红细胞压积", "42.1", "40-50"),
)


@dataclass(frozen=True)
class Paper:
    """A slip to be drawn: a title, a line of who it is of, the columns' places, and the rows."""

    title: str
    rows: Sequence[Row]
    columns: Sequence[int]
    head: str = "姓名：张秀英   性别：女   年龄：67岁   科室：内科"
    heads: Row = ()
    foot: str = "采集时间：2026-11-20 08:12    报告时间：2026-11-20 10:05"
    size: tuple[int, int] = (1240, 860)


BLOOD_SLIP = Paper(
    "青山镇卫生院检验报告单",
    BLOOD,
    (50, 110, 240, 560, 680, 760, 980),
    heads=("No", "代号", "项目名称", "结果", "", "单位", "参考范围"),
)
CHEMISTRY_SLIP = Paper("生化检验报告", CHEMISTRY, (50, 520, 720, 960), heads=("项目", "结果", "参考区间", "单位"))
URINE_SLIP = Paper("尿常规化验单", URINE, (50, 480, 760), heads=("项目", "结果", "参考值"))
SIDE_BY_SIDE_SLIP = Paper(
    "血常规检验报告单",
    SIDE_BY_SIDE,
    (40, 330, 440, 660, 930, 1050),
    heads=("项目", "结果", "参考值", "项目", "结果", "参考值"),
)
LETTER = Paper(
    "致村民的一封信",
    (("入冬以后天气干燥，请注意用火安全。",), ("出门前请检查炉灶和电器。",), ("有事请找村委会李主任。",)),
    (60,),
    head="各位乡亲：",
    foot="2026年11月20日",
)


def draw(paper: Paper) -> Image.Image:
    """Draw a slip as it leaves the printer."""
    image = Image.new("RGB", paper.size, "#fdfdf8")
    pen = ImageDraw.Draw(image)
    pen.text((paper.size[0] // 2, 50), paper.title, font=_font(44), fill="black", anchor="mm")
    pen.text((50, 110), paper.head, font=_font(30), fill="black")
    top = 180
    for row in (*([paper.heads] if paper.heads else []), *paper.rows):
        for x, words in zip(paper.columns, row, strict=True):
            pen.text((x, top), words, font=_font(30), fill="black")
        top += 62
    pen.text((50, top + 40), paper.foot, font=_font(26), fill="black")
    return image


def photograph(
    paper: Paper, *, tilt: float = 0.0, quarters: int = 0, blur: float = 0.0, quality: int = 85
) -> CleanPicture:
    """Give the slip as a phone takes it: on a table, perhaps askew (degrees), lying on its side, out of focus."""
    sheet = draw(paper)
    table = Image.new("RGB", (sheet.width + 160, sheet.height + 160), "#8a7460")
    table.paste(sheet, (80, 80))
    taken = table.rotate(tilt, Image.Resampling.BICUBIC, fillcolor="#8a7460").rotate(90 * quarters, expand=True)
    taken = taken.filter(ImageFilter.GaussianBlur(blur)) if blur else taken
    written = io.BytesIO()
    taken.save(written, "JPEG", quality=quality)
    return clean(written.getvalue(), "image/jpeg")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size)
