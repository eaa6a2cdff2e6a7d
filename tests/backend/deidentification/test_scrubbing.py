"""Whatever is known to name those of a case goes, wherever and however it is written; medicine stays."""

import os
import re
import unicodedata
from datetime import date

import hypothesis
import pytest
from hypothesis import strategies as st

from backend.deidentification import Identifiers, Kind, scrub

EXAMPLES = int(os.environ.get("QIAOYI_SCRUBBING_EXAMPLES", "60"))
VISIT = date(2026, 11, 22)
NOBODY = Identifiers()

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐石白方江温文"
_GIVEN = "秀英大山小宝巧云福根建国春生桂芳守田怀远晓岚立群安宁明鑫䶮慧"
_HAN_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_BACK = str.maketrans("〇零一二三四五六七八九", "00123456789")
_SENTENCES = (
    "患者3天前无明显诱因出现咳嗽咳痰，伴发热，最高38.5℃。",
    "既往高血压10年，规律服用硝苯地平，",
    "右肺上叶见结节，直径约8毫米，建议3个月复查；",
    "血压120/80mmHg，SpO2 95%，心率88次/分。",
    "请",
    "说，电话",
    "住",
    "（家属）",
    "",
)


def _plain(text: str) -> str:
    """Give a text as a reader sees through tricks of writing: one width and case, nothing between the letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (one for one in folded if not one.isspace() and unicodedata.category(one) not in ("Cf", "Pd", "Po", "Pc"))
    return "".join(kept).translate(_BACK)


def _left(scrubbed: str) -> str:
    """Give what is left of a text beside the placeholders, each of which parts what stands on both sides of it."""
    return _plain(re.sub(r"［[^］]+］", "□", scrubbed))


names = st.builds(
    lambda surname, given: surname + given,
    st.sampled_from([*_SURNAMES, "欧阳", "司马"]),
    st.text(_GIVEN, min_size=1, max_size=2),
)
numbers = st.one_of(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"999901(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][1-8][0-9]{3}[0-9X]", fullmatch=True),
    st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    st.from_regex(r"HZ20261122-[0-9]{4}", fullmatch=True),
    st.from_regex(r"[A-Z]{2,4}[0-9]{5,8}", fullmatch=True),
)
places = st.sampled_from(["青岚县石桥镇", "云川市城东区", "白云乡", "城东区湖滨大道66号", "大塘镇人民路15号"])
institutions = st.sampled_from(["青岚县石桥镇中心卫生院", "云川市第一人民医院", "石桥惠民大药房", "云川医学院附属医院"])


@st.composite
def written(draw: st.DrawFn, identifier: str, *, is_number: bool) -> str:
    """Give an identifier as somebody may write it: as it is, spaced, hyphenated, in full width, in Chinese digits."""
    way = draw(st.sampled_from(["plain", "spaced", "wide", "hidden", "digits" if is_number else "plain"]))
    if way == "spaced":
        gaps = draw(st.lists(st.sampled_from(["", " ", "\u3000", "-" if is_number else "·"]), min_size=40, max_size=40))
        return "".join(letter + gap for letter, gap in zip(identifier, gaps, strict=False)).strip(" -·\u3000")
    if way == "wide":
        return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in identifier)
    if way == "hidden":
        return "\u200b".join(identifier)
    return identifier.translate(_HAN_DIGITS) if way == "digits" else identifier


@st.composite
def cases(draw: st.DrawFn) -> tuple[Identifiers, str]:
    """Give what is known of a case, and a text that holds all of it among words of medicine and anything else."""
    known = Identifiers(
        names=tuple(draw(st.lists(names, min_size=1, max_size=3))),
        institutions=tuple(draw(st.lists(institutions, max_size=1))),
        places=tuple(draw(st.lists(places, max_size=2))),
        numbers=tuple(draw(st.lists(numbers, max_size=2))),
    )
    values = [(one, False) for one in (*known.names, *known.institutions, *known.places)]
    parts: list[str] = []
    for value, is_number in draw(st.permutations([*values, *((one, True) for one in known.numbers)])):
        parts.append(draw(st.one_of(st.sampled_from(_SENTENCES), st.text(max_size=8))))
        parts.append(draw(written(value, is_number=is_number)))
    return known, "".join([*parts, draw(st.sampled_from(_SENTENCES))])


@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(cases())
def test_nothing_that_is_known_of_a_case_comes_out(case: tuple[Identifiers, str]) -> None:
    known, text = case
    left = _left(scrub(text, known, VISIT).text)
    values = (*known.names, *known.institutions, *known.places, *known.numbers)
    assert [value for value in values if _plain(value) in left] == []


@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=[hypothesis.HealthCheck.too_slow])
@hypothesis.given(cases())
def test_what_was_taken_out_put_back_is_what_was_written(case: tuple[Identifiers, str]) -> None:
    known, text = case
    scrubbed = scrub(text, known, VISIT)
    whole, position = "", 0
    for one in scrubbed.removals:
        assert scrubbed.text[one.start : one.start + len(one.replacement)] == one.replacement
        whole += scrubbed.text[position : one.start] + one.text
        position = one.start + len(one.replacement)
    assert whole + scrubbed.text[position:] == "".join(one for one in text if unicodedata.category(one) != "Cf")


@hypothesis.settings(max_examples=EXAMPLES)
@hypothesis.given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y%m%d}", "{0.year}年{0.month}月{0.day}日", "{0:%Y.%m.%d}"]),
    st.sampled_from(["", "于", "，", "（"]),
)
def test_no_date_comes_out_whoever_wrote_it(day: date, form: str, before: str) -> None:
    stated = form.format(day)
    scrubbed = scrub(f"发热{before}{stated}就诊，血压120/80mmHg", NOBODY, VISIT).text
    assert stated not in scrubbed
    assert str(day.year) not in scrubbed
    assert "血压120/80mmHg" in scrubbed


@pytest.mark.parametrize("text", [
    "右肺上叶见结节，直径约8毫米，边界清，建议3个月复查。",
    "请结合临床，必要时行增强CT检查。给予头孢克肟0.1g bid口服，复查血常规、C反应蛋白。注意休息，多饮水。",
    "陈旧性心梗，高脂血症，黄疸，马蹄肾，尿常规白细胞阳性，墨菲征阳性。",
    "既往高血压10年，服用硝苯地平，2型糖尿病，帕金森病，否认肝炎病史。",
    "左侧基底节区急性脑梗死，建议转上级医院溶栓治疗。NIHSS评分4分，格拉斯哥评分15分。",
    "心前区隐痛，向左肩放射，血压120/80mmHg，肌力3/5级，SpO2 95%，血糖 7.8mmol/L。",
    "建议布洛芬、罗红霉素、厄贝沙坦、奥美拉唑，县医院随诊，三天后复诊。",
])  # fmt: skip
def test_words_of_medicine_stay_as_they_are(text: str) -> None:
    assert scrub(text, NOBODY, VISIT).text == text


@pytest.mark.parametrize(("text", "gone"), [
    ("患者王秀英，女，在青岚县石桥镇中心卫生院就诊，李春生医生给予口服药。", ["王秀英", "青岚", "石桥", "李春生"]),
    ("张大爷说儿子王建国在深圳打工，电话13800001234。", ["张大爷", "王建国", "深圳", "13800001234"]),
    ("王家村二组李大山家，白云乡白云街48号，医保卡号H99990200001。", ["王家村", "李大山", "白云", "48号", "H99990"]),
    ("转到云川市第一人民医院心内科赵伯钧主任会诊，赵主任考虑冠心病。", ["云川", "第一人民", "赵"]),
    ("小李、老张、欧阳震华一起来，郭铁成主任医师建议手术。", ["小李", "老张", "欧阳", "震华", "郭铁成"]),
    ("手机138 0000 1234，微信wxid_abc123，邮箱a.b@example.com，座机0571-88001234", ["138", "wxid", "@", "0571"]),
    ("家住城关镇中山路102号，床号12床，住院号A20077，车牌浙A12345。", ["城关", "中山路", "12", "20077", "浙A"]),
    ("生于1959年3月12日，今年六十七岁，1968年出生的妹妹", ["1959", "3月12日", "六十七", "1968"]),
])  # fmt: skip
def test_what_nobody_told_of_is_recognised(text: str, gone: list[str]) -> None:
    scrubbed = scrub(text, NOBODY, VISIT).text
    assert [word for word in gone if word in scrubbed] == []


@pytest.mark.parametrize(("text", "told"), [
    ("2026年11月20日发病", "就诊前2天发病"),
    ("11月21日拍片，今天2026-11-22复诊", "就诊前1天拍片，今天就诊当天复诊"),
    ("12月1日复查", "就诊后9天复查"),
    ("二〇二五年三月五日体检正常", "就诊前约21个月体检正常"),
    ("2019年做过阑尾切除", "就诊前约7年做过阑尾切除"),
    ("2026年9月起", "就诊前约2个月起"),
    ("2月30日", "［日期］"),
])  # fmt: skip
def test_dates_become_days_from_the_visit(text: str, told: str) -> None:
    assert scrub(text, NOBODY, VISIT).text == told


def test_without_a_visit_to_count_from_a_date_is_only_a_date() -> None:
    assert scrub("2026年11月20日发病", NOBODY).text == "［日期］发病"


@pytest.mark.parametrize(("text", "told"), [
    ("67岁", "65–69岁"),
    ("六十七周岁", "65–69岁"),
    ("3岁半的孩子", "3–5岁的孩子"),
    ("１０２岁", "90岁以上"),
    ("20岁", "20–24岁"),
])  # fmt: skip
def test_ages_become_bands(text: str, told: str) -> None:
    assert scrub(text, NOBODY).text == told


def test_a_known_surname_goes_with_its_title_and_a_given_name_by_itself() -> None:
    known = Identifiers(names=("温秀英",))
    scrubbed = scrub("温阿姨体温正常，秀英说温水服药，老温也来了", known).text
    assert scrubbed == "［姓名］体温正常，［姓名］说温水服药，［姓名］也来了"


def test_a_short_number_goes_only_where_it_stands_alone() -> None:
    assert scrub("12号床，血压120/80，1.2mg，第12天", Identifiers(numbers=("12",))).text == (
        "［号码］号床，血压120/80，1.2mg，第［号码］天"
    )


def test_what_was_taken_out_says_what_it_was() -> None:
    scrubbed = scrub("患者王秀英，67岁", Identifiers(names=("王秀英",)))
    assert [(one.kind, one.text, one.replacement) for one in scrubbed.removals] == [
        (Kind.NAME, "王秀英", "［姓名］"),
        (Kind.AGE, "67岁", "65–69岁"),
    ]
