"""Which diseases a doctor may think of, what speaks for and against each, and what to ask and examine next.

For doctors only: no patient ever reads anything from here. It is a hint and no verdict.
"""

from collections.abc import Mapping
from functools import cache

from data.clinical_language import clinical_language
from data.differential import differential_knowledge
from data.diseases import Disease
from data.knowledge import knowledge_base
from nlu.conclusions import DiseaseSuggestion
from nlu.disease_evidence import explain
from nlu.disease_model import OTHER
from nlu.disease_probability import disease_probabilities, prior_probabilities
from nlu.facts import CaseFacts
from nlu.learned_ranking import learned_ranking
from nlu.red_flags import assess_red_flags
from nlu.summary import record_term
from nlu.types import Vitals
from nlu.vital_evidence import measured_signs

MOST_LISTED = 3
MOST_EXCLUDED = 3
_LEAST = 0.05
"""What is less likely than this is not listed among the likeliest."""
_EXCLUDE_FROM = 0.01
_RAISED = 3.0
"""What must not be missed is named from one case in a hundred on, if the findings make it so much likelier."""
_FLAGGED_FROM = 0.002
"""It is named from here on where the case shows one of its danger signs."""
_COMMON_SHARE = 0.5
_MOST_WORDS = 3


def rank_diseases(facts: CaseFacts, text: str = "") -> list[DiseaseSuggestion]:
    """The likeliest diseases, at most three, and after them at most three others that must not be missed.

    ``text`` are the patient's own words, if there are any. Empty where nothing is known that tells diseases apart. What
    the probabilities do not add up to 1 is for ``其他`` and for what is not listed.
    """
    if not _tells_anything(facts):
        return []
    probabilities = disease_probabilities(facts, text)
    likeliest = [name for name, share in probabilities.items() if name != OTHER and share >= _LEAST][:MOST_LISTED]
    dangerous = _must_exclude(facts, probabilities)
    others = [name for name in dangerous if name not in likeliest][:MOST_EXCLUDED]
    return [_suggestion(name, probabilities[name], facts, name in dangerous) for name in (*likeliest, *others)]


def prepare() -> None:
    """Load what the ranking needs, some tenths of a second, so that no doctor waits for it.

    Raises ``ModelError`` where the trained model cannot be used, ``DataError`` where the reference data cannot.
    """
    learned_ranking()
    differential_knowledge()
    prior_probabilities()
    _diseases()


def _tells_anything(facts: CaseFacts) -> bool:
    return bool(facts.present) or facts.vitals != Vitals() or facts.temperature is not None


def _must_exclude(facts: CaseFacts, probabilities: Mapping[str, float]) -> list[str]:
    """What must not be missed and has something for it, the likeliest first."""
    flags = {flag.code for flag in assess_red_flags(facts)}
    prior = prior_probabilities()
    dangerous = set(differential_knowledge().must_exclude)
    found = []
    for name, share in probabilities.items():
        if name in dangerous:
            raised = share >= _EXCLUDE_FROM and share >= _RAISED * prior[name]
            flagged = share >= _FLAGGED_FROM and bool(flags & set(_disease(name).red_flags))
            if raised or flagged:
                found.append(name)
    return found


def _suggestion(name: str, probability: float, facts: CaseFacts, exclude: bool) -> DiseaseSuggestion:
    disease = _disease(name)
    supporting, opposing = explain(name, facts)
    return DiseaseSuggestion(
        name=name,
        icd10=disease.icd10,
        probability=min(max(probability, 0.0), 1.0),
        supporting=supporting[:_MOST_WORDS],
        opposing=opposing[:_MOST_WORDS],
        ask=_unasked(disease, facts),
        examine=disease.examine[:_MOST_WORDS],
        exclude=exclude,
    )


def _unasked(disease: Disease, facts: CaseFacts) -> tuple[str, ...]:
    """Symptoms that at least half of the patients have and nobody has spoken of, the most common first."""
    kinds = clinical_language().kinds
    known = {mention.name for mention in facts.symptoms} | set(facts.present) | set(measured_signs(facts))
    known |= {kinds[name] for name in known if name in kinds}
    common = sorted(disease.symptoms.items(), key=lambda pair: -pair[1])
    names = [name for name, share in common if share >= _COMMON_SHARE and name not in known]
    return tuple(record_term(name) for name in names)[:_MOST_WORDS]


@cache
def _diseases() -> dict[str, Disease]:
    return {disease.name: disease for disease in knowledge_base()}


def _disease(name: str) -> Disease:
    return _diseases()[name]
