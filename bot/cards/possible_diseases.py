"""What a case may be, for those who treat. No message to a patient may hold a word of it.

Worked out anew each time from what is stored, so that a value that the doctor adds counts at once.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from backend.consultation.rules import Status
from backend.consultation.views import ConsultationView
from bot.wording import lines
from nlu.conclusions import DiseaseSuggestion
from nlu.differential import MOST_LISTED, rank_diseases
from nlu.facts import CaseFacts
from nlu.types import Vitals

TITLE = "可能的诊断（仅供医生参考，不给患者看）"
_LIKELIHOODS = ((0.6, "可能性大"), (0.3, "有可能"), (0.1, "可能性小"))
_SURE = 0.9
"""Above this no percentage is given: what was told in a chat makes nobody surer."""
_MOST_NEXT = 3
_ENDED = (Status.COMPLETED, Status.CANCELLED)


def possible_diseases(view: ConsultationView) -> str:
    """Give the likeliest diseases with what speaks for and against them and what to do next; empty where nothing is
    known, where the case is over or an expert has said what it is, and where the reader may not read what is clinical.
    """
    if not view.clinical or view.status in _ENDED or view.opinion is not None:
        return ""
    suggested = rank_diseases(_facts(view))
    listed = [one for one in suggested if one.probability >= _LIKELIHOODS[-1][0]][:MOST_LISTED]
    excluded = [one.name for one in suggested if one.exclude]
    if not listed and not excluded:
        return ""
    return lines(
        TITLE,
        *(line for place, one in enumerate(listed, 1) for line in _lines(place, one)),
        f"⚠ 须排除：{'、'.join(excluded)}" if excluded else "",
    )


def _lines(place: int, one: DiseaseSuggestion) -> list[str]:
    found = [f"支持：{'、'.join(one.supporting)}"] if one.supporting else []
    found += [f"不支持：{'、'.join(one.opposing[:1])}"] if one.opposing else []
    steps = [f"问{'、'.join(one.ask[:2])}"] if one.ask else []
    steps.append(f"查{'、'.join(one.examine[: _MOST_NEXT if place == 1 else 1])}")
    head = "；".join([f"{place}. {one.name}：{_likelihood(one.probability)}", *found])
    return [head, f"　{one.name}下一步：{'；'.join(steps)}"]


def _likelihood(probability: float) -> str:
    words = next((words for least, words in _LIKELIHOODS if probability >= least), _LIKELIHOODS[-1][1])
    share = f"{_SURE:.0%}以上" if probability > _SURE else f"约{probability:.0%}"
    return f"{words}（{share}）"


def _facts(view: ConsultationView) -> CaseFacts:
    """The stored facts with the values that the doctor measured; facts of another shape count as none."""
    try:
        facts = CaseFacts.from_json(view.facts)
    except ValidationError:
        facts = CaseFacts()
    measured = _measured(view.vitals)
    temperature = view.vitals.get("temperature", facts.temperature)
    return facts.model_copy(update={"vitals": facts.vitals.updated(measured), "temperature": temperature})


def _measured(vitals: Mapping[str, Any]) -> Vitals:
    try:
        return Vitals.from_json({name: value for name, value in vitals.items() if name in Vitals.model_fields})
    except ValidationError:
        return Vitals()
