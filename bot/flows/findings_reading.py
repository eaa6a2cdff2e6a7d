"""What a doctor's line of vital signs and findings holds; what cannot be is refused before it is kept. Pure."""

import re
from dataclasses import dataclass

from backend.consultation.vitals import check_vitals
from backend.errors import InvalidInput
from nlu.types import Understanding

_NUMBER = r"\d+(?:\.\d+)?"
_AFTER_NAME = r"[\s:：是为约]{0,4}"
_RATE = "次/分钟|次每分|次/分|次"


@dataclass(frozen=True)
class _Measure:
    """A vital sign as it is written: names, unit, and the codes of `backend.consultation.vitals` that hold it."""

    codes: tuple[str, ...]
    names: str
    unit: str

    @property
    def written(self) -> re.Pattern[str]:
        pair = rf"(?:\s*/\s*{_NUMBER})?" if len(self.codes) == 2 else ""
        return re.compile(rf"(?:{self.names}){_AFTER_NAME}{_NUMBER}{pair}\s*(?:{self.unit})?", re.IGNORECASE)


_MEASURES = (
    _Measure(("temperature",), r"体温|(?<![A-Za-z])T", "℃|度|°C"),
    _Measure(("systolic", "diastolic"), r"血压|(?<![A-Za-z])BP", "mmHg|毫米汞柱"),
    _Measure(("glucose",), r"(?:空腹|餐后|随机)?血糖|(?<![A-Za-z])GLU", "mmol/L|mmol"),
    _Measure(("heart_rate",), r"心率|脉搏|(?<![A-Za-z])(?:HR|P)", _RATE),
    _Measure(("respiratory_rate",), r"呼吸频率|呼吸|(?<![A-Za-z])(?:RR|R)", _RATE),
    _Measure(("spo2",), r"血氧饱和度|血氧|SpO2", "%|％"),
    _Measure(("weight",), r"体重", "kg|公斤|千克|斤"),
)


@dataclass(frozen=True)
class Reading:
    """A line as understood: vital signs by their codes, and the findings in words."""

    vitals: dict[str, float | str]
    findings: str


def read_findings(said: Understanding) -> Reading:
    """Give the vital signs and findings in what a doctor said.

    Raises:
        InvalidInput: a value that cannot be, or one that was written and not understood: it must not vanish silently.
    """
    measured = said.vitals.model_dump(mode="json", exclude_none=True)
    vitals = check_vitals({"temperature": said.temperature, **measured})
    findings = said.text
    for measure in _MEASURES:
        found = measure.written.search(findings)
        if found is None:
            continue
        if not any(code in vitals for code in measure.codes):
            raise InvalidInput(f"“{found.group().strip()}”没有看明白，或者数值不合常理，请核对后整条重新发一次。")
        findings = findings[: found.start()] + "，" + findings[found.end() :]
    return Reading(vitals, _tidy(findings))


def _tidy(findings: str) -> str:
    parts = (part.strip() for part in re.split(r"[，,；;。\n]+", findings))
    return "，".join(part for part in parts if re.search(r"\w", part))
