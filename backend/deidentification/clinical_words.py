"""Words of medicine, which no recogniser may take for a person or a place: 帕金森 is a disease, 阿莫西林 no village."""

from collections.abc import Iterator
from functools import cache

from data.clinical_language import clinical_language
from data.departments import departments
from data.drugs import reference
from data.icd10 import diseases
from data.naming import naming


@cache
def clinical_words() -> frozenset[str]:
    """Give the words: symptoms, parts of the body, diseases, medicines, examinations, and signs that bear a name."""
    return frozenset(word for word in (*naming().not_names, *_of_reference()) if len(word) > 1)


def _of_reference() -> Iterator[str]:
    language = clinical_language()
    for symptom in language.symptoms:
        yield from (symptom.name, *symptom.synonyms)
    for part in language.anatomy.parts:
        yield from (part.name, *part.synonyms)
    for sensation in language.anatomy.sensations:
        yield from (sensation.name, *sensation.synonyms)
    for disease in (*language.diseases, *language.findings):
        yield from (disease.name, *disease.synonyms)
    for thing in (*language.drugs, *language.examinations, *language.operations, *language.treatments):
        yield from (thing.name, *thing.synonyms)
    for coded in diseases():
        yield from (coded.name, *coded.aliases)
    for department in departments().values():
        yield department.name
    for medicine in reference().medicines.values():
        yield medicine.name
