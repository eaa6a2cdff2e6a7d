"""Messages that hold measured values and nothing else: “血压150/95”, “我妈昨天空腹血糖6.5”. Pure."""

import re
from dataclasses import dataclass, field

from backend.consultation.vitals import check_vitals
from backend.errors import InvalidInput
from nlu.types import Relation, Understanding

LONGEST = 60
"""What is longer is a story, and those who hear stories hear it."""

_NUMBER = r"\d+(?:\.\d+)?"
_AFTER_NAME = r"[\s:：,，是为约]{0,4}"
_RATE = "次/分钟|次每分|次/分|次|下"


@dataclass(frozen=True)
class Measure:
    """A vital sign as it is written: names, unit, and the codes of `backend.consultation.vitals` that hold it."""

    codes: tuple[str, ...]
    names: str
    unit: str

    @property
    def written(self) -> re.Pattern[str]:
        """The sign with its number, or both numbers of a pair."""
        pair = rf"(?:\s*[/／]\s*(?P<second>{_NUMBER}))?" if len(self.codes) == 2 else ""
        number = rf"(?P<first>{_NUMBER}){pair}\s*(?P<unit>{self.unit})?"
        return re.compile(rf"(?:{self.names}){_AFTER_NAME}{number}", re.IGNORECASE)


MEASURES = (
    Measure(("temperature",), r"体温|(?<![A-Za-z])T", "℃|度|°C"),
    Measure(("systolic", "diastolic"), r"血压|(?<![A-Za-z])BP", "mmHg|毫米汞柱"),
    Measure(("glucose",), r"(?:空腹|餐后|随机)?血糖|(?<![A-Za-z])GLU", "mmol/L|mmol"),
    Measure(("heart_rate",), r"心率|心跳|脉搏|(?<![A-Za-z])(?:HR|P)", _RATE),
    Measure(("respiratory_rate",), r"呼吸频率|呼吸|(?<![A-Za-z])(?:RR|R)", _RATE),
    Measure(("spo2",), r"血氧饱和度|血氧|SpO2", "%|％"),
    Measure(("weight",), r"体重", "kg|公斤|千克|斤"),
    Measure(("height",), r"身高", "cm|厘米|公分"),
)
"""The vital signs as doctors and patients write them."""

_MEASURED = ("temperature", "blood_pressure", "glucose", "heart_rate", "spo2", "respiratory_rate", "weight")
"""Kinds of the entities of `nlu` that are measured values."""

_TAKEN_BACK = re.compile(rf"不是\s*{_NUMBER}(?:\s*[/／]\s*{_NUMBER})?")
_CORRECTION = re.compile(r"不对|不是|错了|记错|写错|说错|应该是|更正")
_YESTERDAY = re.compile(r"昨(?:天|日|晚|夜)")
_BEFORE_YESTERDAY = re.compile(r"前天")
_FILLING = re.compile(
    r"高压|低压|上压|下压|收缩压|舒张压|血压|血糖|空腹|餐后|饭后|随机|体温|腋温|耳温|额温|心率|心跳|脉搏|呼吸|血氧饱和度|血氧|体重|身高"
    r"|bp|glu|hr|mmhg|毫米汞柱|mmol/l|mmol|mg/dl|公斤|千克|kg|斤|厘米|公分|cm|℃|°c|摄氏度|度|次/分钟|次/分|次每分|次|下|%|％|百分之|[两二2]个?小?时"
    r"|昨天|昨日|昨晚|昨夜|前天|今天|今早|今晚|早上|早晨|上午|中午|下午|晚上|夜里|半夜|刚才|刚刚|刚|现在|最近|这几天|一直|都|在|早|晚|早饭|午饭|晚饭|[前后]"
    r"|我们|我|俺|他|她|家里|家|的|妈妈|妈|爸爸|爸|母亲|父亲|孩子|宝宝|娃|儿子|女儿|老伴|老公|老婆|爱人|爷爷|奶奶|外公|外婆|患者|病人"
    r"|量出来|测出来|量了|量的|量|测了|测的|测|查了|查|显示|自己|在家|一下|大概|大约|差不多|约|左右|这次|又|是|为|有|到|了|吧|啊|呢|哦"
    r"|正常吗|正常不|高吗|低吗|高不高|要紧吗|严重吗|可以吗|行吗|对吗|怎么样|好不好"
    r"|不对|不是|错了|记错|写错|说错|应该|更正|改成|改为|医生|大夫|您好|你好|请问|麻烦|请|帮|记录|记一?下|记|谢谢"
    r"|[\s,，。.;；:：、!！?？~～()（）/／“”\"'-]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Measured:
    """What a message of measured values says.

    Args:
        vitals: checked values, by the codes of `backend.consultation.vitals`.
        relation: whose they are, as the writer says it; None where nothing is said.
        days_ago: on which day they were measured.
        corrects: the message takes back what was said before.
    """

    vitals: dict[str, float | str] = field(repr=False)
    relation: Relation | None = None
    days_ago: int = 0
    corrects: bool = False


class Unclear(Exception):
    """A message of measured values that one has to ask about. `question` is what to ask, `answers` what to offer."""

    def __init__(self, question: str, answers: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.question = question
        self.answers = answers


def read_measured(said: Understanding) -> Measured | None:
    """Give the measured values of a message that holds nothing else; None for every other message.

    Raises:
        Unclear: a value is missing, has no unit where that matters, or cannot be.
    """
    if len(said.text) > LONGEST or said.symptoms or said.drugs or said.diseases:
        return None
    rest = _without_entities(said)
    rest = _TAKEN_BACK.sub(" ", rest)
    written, rest = _take_written(rest)
    if _FILLING.sub("", rest):
        return None
    vitals = {**written, **_understood(said)}
    if not vitals:
        return None
    _ask_for_what_is_missing(vitals, said.text)
    try:
        checked = check_vitals(vitals)
    except InvalidInput as refused:
        raise Unclear(f"{refused.sentence}\n这一条没有记。") from None
    return Measured(
        checked,
        said.relation if said.relation is not Relation.SELF else None,
        1 if _YESTERDAY.search(said.text) else 2 if _BEFORE_YESTERDAY.search(said.text) else 0,
        bool(_CORRECTION.search(said.text)) or said.correction,
    )


def _without_entities(said: Understanding) -> str:
    rest = said.text
    spans = {(entity.start, entity.end) for entity in said.entities if entity.kind in _MEASURED}
    for start, end in sorted(spans, reverse=True):
        rest = f"{rest[:start]} {rest[end:]}"
    return rest


def _understood(said: Understanding) -> dict[str, float | str]:
    values: dict[str, float | str] = said.vitals.model_dump(mode="json", exclude_none=True)
    return values if said.temperature is None else {**values, "temperature": said.temperature}


def _take_written(rest: str) -> tuple[dict[str, float | str], str]:
    """Take out the values that were not understood, because they cannot be or lack a unit."""
    values: dict[str, float | str] = {}
    for measure in MEASURES:
        found = measure.written.search(rest)
        if found is None:
            continue
        numbers = [found["first"], found.groupdict().get("second")]
        for code, number in zip(measure.codes, numbers, strict=False):
            if number is not None:
                values[code] = float(number)
        if measure.codes == ("weight",) and found["unit"] == "斤":
            values["weight"] = float(found["first"]) / 2
        rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    return values, rest


def _ask_for_what_is_missing(vitals: dict[str, float | str], text: str) -> None:
    for has, lacks, name in (("systolic", "diastolic", "低压"), ("diastolic", "systolic", "高压")):
        if has in vitals and lacks not in vitals:
            raise Unclear(f"{name}是多少？请把高压和低压一起发，比如“血压150/95”。")
    if "weight" in vitals and not re.search("公斤|千克|kg|斤", text, re.IGNORECASE):
        weight = re.search(_NUMBER, text[text.find("体重") :])
        if weight is not None:
            raise Unclear(f"体重{weight[0]}，是公斤还是斤？", (f"体重{weight[0]}公斤", f"体重{weight[0]}斤"))
