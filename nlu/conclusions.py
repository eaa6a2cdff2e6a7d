"""What is made of the facts of a case: how urgent it is, who should see it, what a doctor may think of, its record."""

from pydantic import Field

from nlu.types import Model


class Urgency(Model):
    """Triage level 1 (危急), 2 (急重), 3 (急症) or 4 (亚急症或非急症): name and reasons."""

    level: int = Field(ge=1, le=4)
    name: str
    reasons: tuple[str, ...]


class DepartmentSuggestion(Model):
    """A department code of ``data/departments.json`` with its share of the evidence (0–1) and the reason in Chinese."""

    code: str
    weight: float
    reason: str


class DiseaseSuggestion(Model):
    """A disease that a doctor may think of, never shown to a patient.

    ``probability`` is calibrated (0–1); ``supporting`` and ``opposing`` are findings in Chinese words, ``ask`` symptoms
    that nobody has asked for yet, ``examine`` what to look at or measure next; ``exclude`` marks what must not be
    missed.
    """

    name: str
    icd10: str
    probability: float = Field(ge=0, le=1)
    supporting: tuple[str, ...] = ()
    opposing: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    examine: tuple[str, ...] = ()
    exclude: bool = False


class OutpatientRecord(Model):
    """The sections of a Chinese outpatient record that a patient can give (病历书写基本规范, 2010, 第十三条)."""

    personal: str
    chief_complaint: str
    present_illness: str
    past_history: str
    allergy_history: str
    medication: str

    def as_text(self) -> str:
        """The record as the lines that a person reads."""
        sections = (
            ("一般情况", self.personal),
            ("主诉", self.chief_complaint),
            ("现病史", self.present_illness),
            ("既往史", self.past_history),
            ("过敏史", self.allergy_history),
            ("用药", self.medication),
        )
        return "\n".join(f"{title}：{body}" for title, body in sections if body)
