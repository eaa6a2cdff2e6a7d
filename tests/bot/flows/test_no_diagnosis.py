"""The bot never tells a patient a diagnosis: not in any sentence it has, and not in any it makes."""

import ast
from pathlib import Path

import pytest

import bot.flows
from data.clinical_language import clinical_language
from data.questions import questions
from data.red_flags import red_flags
from nlu.facts import CaseFacts
from nlu.summary import summarise
from nlu.types import Intent, Status, SymptomMention, Understanding
from nlu.wording import patient_word
from tests.bot.flows.diagnosis import diseases_in

FOLDER = Path(bot.flows.__file__).parent


def test_the_check_itself_sees_a_diagnosis() -> None:
    assert diseases_in("您这是肺炎，要住院。") == {"肺炎"}
    assert diseases_in(f"{patient_word(CaseFacts())}多休息。") == set()


def _modules_of_patients() -> list[str]:
    """The modules that patients talk to, and those of the same folder that these use."""
    found: set[str] = set()
    waiting = [module.__name__.rpartition(".")[2] for module in bot.flows.PATIENT_FLOWS]
    while waiting:
        name = waiting.pop()
        if name in found or not (FOLDER / f"{name}.py").exists():
            continue
        found.add(name)
        for node in ast.walk(_tree(name)):
            if isinstance(node, ast.ImportFrom) and node.module == "bot.flows":
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting.append(node.module.removeprefix("bot.flows."))
    return sorted(found)


def _tree(module: str) -> ast.Module:
    return ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))


def test_the_helpers_of_the_conversations_are_walked_too() -> None:
    assert {"intake", "intake_questions", "record", "handover", "wording"} <= set(_modules_of_patients())


@pytest.mark.parametrize("module", _modules_of_patients())
def test_no_sentence_that_patients_hear_names_a_disease(module: str) -> None:
    tree = _tree(module)
    sentences = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert {sentence: found for sentence in sentences if (found := diseases_in(sentence))} == {}


def test_no_question_and_no_reason_for_it_names_a_disease_but_those_about_the_history() -> None:
    asked = [text for row in questions() for text in (row.text, row.why)]
    assert {text: found for text in asked if (found := diseases_in(text.removeprefix("{who}")))} == {}


def test_no_advice_about_danger_names_a_disease() -> None:
    assert {row.code: found for row in red_flags() if (found := diseases_in(row.advice))} == {}


@pytest.mark.parametrize("symptom", sorted(row.name for row in clinical_language().symptoms))
def test_the_record_of_any_symptom_concludes_nothing(symptom: str) -> None:
    mention = SymptomMention(name=symptom, text=symptom, status=Status.POSITIVE)
    understanding = Understanding(text=symptom, intent=Intent.DESCRIBE_SYMPTOMS, confidence=1.0, symptoms=(mention,))
    record = summarise(CaseFacts().merge(understanding)).as_text()
    assert diseases_in(record) - diseases_in(symptom) == set()
