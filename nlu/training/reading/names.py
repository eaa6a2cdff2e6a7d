"""What the labels of the training set are called in the product."""

from data.clinical_language import ClinicalLanguage, clinical_language

_OWN = {
    "出汉": "出汗",
    "发": "发烧",
    "呼吸深快": "呼吸困难",
    "大便隐血": "便血",
    "粥样便": "腹泻",
    "腹胀症": "腹胀",
    "病毒性肠炎": "肠炎",
    "细菌性肠炎": "肠炎",
    "肠胃型感冒": "感冒",
}
"""Labels that no word of ours has: slips of the pen, and terms that only a report uses."""

_NO_SYMPTOM = {"退热"}
"""That a fever is gone is no symptom: the rules say what it means for the fever."""


def symptom_names(labels: list[str], language: ClinicalLanguage | None = None) -> dict[str, str]:
    """For each label that is a symptom or sign: its name in ``data/nlu/symptoms.json``; diseases have none."""
    words = {
        word: row.name
        for row in (language or clinical_language()).symptoms
        for word in (*row.synonyms, row.record, row.name)
        if word
    }
    return {
        label: words[_OWN.get(label, label)]
        for label in labels
        if _OWN.get(label, label) in words and label not in _NO_SYMPTOM
    }


def terms(language: ClinicalLanguage | None = None) -> dict[str, int]:
    """The words of the product's lexicon of symptoms and diseases, with a number of what each means."""
    language = language or clinical_language()
    numbers: dict[str, int] = {}
    for number, row in enumerate((*language.symptoms, *language.diseases), start=1):
        for word in (row.name, *row.synonyms):
            numbers.setdefault(word.lower(), number)
    return numbers
