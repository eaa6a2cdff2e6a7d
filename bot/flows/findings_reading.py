"""What a doctor's line of vital signs and findings holds; what cannot be is refused before it is kept. Pure."""

import re
from dataclasses import dataclass

from backend.consultation.vitals import check_vitals
from backend.errors import InvalidInput
from bot.flows.measured import MEASURES
from nlu.types import Understanding


@dataclass(frozen=True)
class Reading:
    """A line as understood: vital signs by their codes, and the findings in words."""

    vitals: dict[str, float | str]
    findings: str


def read_findings(said: Understanding) -> Reading:
    """Give the vital signs and findings in what a doctor said.

    Raises:
        InvalidInput: a value that cannot be, or one that was written and not understood: it must not vanish silently.
    """
    measured = said.vitals.model_dump(mode="json", exclude_none=True)
    vitals = check_vitals({"temperature": said.temperature, **measured})
    findings = said.text
    for measure in MEASURES:
        found = measure.written.search(findings)
        if found is None:
            continue
        if not any(code in vitals for code in measure.codes):
            raise InvalidInput(f"“{found.group().strip()}”没有看明白，或者数值不合常理，请核对后整条重新发一次。")
        findings = findings[: found.start()] + "，" + findings[found.end() :]
    return Reading(vitals, _tidy(findings))


def _tidy(findings: str) -> str:
    parts = (part.strip() for part in re.split(r"[，,；;。\n]+", findings))
    return "，".join(part for part in parts if re.search(r"\w", part))
