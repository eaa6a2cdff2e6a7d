"""What a valid name, telephone, identity number or code is; ages and distances. Pure functions."""

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from backend.errors import InvalidInput

NAME_LENGTH = 40
_SHORTEST_ADDRESS, _LONGEST_ADDRESS = 4, 100
_OLDEST_YEARS = 130
_DAYS_OF_A_MONTH = 30.4375
_EARTH_RADIUS_KM = 6371.0
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK_CHARACTERS = "10X98765432"
# A category, a subcategory with up to four further characters, a span of categories, or a chapter's letter.
_ICD10 = re.compile(r"[A-Z](\d\d(\.[0-9A-Za-z]{1,4})?)?|[A-Z]\d\d-[A-Z]\d\d")

INSURANCE_CODE = re.compile(r"[A-Z][0-9]{11}")
"""Form of an institution's code at insurers: a letter of its kind, six digits of region, five of order."""

RELATIONS = frozenset({"child", "father", "mother", "spouse", "grandparent", "other"})
"""What a patient can be to the person who speaks for them."""

TITLE_RANKS = {"主任医师": 4, "副主任医师": 3, "主治医师": 2, "住院医师": 1, "执业医师": 1, "执业助理医师": 0}
"""Titles of physicians in China, the higher number the more senior (人社部发〔2021〕51号)."""

PHARMACIST_TITLES = ("主任药师", "副主任药师", "主管药师", "药师")
"""Titles of those who may review prescriptions: pharmacists and above (处方管理办法 第31条); a 药士 dispenses only."""


@dataclass(frozen=True)
class IdentityNumber:
    """What a valid citizen identity number tells."""

    number: str
    birth_date: date
    sex: str


def clean_name(text: str) -> str:
    """Give `text` as it may stand in a list: no control or format characters, single blanks, at most 40 characters."""
    visible = "".join(" " if unicodedata.category(mark) in ("Cc", "Zl", "Zp") else mark for mark in text)
    visible = "".join(mark for mark in visible if unicodedata.category(mark) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(visible.split())[:NAME_LENGTH].strip()


def masked_name(name: str) -> str:
    """Give a name as those may see it whom it need not tell who somebody is: 王小明 → 王**, 王明 → 王*, 王 → *.

    At most two stars, because the length of a rare name tells whose it is; empty where there is no name.
    """
    said = name.strip()
    return said[:1] + "*" * min(len(said) - 1, 2) if len(said) > 1 else "*" * len(said)


def valid_name(text: str) -> str:
    """Give a person's name, cleaned.

    Raises:
        InvalidInput: nothing readable is left, or it is longer than a name.
    """
    name = clean_name(text)
    if not any(mark.isalpha() for mark in name) or len(text.strip()) > NAME_LENGTH:
        raise InvalidInput("姓名好像不对，请再写一次，比如：王秀英。", field="name")
    return name


def valid_mobile(text: str) -> str:
    """Give a mobile number of mainland China as its eleven digits (工信部 电信网编号计划: 1, then 3 to 9).

    Raises:
        InvalidInput: it is none.
    """
    digits = re.sub(r"[\s\-()（）]", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(\+|00)?86(?=1\d{10}$)", "", digits)
    if not re.fullmatch(r"1[3-9][0-9]{9}", digits):
        raise InvalidInput("手机号应该是11位数字，请检查后再发一次。", field="phone")
    return digits


def valid_address(text: str) -> str:
    """Give an address as one line.

    Raises:
        InvalidInput: it is too short to lead anywhere, or longer than 100 characters.
    """
    said = " ".join(text.split())
    if not _SHORTEST_ADDRESS <= len(said) <= _LONGEST_ADDRESS or not any(mark.isalpha() for mark in said):
        raise InvalidInput("住址请写到村或门牌号，比如：青山镇石桥村3组12号。", field="address")
    return said


def valid_birth_date(value: date, today: date) -> date:
    """Give `value` where somebody alive `today` can have been born on it.

    Raises:
        InvalidInput: it lies ahead, or more than 130 years back.
    """
    if value > today or age_years(value, today) > _OLDEST_YEARS:
        raise InvalidInput("出生日期好像不对，请检查后再发一次，比如：1958年3月12日。", field="birth_date")
    return value


def birth_date_of_age(age_months: int, today: date) -> date:
    """Give the middle of the span of birth days that an age in months leaves open.

    Raises:
        InvalidInput: nobody is that old.
    """
    if not 0 <= age_months <= _OLDEST_YEARS * 12:
        raise InvalidInput("年龄好像不对，请检查后再发一次，比如：67岁。", field="birth_date")
    return today - timedelta(days=round((age_months + 0.5) * _DAYS_OF_A_MONTH))


def valid_sex(value: str) -> str:
    """Give "male", "female" or "unknown"; anything else raises `InvalidInput`."""
    if value not in ("male", "female", "unknown"):
        raise InvalidInput("请选择“男”或“女”。", field="sex")
    return value


def valid_identity_number(text: str, today: date) -> IdentityNumber:
    """Read an 18-character citizen identity number (GB 11643-1999: region, birth date, order, check character).

    Raises:
        InvalidInput: a character is wrong: the check (ISO 7064 MOD 11-2) or the birth date inside does not fit.
    """
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    wrong = InvalidInput("身份证号好像有一位不对，请对照身份证再发一次。", field="id_number")
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        raise wrong
    if identity_check_character(number[:17]) != number[17]:
        raise wrong
    try:
        born = valid_birth_date(date(int(number[6:10]), int(number[10:12]), int(number[12:14])), today)
    except (ValueError, InvalidInput):
        raise wrong from None
    return IdentityNumber(number, born, "male" if int(number[16]) % 2 else "female")


def identity_check_character(first_17: str) -> str:
    """Give the last character of the identity number that begins with these 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _ID_WEIGHTS, strict=True))
    return _ID_CHECK_CHARACTERS[total % 11]


def age_years(birth_date: date, today: date) -> int:
    """Give the completed years of age."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def age_months(birth_date: date, today: date) -> int:
    """Give the completed months of age."""
    return (today.year - birth_date.year) * 12 + today.month - birth_date.month - (today.day < birth_date.day)


def age_said(born: date | None, on: date) -> str:
    """Give an age as papers say it: in years from two on, in months before that, in days before one month."""
    if born is None or born > on:
        return "未说明"
    months = age_months(born, on)
    if months >= 24:
        return f"{months // 12}岁"
    return f"{months}个月" if months else f"{(on - born).days}天"


def is_place(latitude: float | None, longitude: float | None) -> bool:
    """Tell whether two coordinates are a place on earth, or both are not known."""
    if latitude is None or longitude is None:
        return latitude is longitude
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Give the great-circle distance of two places, (latitude, longitude) in degrees, in kilometres."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b[1] - a[1]) / 2
    square = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(square)))


def icd10_span(code: str) -> tuple[str, str]:
    """Give the first and last code of the subtree that `code` names, for comparison as plain strings.

    "I10-I15" spans from "I10" to everything under I15, "I10" everything under I10, "I" the chapter's letter. Two
    subtrees have codes in common exactly where a.first <= b.last and b.first <= a.last.

    Raises:
        InvalidInput: it is no code of ICD-10.
    """
    code = code.strip().upper()
    first, _, last = code.partition("-")
    if not _ICD10.fullmatch(code) or (last and last < first):
        raise InvalidInput("疾病编码不对，请用ICD-10编码，比如：I10。", field="icd10")
    return first, (last or first) + "~"
