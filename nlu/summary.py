"""The facts of a case in the shape of a Chinese outpatient record. It states, it never concludes: no diagnosis."""

from data.clinical_language import clinical_language
from nlu.conclusions import OutpatientRecord
from nlu.facts import FEVER, CaseFacts
from nlu.types import Examination, ExaminationState, Pregnancy, Relation, Sex, Slot, Statement, Status, Vitals

UNKNOWN = "未提供"
_CHIEF_SYMPTOMS = 3
GENERAL_CONDITION = ("精神", "饮食", "睡眠", "大小便")
"""The general condition since the illness began: part of 现病史 (病历书写基本规范, 第十八条)."""
PERSONAL_HISTORY = ("吸烟", "饮酒")


def summarise(facts: CaseFacts) -> OutpatientRecord:
    """The record of what the patient told, in terms of the field (病历书写基本规范, 卫医政发〔2010〕11号)."""
    return OutpatientRecord(
        personal=_personal(facts),
        chief_complaint=_chief_complaint(facts),
        present_illness=_present_illness(facts),
        past_history=_past_history(facts),
        allergy_history=_allergies(facts),
        medication=_medication(facts),
    )


def record_term(name: str) -> str:
    """The term of a medical record for a symptom's plain name."""
    return next((row.record or row.name for row in clinical_language().symptoms if row.name == name), name)


def _personal(facts: CaseFacts) -> str:
    parts = []
    if facts.sex is not None:
        parts.append("男" if facts.sex is Sex.MALE else "女")
    if facts.age_months is not None:
        parts.append(age_text(facts.age_months))
    if facts.relation not in (None, Relation.SELF):
        parts.append(f"家属代述（病人为其{facts.relation}）" if facts.relation is not Relation.OTHER else "他人代述")
    return "，".join(parts) or UNKNOWN


def age_text(months: int) -> str:
    """An age as a record writes it: months below two years, then years."""
    if months < 1:
        return "不满1个月"
    return f"{months}个月" if months < 24 else f"{months // 12}岁"


def _chief_complaint(facts: CaseFacts) -> str:
    """主诉: the first symptoms and how long, e.g. 咳嗽伴发热3天."""
    terms = _present_terms(facts)[:_CHIEF_SYMPTOMS]
    if not terms:
        known = [d.name for d in facts.diseases if d.status is Status.POSITIVE]
        terms = [f"{known[0]}咨询"] if known else []
    if not terms:
        return UNKNOWN
    complaint = terms[0] + (f"伴{'、'.join(terms[1:])}" if terms[1:] else "")
    return complaint + _duration_text(facts)


def _present_terms(facts: CaseFacts) -> list[str]:
    """The present symptoms in terms of the record; 腹痛 goes where 右下腹痛 already says it."""
    terms = list(dict.fromkeys(record_term(name) for name in facts.present))
    return [term for term in terms if not any(other != term and other.endswith(term) for other in terms)]


def _duration_text(facts: CaseFacts) -> str:
    if facts.duration is None:
        return ""
    if facts.duration.vague is not None:
        return facts.duration.vague
    if facts.duration.value not in (0.5, int(facts.duration.value)):
        return facts.duration.text
    value = f"{facts.duration.value:g}" if facts.duration.value != 0.5 else "半"
    measure = {"月": "个月", "周": "周"}.get(facts.duration.unit, facts.duration.unit)
    return f"{value}{measure}"


def _present_illness(facts: CaseFacts) -> str:
    """现病史: onset, what there is with its details, measured values, what is denied."""
    sentences = [_course(facts)]
    vitals = _vitals_text(facts.vitals)
    if facts.temperature is not None:
        vitals.insert(0, f"体温{facts.temperature:g}℃")
    if vitals:
        sentences.append("自测" + "，".join(vitals))
    sentences.append(_examinations_text(facts.examinations))
    treated = [s.name for s in facts.treatments if s.status is Status.POSITIVE]
    if treated:
        sentences.append("曾予" + "、".join(treated))
    past = [record_term(s.name) for s in facts.symptoms if s.past and s.status is Status.POSITIVE]
    if past:
        sentences.append("既往曾有" + "、".join(past))
    absent = [record_term(name) for name in facts.absent if not (name == FEVER and facts.has_high_temperature)]
    if absent:
        sentences.append("否认" + "、".join(dict.fromkeys(absent)))
    if facts.pregnancy is not None:
        sentences.append(_pregnancy_text(facts.pregnancy))
    sentences.append(_habits_text(facts, GENERAL_CONDITION))
    return "".join(f"{sentence}。" for sentence in sentences if sentence)


def _course(facts: CaseFacts) -> str:
    terms = _present_terms(facts)
    if not terms:
        return ""
    if facts.onset:
        start = f"{facts.onset}起"
    elif facts.duration is not None:
        start = f"{_duration_text(facts)}前"
    else:
        start = ""
    details = [f"程度{facts.severity}" if facts.severity else "", facts.frequency or ""]
    tail = "".join(f"，{detail}" for detail in details if detail)
    return f"{start}出现{'、'.join(terms)}{tail}"


def _vitals_text(vitals: Vitals) -> list[str]:
    parts = []
    if vitals.systolic is not None:
        lower = f"{vitals.diastolic}" if vitals.diastolic is not None else "?"
        parts.append(f"血压{vitals.systolic}/{lower}mmHg")
    if vitals.glucose is not None:
        parts.append(f"{vitals.glucose_timing or ''}血糖{vitals.glucose:g}mmol/L")
    if vitals.heart_rate is not None:
        parts.append(f"心率{vitals.heart_rate}次/分")
    if vitals.spo2 is not None:
        parts.append(f"血氧{vitals.spo2}%")
    if vitals.respiratory_rate is not None:
        parts.append(f"呼吸{vitals.respiratory_rate}次/分")
    if vitals.weight is not None:
        parts.append(f"体重{vitals.weight:g}kg")
    return parts


_RESULT_WORDS = {ExaminationState.NORMAL: "正常", ExaminationState.ABNORMAL: "异常"}


def _examinations_text(examinations: tuple[Examination, ...]) -> str:
    """辅助检查, as the patient tells it: what was done and showed, what was not done, what is yet to be done."""
    done = [_result(one) for one in examinations if one.state in (ExaminationState.DONE, *_RESULT_WORDS)]
    parts = ["已查" + "，".join(done) + "（自述）"] if done else []
    for state, words in ((ExaminationState.NOT_DONE, "未查"), (ExaminationState.PLANNED, "拟查")):
        names = [examination.name for examination in examinations if examination.state is state]
        if names:
            parts.append(words + "、".join(names))
    return "；".join(parts)


def _result(examination: Examination) -> str:
    """An examination that was done, with what it showed in the patient's words."""
    if examination.finding:
        return f"{examination.name}示{examination.finding}"
    return examination.name + _RESULT_WORDS.get(examination.state, "")


def _habits_text(facts: CaseFacts, names: tuple[str, ...]) -> str:
    """The habits of ``names`` that were told, in the words of a record.

    What is only asked about is left out, and a disturbance that a symptom tells already (失眠 for 睡眠差).
    """
    rows = {row.name: row for row in clinical_language().habits}
    told = {habit.name: habit for habit in facts.habits if habit.status is not Status.UNKNOWN}
    return "，".join(
        _habit_text(told[name], rows[name].record)
        for name in names
        if name in told and not (told[name].status is Status.NEGATIVE and set(rows[name].symptoms) & set(facts.present))
    )


def _habit_text(habit: Statement, record: tuple[str, str]) -> str:
    if "戒" in habit.text:
        return f"已戒{habit.name[-1]}"
    return record[0] if habit.status is Status.POSITIVE else record[1]


def _pregnancy_text(pregnancy: Pregnancy) -> str:
    if pregnancy.status is Status.POSITIVE:
        return f"怀孕{pregnancy.weeks}周" if pregnancy.weeks else "怀孕"
    return "否认怀孕" if pregnancy.status is Status.NEGATIVE else "是否怀孕不详"


def _history(statements: tuple[Statement, ...], denied: bool, denial: str) -> str:
    present = [s.name for s in statements if s.status is Status.POSITIVE]
    absent = [s.name for s in statements if s.status is Status.NEGATIVE]
    parts = ["、".join(present)] if present else []
    if absent:
        parts.append("否认" + "、".join(absent))
    if denied and not present:
        parts = [denial]
    return "；".join(parts) or UNKNOWN


def _past_history(facts: CaseFacts) -> str:
    parts = [_history(facts.diseases, Slot.PAST_HISTORY in facts.denies, "否认慢性病史")]
    operations = tuple(s for s in facts.operations if s.status is not Status.UNKNOWN)
    if operations:
        parts.append(f"手术史：{_history(operations, False, '')}")
    if personal := _habits_text(facts, PERSONAL_HISTORY):
        parts.append(f"个人史：{personal}")
    if facts.family:
        parts.append(f"家族史：{_history(facts.family, False, '')}")
    return "；".join(parts)


def _allergies(facts: CaseFacts) -> str:
    allergies = tuple(s.model_copy(update={"name": f"{s.name}过敏"}) for s in facts.allergies)
    return _history(allergies, Slot.ALLERGIES in facts.denies, "否认药物及食物过敏")


def _medication(facts: CaseFacts) -> str:
    taken = tuple(s for s in facts.drugs if s.status is Status.POSITIVE)
    return _history(taken, Slot.DRUGS in facts.denies, "否认用药")
