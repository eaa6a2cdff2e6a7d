"""How likely each disease is for a case, for doctors only: no patient ever reads anything from here.

Two opinions are pooled: the knowledge base's (``nlu.posterior``), which knows every disease of primary care, and the
trained model's (``nlu.learned_ranking``), which has seen thousands of cases of few diseases. The trained model may only
share out anew what the knowledge base gives to the diseases that both know; what that gives to all others, and to
``其他``, stays as it is. Where both have read the same, they are weighed in a log-linear pool (Genest & Zidek 1986,
Statistical Science 1(1)).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial

from data.clinical_language import clinical_language
from data.differential import differential_knowledge
from data.knowledge import knowledge_base
from nlu.directions import CHILD_BELOW_MONTHS
from nlu.disease_model import disease_model
from nlu.facts import CaseFacts
from nlu.learned_ranking import learned_ranking
from nlu.posterior import disease_posterior
from nlu.types import Relation, Status

"""The findings that the model learned from are those of children, whom paediatrics sees until fourteen."""
_COMPLAINT = 2
"""So many of the symptoms told first are why the patient came: the mean of the public sets."""
_FEVERS = ((39.1, "高热"), (38.1, "中等度热"), (37.3, "低热"))
"""Degrees of fever, axillary ℃ (诊断学, 人民卫生出版社)."""

_TEMPERATURE = 1.5
"""By how much the logarithms of the knowledge base's likelihood ratios are divided. On the training rows of mz4 and
mz10, whose diseases look much alike, 2.5 surprises least; findings that hardly another disease has must count more."""
_VOLUNTEERED = 0.5
"""How often a symptom that is there is told before anybody asks: a judgement."""
_LONG_COURSE = 0.05
"""What is left, at least, of a disease that should be over by now."""

_FINDINGS_WEIGHT = 0.9
"""On unseen cases of its diseases the trained model is right in 70 of 100 and the knowledge base in 52; that keeps a
say, for where little has been told."""
_TEXT_WEIGHT = 0.5
"""Words have as much say as findings: much of either is in the other."""

COMPLAINTS = {
    "上呼吸道感染": ("上呼吸道感染",),
    "小儿便秘": ("小儿便秘",),
    "小儿发热": ("小儿发热",),
    "小儿咳嗽": ("小儿咳嗽",),
    "小儿感冒": ("小儿感冒", "感冒"),
    "小儿支气管炎": ("小儿支气管炎", "支气管炎"),
    "小儿支气管肺炎": ("支气管肺炎", "肺炎", "支原体肺炎"),
    "小儿消化不良": ("小儿消化不良",),
    "小儿腹泻": ("小儿腹泻", "肠炎", "轮状病毒感染"),
    "新生儿黄疸": ("新生儿黄疸",),
}
"""The diseases of the knowledge base that each label of the findings' part speaks of."""

TEXTS = {
    "上呼吸道感染": ("上呼吸道感染", "感冒", "小儿感冒"),
    "过敏性鼻炎": ("过敏性鼻炎",),
    "鼻炎": ("鼻炎",),
    "肺炎": ("肺炎", "支气管肺炎", "支原体肺炎"),
    "胃炎": ("胃炎", "急性胃炎"),
    "食管炎": ("食管炎", "胃食管反流"),
    "十二指肠炎": ("十二指肠炎",),
    "急性胃肠炎": ("肠胃炎",),
    "肠炎": ("肠炎", "小儿腹泻"),
    "病毒性肝炎": ("病毒性肝炎", "乙肝"),
    "肝炎": ("肝炎",),
    "脂肪肝": ("脂肪肝",),
    "肝硬化": ("肝硬化",),
    "皮炎": ("皮炎", "湿疹"),
    "过敏性皮炎": ("过敏性皮炎",),
    "脂溢性皮炎": ("脂溢性皮炎",),
}
"""The same for the words' part; its 其他疾病或无确诊 speaks of none."""


def findings_of(facts: CaseFacts) -> dict[str, str]:
    """What the case tells, by name, with its status: symptoms, degree of fever, diseases that somebody has named."""
    found = {s.name: s.status.value for s in facts.symptoms if not s.past}
    found |= dict.fromkeys(facts.present, Status.POSITIVE.value)
    if facts.temperature is not None:
        found |= {name: Status.POSITIVE.value for least, name in _FEVERS[::-1] if facts.temperature >= least}
    return found | {disease.name: disease.status.value for disease in facts.diseases}


def disease_probabilities(facts: CaseFacts, text: str = "", complaint: Collection[str] = ()) -> dict[str, float]:
    """The probability of every disease of the knowledge base and of ``其他``, the likeliest first; sums to 1.

    ``text`` are the patient's own words, if there are any; ``complaint`` names what the patient came for, by default
    the first present symptoms.
    """
    pooled = _weighed(_tempered(disease_posterior(facts)), partial(_still_there, facts))
    pooled = _weighed(pooled, _volunteered(facts))
    learned = learned_ranking()
    findings = findings_of(facts)
    if _is_in_domain(facts, findings):
        opinion = learned.by_findings(findings, complaint or facts.present[:_COMPLAINT])
        unread = disease_posterior(_beyond_findings(facts))  # few findings: little is counted twice
        pooled = _pool(pooled, unread, _without_mix(opinion, learned.complaints), COMPLAINTS, _FINDINGS_WEIGHT)
    if text.strip():
        opinion = learned.by_text(text)
        pooled = _pool(pooled, prior_probabilities(), _without_mix(opinion, learned.texts), TEXTS, _TEXT_WEIGHT)
    return dict(sorted(pooled.items(), key=lambda pair: -pair[1]))


def _is_in_domain(facts: CaseFacts, findings: Mapping[str, str]) -> bool:
    """A child with something that the trained model knows."""
    present = [name for name, status in findings.items() if status == Status.POSITIVE]
    return _is_child(facts) and learned_ranking().knows(present) > 0


def _beyond_findings(facts: CaseFacts) -> CaseFacts:
    """What is left of the facts when all is taken away that the findings' part has read: age, sex, measured values …"""
    knows = learned_ranking().knows
    return facts.model_copy(
        update={
            "temperature": None,
            "symptoms": tuple(mention for mention in facts.symptoms if not knows((mention.name,))),
            "diseases": tuple(disease for disease in facts.diseases if not knows((disease.name,))),
        }
    )


def _is_child(facts: CaseFacts) -> bool:
    """By age; where nobody has told it, because a parent speaks of the child."""
    if facts.age_months is None:
        return facts.relation is Relation.CHILD
    return facts.age_months < CHILD_BELOW_MONTHS


def _tempered(posterior: Mapping[str, float]) -> dict[str, float]:
    """The posterior with its likelihood ratios drawn towards 1.

    The knowledge base counts findings as if each came by itself; as they do not, it is too sure (Hand & Yu 2001,
    International Statistical Review 69(3)).
    """
    prior = prior_probabilities()
    weighed = {name: prior[name] * (share / prior[name]) ** (1 / _TEMPERATURE) for name, share in posterior.items()}
    total = sum(weighed.values())
    return {name: share / total for name, share in weighed.items()}


def _weighed(known: Mapping[str, float], factor: Callable[[str], float]) -> dict[str, float]:
    weighed = {name: share * factor(name) for name, share in known.items()}
    total = sum(weighed.values())
    return {name: share / total for name, share in weighed.items()}


def _still_there(facts: CaseFacts, name: str) -> float:
    """Less than 1 for what would be over by now: a cold hardly lasts a month."""
    usual = _usual_days().get(name)
    if usual is None or facts.duration is None or facts.duration.days <= usual:
        return 1.0
    return max(_LONG_COURSE, (usual / facts.duration.days) ** 2)


def _volunteered(facts: CaseFacts) -> Callable[[str], float]:
    """Less than 1 for a disease whose most common symptom nobody has spoken of: who has a rash mostly says so."""
    kinds = clinical_language().kinds
    spoken = {mention.name for mention in facts.symptoms} | set(facts.present)
    spoken |= {kinds[name] for name in spoken if name in kinds}

    def factor(name: str) -> float:
        commonest = next((share for symptom, share in _symptoms().get(name, ()) if symptom not in spoken), 0.0)
        return 1 - _VOLUNTEERED * commonest

    return factor


def _without_mix(opinion: Mapping[str, float], mix: Mapping[str, float]) -> dict[str, float]:
    """How much likelier each label has become: how often the public sets hold it is not how often a clinic sees it.

    The correction for another mix of cases (Saerens et al. 2002, Neural Computation 14(1)).
    """
    return {label: share / mix[label] for label, share in opinion.items()}


def _pool(
    known: Mapping[str, float],
    before: Mapping[str, float],
    ratios: Mapping[str, float],
    speaks_of: Mapping[str, Sequence[str]],
    weight: float,
) -> dict[str, float]:
    """``known`` with the share of the diseases that ``ratios`` speak of given out anew among them.

    A label's score is known^(1−w) · (ratio · before)^w, where ``before`` is what holds without that which the ratios
    come from. Where one label speaks of several diseases, they keep their proportions.
    """
    groups = {label: [name for name in names if known.get(name, 0.0) > 0] for label, names in speaks_of.items()}
    shares = {label: sum(known[name] for name in names) for label, names in groups.items() if names}
    told = {label: ratios[label] * sum(before[name] for name in groups[label]) for label in shares}
    scores = {label: share ** (1 - weight) * told[label] ** weight for label, share in shares.items()}
    whole, total = sum(shares.values()), sum(scores.values())
    if total <= 0:
        return dict(known)
    pooled = dict(known)
    for label, share in shares.items():
        for name in groups[label]:
            pooled[name] = known[name] / share * whole * scores[label] / total
    return pooled


@cache
def prior_probabilities() -> Mapping[str, float]:
    """The probability of every disease before anything is known of the patient."""
    model = disease_model()
    return dict(zip(model.diseases, model.prior.tolist(), strict=True))


@cache
def _symptoms() -> dict[str, tuple[tuple[str, float], ...]]:
    """The symptoms of each disease with their shares, the most common first."""
    return {
        disease.name: tuple(sorted(disease.symptoms.items(), key=lambda pair: -pair[1])) for disease in knowledge_base()
    }


@cache
def _usual_days() -> dict[str, int]:
    return {name: course.days for course in differential_knowledge().lasts for name in course.diseases}
