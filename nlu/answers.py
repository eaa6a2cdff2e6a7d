"""What a message says as the answer to the question before it."""

import re
from dataclasses import dataclass, field

from nlu.facts import FEVER
from nlu.numbers import NUMBER, parse_number
from nlu.types import (
    Asked,
    Duration,
    Pregnancy,
    Severity,
    Sex,
    Slot,
    Status,
    SymptomMention,
    YesNo,
)

_MEANT_BY = {"呼吸困难": ("喘息",), "出冷汗": ("出汗",)}
"""Other findings that affirm what was asked for: who is asked for a danger sign does not choose the medical word."""
_STATUS = {YesNo.YES: Status.POSITIVE, YesNo.NO: Status.NEGATIVE, YesNo.DONT_KNOW: Status.UNKNOWN}
_BARE_NUMBER = re.compile(
    rf"(?:大概|差不多|大约|可能|是|有|约|快|最高|就)*(?P<value>{NUMBER})(?:左右|多|吧|了|,|。|!|的|度|次|%| )*"
)
_SEVERITIES = (
    (
        Severity.MILD,
        re.compile(r"不(?:太|怎么|是很|算)?(?:厉害|严重|重|要紧|难受|疼)|轻微|有点|一点点|轻|还好|还行|不碍事|能忍"),
    ),
    (Severity.SEVERE, re.compile(r"厉害|严重|受不了|剧烈|特别|非常|很|太|难忍|要命|不行了|重")),
    (Severity.MODERATE, re.compile(r"比较|中等|一般|还可以|挺")),
)
_UNBEARABLE = (
    "厉害|受不了|受不住|忍不了|扛不住|要命|要死|死去活来|打滚|撞墙|直不起|下不了床|动不了|站不[住起]|睡不着|咽不下|"
    "满头大汗|一身汗|浑身是?汗|直冒汗|直叫|直哭|掉眼?泪|喊娘|不行|不得了|死我?了|炸"
)
_SEVERITY_IN_PASSING = re.compile(
    rf"(?:疼|痛|咳|吐|拉|晕|痒|喘|难受|肿|胀)[^,。!?;]{{0,5}}(?:{_UNBEARABLE})|"
    r"剧烈|剧痛|(?:强烈|猛烈|钻心|超级|特别|非常|巨|贼|极其|极度|异常|狠狠)[地的]?[疼痛]|[疼痛](?:极了|坏了|惨了)"
)
_NOT_SEVERE = re.compile(r"(?:不|没有?)(?:太|怎么|是很|算|那么|特别)?(?:厉害|严重|剧烈|强烈)|厉害吗|严重吗")


@dataclass(slots=True)
class Answer:
    """The facts that only the question makes plain."""

    symptoms: list[SymptomMention] = field(default_factory=list)
    denies: list[Slot] = field(default_factory=list)
    temperature: float | None = None
    duration: Duration | None = None
    severity: Severity | None = None
    sex: Sex | None = None
    pregnancy: Pregnancy | None = None
    vitals: dict[str, float | int] = field(default_factory=dict)


def answer_to(asked: Asked, text: str, yes_no: YesNo | None, all_of_them: bool, mentioned: dict[str, Status]) -> Answer:
    """The facts that ``text`` gives as the answer to ``asked``; ``mentioned`` are symptoms that it names itself."""
    answer = Answer()
    if asked.slot is Slot.SYMPTOM:
        answer.symptoms = _asked_symptoms(asked, yes_no, all_of_them, mentioned)
    elif asked.slot is Slot.TEMPERATURE:
        _temperature(text, answer, mentioned)
    elif asked.slot is Slot.DURATION:
        answer.duration = _bare_days(text)
    elif asked.slot is Slot.SEVERITY:
        answer.severity = _severity(text, yes_no)
    elif asked.slot is Slot.PREGNANCY and yes_no is not None:
        answer.pregnancy = Pregnancy(status=_STATUS[yes_no])
    elif asked.slot in _BARE_VITALS:
        _bare_vital(asked.slot, text, answer)
    if yes_no is YesNo.NO:
        histories = (Slot.DRUGS, Slot.ALLERGIES, Slot.PAST_HISTORY)
        answer.denies = [slot for slot in (asked.slot, *asked.also) if slot in histories]
    if Slot.SEX in (asked.slot, *asked.also):
        answer.sex = _sex(text)
    return answer


def _severity(text: str, yes_no: YesNo | None) -> Severity | None:
    """How bad it is, to the question whether it is bad: a bare yes is severe, a bare no mild."""
    told = next((severity for severity, pattern in _SEVERITIES if pattern.search(text)), None)
    bare = {YesNo.YES: Severity.SEVERE, YesNo.NO: Severity.MILD}
    return told or (bare.get(yes_no) if yes_no is not None else None)


def _asked_symptoms(
    asked: Asked, yes_no: YesNo | None, all_of_them: bool, mentioned: dict[str, Status]
) -> list[SymptomMention]:
    """What a bare yes, no or don't-know says of the asked symptoms that the message does not name itself."""
    open_names = [name for name in asked.values if name not in mentioned]
    meant = [
        name for name in open_names if any(mentioned.get(other) is Status.POSITIVE for other in _MEANT_BY.get(name, ()))
    ]
    if meant:  # 喘得有点急 to "喘得急不急？"
        return [SymptomMention(name=name, text="", status=Status.POSITIVE) for name in meant]
    some_present = any(mentioned.get(name) is Status.POSITIVE for name in asked.values)
    if all_of_them:
        status = Status.POSITIVE
    elif yes_no is YesNo.YES:
        # A bare 有 to a question that names several does not tell which.
        status = Status.POSITIVE if len(asked.values) == 1 else Status.UNKNOWN
    elif yes_no is not None and not some_present:
        status = _STATUS[yes_no]
    else:
        return []
    return [SymptomMention(name=name, text="", status=status) for name in open_names]


def _temperature(text: str, answer: Answer, mentioned: dict[str, Status]) -> None:
    value = _bare_number(text)
    if value is not None and 340 <= value <= 430:
        value /= 10
    if value is not None and 34 <= value <= 43:
        answer.temperature = round(value, 1)
    elif FEVER not in mentioned and re.search(r"正常|不(?:发)?[烧热]|没(?:有)?(?:发)?[烧热]", text):
        answer.symptoms = [SymptomMention(name=FEVER, text="", status=Status.NEGATIVE)]


def _bare_days(text: str) -> Duration | None:
    value = _bare_number(text)
    if value is None or not 0 < value <= 3650:
        return None
    return Duration(value=value, unit="天", days=value, text=text.strip())


_BARE_VITALS = {
    Slot.GLUCOSE: ("glucose", 0.5, 60),
    Slot.HEART_RATE: ("heart_rate", 20, 300),
    Slot.SPO2: ("spo2", 30, 100),
    Slot.WEIGHT: ("weight", 0.5, 300),
    Slot.RESPIRATORY_RATE: ("respiratory_rate", 4, 120),
    Slot.BLOOD_PRESSURE: ("systolic", 60, 300),
}


def _bare_vital(slot: Slot, text: str, answer: Answer) -> None:
    name, lowest, highest = _BARE_VITALS[slot]
    value = _bare_number(text)
    if value is None or not lowest <= value <= highest:
        return
    if name in ("glucose", "weight"):
        answer.vitals[name] = value
    elif value == int(value):
        answer.vitals[name] = int(value)


def _bare_number(text: str) -> float | None:
    match = _BARE_NUMBER.fullmatch(text.strip())
    return parse_number(match.group("value")) if match else None


def _sex(text: str) -> Sex | None:
    male, female = "男" in text, "女" in text
    if male == female:
        return None
    return Sex.MALE if male else Sex.FEMALE


def severity_in_passing(text: str) -> Severity | None:
    """Severity told along with a symptom ("疼得受不了"); mild words alone say too little."""
    if _SEVERITY_IN_PASSING.search(text) and not _NOT_SEVERE.search(text):
        return Severity.SEVERE
    return None
