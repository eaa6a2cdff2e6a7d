"""Measured values in words: for patients without a number too much, for doctors with what they ask for."""

from collections.abc import Sequence

from backend.records import Assessment, ObservationView
from bot.wording import lines

_PAIR = ("systolic", "diastolic")
_ACUTE = ("temperature", "heart_rate", "respiratory_rate", "spo2")
_SEE_SOMEBODY = "过一会儿再量一次。人不舒服，就点“我不舒服”，我帮您找医生看。"
_MEASURE_AGAIN = "平时多量几次，下回让医生看看。"
_EXPLAINED = "“偏高”“偏低”是跟一般人比。是不是有病，要医生看了才知道。"


def values_in_words(noted: Sequence[ObservationView], assessment: Assessment) -> str:
    """Say observations in one line, both pressures together: “血压150/95mmHg（偏高），脉搏80次/分”."""
    by_kind = {one.kind_key: one for one in noted}
    upper, lower = (by_kind.get(key) for key in _PAIR)
    parts = []
    for one in noted:
        if upper is None or lower is None or one.kind_key not in _PAIR:
            parts.append(f"{one.kind.name}{one.shown}{_marked(assessment, one)}")
        elif one is upper:
            mark = _marked(assessment, upper) or _marked(assessment, lower)
            parts.append(f"血压{upper.value}/{lower.shown}{mark}")
    return "，".join(parts)


def advice(assessment: Assessment) -> str:
    """Say what to do at once, each advice once, the most urgent first; "" where nothing is dangerous."""
    return "\n".join(dict.fromkeys(danger.advice for danger in assessment.dangers))


def explanation(noted: Sequence[ObservationView], assessment: Assessment) -> str:
    """Say what a mark means, where there is one and nothing more urgent is said."""
    if assessment.dangers or not assessment.marks:
        return ""
    acute = any(one.kind_key in _ACUTE for one in noted if one.id in assessment.marks)
    return f"{_SEE_SOMEBODY if acute else _MEASURE_AGAIN}\n{_EXPLAINED}"


def warning(assessment: Assessment) -> str:
    """Say to a doctor which values cannot wait; "" where none is."""
    titles = "、".join(dict.fromkeys(danger.title for danger in assessment.dangers))
    return f"注意：{titles}，请尽快处理。" if titles else ""


def alarm_flags(assessment: Assessment) -> list[dict[str, object]]:
    """Give the dangers as the danger signs of a case (`nlu.types.RedFlag` as JSON)."""
    return [
        {
            "code": f"MEASURED_{danger.kind.upper()}",
            "title": danger.title,
            "level": danger.level,
            "advice": danger.advice,
            "evidence": [danger.title],
            "source": danger.source,
        }
        for danger in assessment.dangers
    ]


def said_back(head: str, noted: Sequence[ObservationView], assessment: Assessment, doctors_know: bool) -> str:
    """Read back to a patient or their family what was kept, what to do first where it cannot wait."""
    return lines(
        advice(assessment),
        "我已经告诉您的医生了。" if doctors_know and assessment.dangers else "",
        f"{head}{values_in_words(noted, assessment)}。",
        explanation(noted, assessment),
    )


def _marked(assessment: Assessment, one: ObservationView) -> str:
    mark = assessment.marks.get(one.id)
    return f"（{mark.label}）" if mark else ""
