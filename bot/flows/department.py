"""Which of two departments: asked in plain words where the facts leave it open, never where it would delay help."""

from bot.dialogue import Turn
from bot.flows.intake_state import Intake
from bot.messages import Choice, Menu
from data.clinical_language import clinical_language
from data.departments import departments
from nlu.triage import assess_urgency, is_unsure, suggest_department

_ACTION = "patient.department"
_NOT_SURE = "auto"
_EXAMPLES = 4
_PATIENT_CAN_WAIT = 3
"""The triage level from which a question more does no harm."""


def departments_to_choose(intake: Intake) -> tuple[str, ...]:
    """The two likeliest departments where it is open which of them sees the case; empty where nothing is to be asked.

    Nobody is asked whose case is urgent, nor where general practice is one of the two: it sees everything.
    """
    suggestions = suggest_department(intake.facts)
    codes = tuple(suggestion.code for suggestion in suggestions[:2])
    if not is_unsure(suggestions) or len(codes) < 2 or "general_practice" in codes:
        return ()
    return codes if assess_urgency(intake.facts, intake.flags).level >= _PATIENT_CAN_WAIT else ()


def ask_department(turn: Turn, institution_id: str, codes: tuple[str, ...]) -> None:
    """Show both departments with what they see; a tap comes back with the institution that was chosen before."""
    lines = [f"· {departments()[code].name}{_sees(code)}" for code in codes]
    choices = [Choice(f"{_ACTION}:{institution_id}.{code}", departments()[code].name) for code in codes]
    turn.say(
        Menu(
            "\n".join(("还差一步：您的情况更像下面哪一种？", *lines)),
            (*choices, Choice(f"{_ACTION}:{institution_id}.{_NOT_SURE}", "说不准")),
        )
    )


def _sees(code: str) -> str:
    """What the department sees, in the words of complaints: a patient is told no disease, not even as an example."""
    diseases = [name for row in clinical_language().diseases for name in (row.name, *row.synonyms)]
    complaints = [word for word in departments()[code].keywords if not any(name in word for name in diseases)]
    return f"：看{'、'.join(complaints[:_EXAMPLES])}" if complaints else ""


def chosen_department(argument: str) -> tuple[str, str | None]:
    """The institution's id and the department of a tapped answer; no department where the patient could not say."""
    institution_id, _, code = argument.rpartition(".")
    return institution_id, code if code in departments() else None


def named_department(text: str, codes: tuple[str, ...]) -> str | None:
    """The department among ``codes`` that the words name ("看消化科吧"), if exactly one."""
    found = [
        code for code in codes if any(name in text for name in (departments()[code].name, *departments()[code].aliases))
    ]
    return found[0] if len(found) == 1 else None
