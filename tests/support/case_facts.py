"""Cases of patients as the knowledge base sees them."""

from hypothesis import strategies as st

from nlu.disease_model import disease_model
from nlu.facts import CaseFacts
from nlu.types import GlucoseTiming, Pregnancy, Sex, Statement, Status, SymptomMention, Vitals

SYMPTOMS = st.sampled_from(disease_model().symptoms)


def mention(name: str, status: Status = Status.POSITIVE) -> SymptomMention:
    return SymptomMention(name=name, text=name, status=status)


@st.composite
def cases(draw: st.DrawFn, values: bool = True) -> CaseFacts:
    """Any case: symptoms that are there or not, age, sex, pregnancy, known diseases, and measured values."""
    told = draw(
        st.dictionaries(SYMPTOMS, st.sampled_from([Status.POSITIVE, Status.NEGATIVE, Status.UNKNOWN]), max_size=8)
    )
    known = draw(
        st.dictionaries(st.sampled_from(disease_model().diseases[:-1]), st.sampled_from(list(Status)), max_size=3)
    )
    vitals = Vitals(
        systolic=draw(st.none() | st.integers(60, 240)),
        diastolic=draw(st.none() | st.integers(40, 140)),
        glucose=draw(st.none() | st.floats(1, 35)),
        glucose_timing=draw(st.none() | st.sampled_from(list(GlucoseTiming))),
        heart_rate=draw(st.none() | st.integers(30, 220)),
        spo2=draw(st.none() | st.integers(60, 100)),
        respiratory_rate=draw(st.none() | st.integers(8, 60)),
    )
    return CaseFacts(
        symptoms=tuple(mention(name, status) for name, status in told.items()),
        age_months=draw(st.none() | st.integers(0, 1200)),
        sex=draw(st.none() | st.sampled_from(list(Sex))),
        pregnancy=draw(st.none() | st.sampled_from(list(Status)).map(lambda status: Pregnancy(status=status))),
        diseases=tuple(Statement(name=name, text=name, status=status) for name, status in known.items()),
        temperature=draw(st.none() | st.floats(35, 42)) if values else None,
        vitals=vitals if values else Vitals(),
    )
