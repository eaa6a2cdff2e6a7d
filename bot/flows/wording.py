"""Short Chinese for the facts of a case, as one would say them to an elderly person."""

from nlu.facts import FEVER, CaseFacts
from nlu.summary import age_text
from nlu.types import Examination, ExaminationState, Relation, Status, Understanding
from nlu.wording import patient_word

_MOST_SYMPTOMS = 6


def remembered(facts: CaseFacts) -> str:
    """Say in one line what has been told so far; empty where nothing was."""
    names = [_with_temperature(name, facts) for name in facts.present[:_MOST_SYMPTOMS]]
    if facts.temperature is not None and FEVER not in facts.present:
        names.append(f"体温{facts.temperature:g}度")
    lasting = f"（{facts.duration.text}）" if facts.duration and names else ""
    return "、".join(names) + lasting


def _with_temperature(name: str, facts: CaseFacts) -> str:
    return f"{name}{facts.temperature:g}度" if name == FEVER and facts.temperature is not None else name


def told(before: CaseFacts, after: CaseFacts, said: Understanding) -> str:
    """Say back what a message has told or changed, so that a misunderstanding is seen at once; empty where nothing."""
    news = _news(before, after)
    if before.relation not in (None, after.relation):
        whom = "您自己" if after.relation is Relation.SELF else patient_word(after)
        return f"好的，改过来了：病人是{whom}。" + (f"记下了：{news}。" if news else "")
    if not news:
        return "好的，改过来了。" if said.withdrawn else ""
    changed = said.correction or said.withdrawn
    return f"好的，改过来了：{news}。" if changed else f"好的，记下了：{news}。"


def _news(before: CaseFacts, after: CaseFacts) -> str:
    parts = [name for name in after.present if name not in before.present and name != FEVER]
    parts += [f"没有{mention}" for mention in _newly_denied(before, after)]
    if after.temperature != before.temperature and after.temperature is not None:
        parts.append(f"体温{after.temperature:g}度")
    elif after.has(FEVER) and not before.has(FEVER):
        parts.append(FEVER)
    if after.duration != before.duration and after.duration is not None:
        parts.append(after.duration.text)
    if after.age_months != before.age_months and after.age_months is not None:
        parts.append(age_text(after.age_months))
    parts += [s.name for s in after.diseases if s not in before.diseases and s.status is Status.POSITIVE]
    parts += [f"做过{s.name}" for s in after.operations if s not in before.operations and s.status is Status.POSITIVE]
    parts += [f"查过{one.name}" for one in _newly_examined(before, after)]
    parts += [s.name for s in after.drugs if s not in before.drugs and s.status is Status.POSITIVE]
    parts += [f"对{s.name}过敏" for s in after.allergies if s not in before.allergies and s.status is Status.POSITIVE]
    return "，".join(parts[:_MOST_SYMPTOMS])


def _newly_examined(before: CaseFacts, after: CaseFacts) -> list[Examination]:
    """The examinations that were done, as far as nothing was known of them before."""
    known = {one.name for one in before.examinations}
    done = (ExaminationState.DONE, ExaminationState.NORMAL, ExaminationState.ABNORMAL)
    return [one for one in after.examinations if one.state in done and one.name not in known]


def _newly_denied(before: CaseFacts, after: CaseFacts) -> list[str]:
    """What was denied in so many words; what 都没有 implies was in the question and need not be said back."""
    spoken = {mention.name for mention in after.symptoms if mention.end > mention.start}
    return [name for name in after.absent if name not in before.absent and name in spoken]
