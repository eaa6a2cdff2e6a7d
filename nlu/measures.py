"""Measured values in normalised text: temperature, blood pressure, glucose, rates, saturation, weight."""

import re
from dataclasses import dataclass

from nlu.numbers import NUMBER, parse_number
from nlu.types import GlucoseTiming, Slot, Vitals

N = NUMBER
_GAP = r"[^\d,。!?;零一二三四五六七八九十百]{0,8}?"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of ``slot`` at ``start``–``end`` of the normalised text."""

    slot: Slot
    value: float
    start: int
    end: int
    timing: GlucoseTiming | None = None


_TEMPERATURE = re.compile(
    rf"(?P<whole>{N})(?:度|°c?(?!f)|摄氏度)(?P<tenth>[\d一二三四五六七八九半](?!\d|天|个|次|岁|周|年|月|点))?"
)
_TEMPERATURE_BY_WORD = re.compile(
    r"(?:体温|烧到了?|发烧|高烧|低烧|温度|量了?|测了?|腋温|耳温|额温|烧|最高)[^\d,。!?;]{0,6}"
    r"(?P<whole>3[4-9]|4[0-3])(?:[.,点。](?P<tenth>\d))?(?!\d|岁|天|次|周|个|分|块|元|斤|公斤|年|月|kg|/|\.\d|度|°)"
)
_FULL_STOP_FOR_POINT = re.compile(r"(?<!\d)(?P<whole>3[4-9]|4[0-3])[。,](?P<tenth>\d)(?:度|°)")
_FAHRENHEIT = re.compile(
    r"(?:华氏(?P<after>1?\d\d(?:\.\d)?)度?|(?<![\d.])(?P<before>1?\d\d(?:\.\d)?)(?:度)?(?:°f|华氏|f(?![a-z])))"
)
_RANGE = re.compile(
    r"(3[4-9](?:\.\d)?|4[0-2](?:\.\d)?)\s*(?:度|°c?)?\s*[-~到至]\s*(?=(?:3[4-9]|4[0-2])(?:\.\d)?\s*(?:度|°))"
)
_NOT_REACHED = re.compile(r"(?:没到|不到|没有?超过|不超过|没上|未超过|低于|没有)$")

_PRESSURE = re.compile(
    rf"(?<![\d/.-])(?P<upper>{N})\s*(?:/|比|\\|[-—–]{{1,2}}|、|(?<=\d) |,?低压|mmhg/|的低压)\s*(?P<lower>{N})"
    r"(?![\d-]|\.\d|岁|天|次|月|年|度|点|公斤|斤|kg|%)(?P<kilopascal>\s*(?:kpa|千帕))?"
)
_PRESSURE_CHANGED = re.compile(rf"血压{_GAP}{N}(?:降|升|涨|掉|高|变)(?:低|高)?(?:到|至|成)了?(?P<value>{N})(?![\d/])")
_MMHG_PER_KILOPASCAL = 7.50062
_UPPER = re.compile(rf"(?:高压|上压|收缩压|血压上面){_GAP}(?P<value>{N})")
_LOWER = re.compile(rf"(?:低压|下压|舒张压|(?<=\d),?下面){_GAP}(?P<value>{N})")
_SINGLE_PRESSURE = re.compile(rf"血压{_GAP}(?P<value>{N})(?![\d/比-])")

_GLUCOSE = re.compile(
    rf"(?:(?P<before>空腹|餐后|饭后|随机)(?:[两二2]小?时|[两二2]个小时)?的?)?血糖(?P<gap>[^\d,。!?;零一二三四五六七八九十百]{{0,8}}?)(?P<value>{N})"
)
_GLUCOSE_BY_TIME = re.compile(
    rf"(?P<before>空腹|餐后|饭后)(?:[两二2]个?小时)?(?:的|是|为|血糖|测了?|:){{0,2}}(?P<value>{N})(?!\d|个?小时|分|天|次|片|粒)"
)
_HEART_RATE = re.compile(
    rf"(?:心率|心跳|脉搏)(?:{_GAP}(?P<value>{N})(?!天|年|个|分钟)|[^,。!?;\d]{{0,6}},(?P<listed>{N})(?:次|下))"
)
_SPO2 = re.compile(rf"(?:血氧饱和度|血氧|氧饱和度|氧饱和|spo2){_GAP}(?:百分之)?(?P<value>{N})")
_RESPIRATION = re.compile(rf"呼吸(?:频率|次数)?{_GAP}(?P<value>{N})(?:次|下)")
_WEIGHT = re.compile(
    rf"(?:(?:体重|重量?|有)(?:(?!减|轻|瘦|掉|降|涨|增|长)[^\d,。!?;零一二三四五六七八九十百]){{0,8}}?"
    rf"|(?:^|[,。; ]|我|他|她|孩子|宝宝|娃|现在|岁|个月)(?:才|有|快|现在|,)?)(?P<value>{N})(?P<unit>公斤|kg|千克|斤)"
)
_TIMINGS = {
    "空腹": GlucoseTiming.FASTING,
    "餐后": GlucoseTiming.AFTER_MEAL,
    "饭后": GlucoseTiming.AFTER_MEAL,
    "随机": GlucoseTiming.RANDOM,
}

_LIMITS = {
    "systolic": (40, 300),
    "diastolic": (20, 200),
    "glucose": (0.5, 60.0),
    "heart_rate": (20, 300),
    "spo2": (30, 100),
    "respiratory_rate": (4, 120),
    "weight": (0.5, 300.0),
}
TEMPERATURE_LIMITS = (34.0, 43.0)


def find_temperatures(text: str) -> list[Value]:
    """Body temperatures in °C, in the order of the text; lower ends of ranges and limits not reached are left out."""
    ranges = {match.start(1) for match in _RANGE.finditer(text)}
    found: dict[int, Value] = {}
    for pattern in (_FULL_STOP_FOR_POINT, _TEMPERATURE, _TEMPERATURE_BY_WORD):
        for match in pattern.finditer(text):
            value = _temperature(match.group("whole"), match.group("tenth"))
            start = match.start("whole")
            taken = start in found or (start - 2) in found  # 38。5度 is no 5度
            if value is None or taken or start in ranges or _NOT_REACHED.search(text[:start]):
                continue
            found[start] = Value(Slot.TEMPERATURE, value, start, match.end())
    for match in _FAHRENHEIT.finditer(text):
        value = _bounded_temperature((float(match.group("after") or match.group("before")) - 32) / 1.8)
        if value is not None:
            found[match.start()] = Value(Slot.TEMPERATURE, value, match.start(), match.end())
    return [found[start] for start in sorted(found)]


def _temperature(whole: str, tenth: str | None) -> float | None:
    value = parse_number(whole)
    if value is None:
        return None
    if tenth and value == int(value):
        value += 0.5 if tenth == "半" else (parse_number(tenth) or 0) / 10
    return _bounded_temperature(value)


def _bounded_temperature(value: float) -> float | None:
    value = round(value, 1)
    return value if TEMPERATURE_LIMITS[0] <= value <= TEMPERATURE_LIMITS[1] else None


def find_vitals(text: str, pressure_asked: bool = False) -> tuple[Vitals, list[Value]]:
    """The vital signs, and where each stands. A bare "150/95" counts where pressure is named or asked for."""
    values: dict[str, float | GlucoseTiming] = {}
    places: list[Value] = []
    _find_pressure(text, pressure_asked, values, places)
    _find_glucose(text, values, places)
    for name, slot, pattern in (
        ("heart_rate", Slot.HEART_RATE, _HEART_RATE),
        ("spo2", Slot.SPO2, _SPO2),
        ("respiratory_rate", Slot.RESPIRATORY_RATE, _RESPIRATION),
    ):
        match = pattern.search(text)
        if match:
            number = match.group("value") or match.groupdict().get("listed") or ""
            _take(name, slot, parse_number(number), match.span(), values, places)
    match = _WEIGHT.search(text)
    if match:
        weight = parse_number(match.group("value"))
        if weight is not None and match.group("unit") == "斤":
            weight /= 2
        _take("weight", Slot.WEIGHT, weight, match.span(), values, places)
    return Vitals.model_validate(values), places


def _find_pressure(text: str, asked: bool, values: dict[str, float | GlucoseTiming], places: list[Value]) -> None:
    for match in _PRESSURE.finditer(text):
        pair = _pressure_pair(match)
        if pair is None:
            continue
        upper, lower = pair
        separator = text[match.end("upper") : match.start("lower")]
        if asked or "压" in text[: match.start()] or _names_unit(match, text) or ("/" in separator and upper >= 80):
            _take("systolic", Slot.BLOOD_PRESSURE, upper, match.span(), values, places)
            _take("diastolic", Slot.BLOOD_PRESSURE, lower, match.span(), values, places)
            return
    for name, pattern in (
        ("systolic", _UPPER),
        ("diastolic", _LOWER if "压" in text else _NEVER),
        ("systolic", _PRESSURE_CHANGED),
        ("systolic", _SINGLE_PRESSURE),
    ):
        found = pattern.search(text)
        if found and name not in values:
            _take(name, Slot.BLOOD_PRESSURE, parse_number(found.group("value")), found.span(), values, places)


_NEVER = re.compile(r"(?!)")


def _pressure_pair(match: re.Match[str]) -> tuple[float, float] | None:
    """Upper and lower value in mmHg; ``None`` where no blood pressure can be so."""
    upper, lower = parse_number(match.group("upper")), parse_number(match.group("lower"))
    if upper is None or lower is None:
        return None
    if match.group("kilopascal"):
        upper, lower = round(upper * _MMHG_PER_KILOPASCAL), round(lower * _MMHG_PER_KILOPASCAL)
    return (upper, lower) if 60 <= upper <= 300 and 30 <= lower <= 200 and upper > lower else None


def _names_unit(match: re.Match[str], text: str) -> bool:
    return "mmhg" in text or match.group("kilopascal") is not None


def _find_glucose(text: str, values: dict[str, float | GlucoseTiming], places: list[Value]) -> None:
    match = _GLUCOSE.search(text) or (_GLUCOSE_BY_TIME.search(text) if "糖" in text else None)
    if match is None:
        return
    value = parse_number(match.group("value"))
    if value is not None and "mg" in text[match.end() : match.end() + 3]:
        value = round(value / 18, 1)
    _take("glucose", Slot.GLUCOSE, value, match.span(), values, places)
    timing = match.group("before") or next(
        (word for word in _TIMINGS if word in text[match.start() : match.end()]), None
    )
    if timing and "glucose" in values:
        values["glucose_timing"] = _TIMINGS[timing]


def _take(
    name: str,
    slot: Slot,
    value: float | None,
    span: tuple[int, int],
    values: dict[str, float | GlucoseTiming],
    places: list[Value],
) -> None:
    lowest, highest = _LIMITS[name]
    if value is None or not lowest <= value <= highest:
        return
    if name not in ("glucose", "weight"):
        if value != int(value):
            return
        value = int(value)
    values[name] = value
    places.append(Value(slot, value, *span))
