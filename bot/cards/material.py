"""Everything that was gathered for a case beside its record: pictures, and what the expert asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.consultation.views import SupplementView
from backend.security.policy import Actor

if TYPE_CHECKING:
    from backend.consultation.service import ConsultationService


@dataclass(frozen=True)
class Enclosure:
    """A file with the words that came with it."""

    file_id: str
    note: str


@dataclass(frozen=True)
class Material:
    """Files in the order in which they came, and the expert's requests with their answers."""

    enclosures: tuple[Enclosure, ...]
    supplements: tuple[SupplementView, ...]

    @property
    def is_waiting(self) -> bool:
        """Whether the expert waits for an answer."""
        return any(one.answered_at is None for one in self.supplements)


async def gather(consultations: "ConsultationService", actor: Actor, consultation_id: str) -> Material:
    """Read the material of a case as `actor`; errors are those of the service."""
    attachments = await consultations.attachments(actor, consultation_id)
    supplements = await consultations.supplements(actor, consultation_id)
    files = {one.file_id: Enclosure(one.file_id, one.note) for one in attachments}
    for supplement in supplements:
        for file_id in supplement.file_ids:
            files.setdefault(file_id, Enclosure(file_id, f"补充：{supplement.text}"))
    return Material(tuple(files.values()), tuple(supplements))


def supplement_lines(material: Material) -> list[str]:
    """Say what was asked for and what came, one request a line."""
    said = []
    for one in material.supplements:
        files = f"图片{len(one.file_ids)}张" if one.file_ids else ""
        answer = "，".join(part for part in (one.answer, files) if part)
        said.append(f"补充资料（{one.text}）：{answer if one.answered_at else '等医生补充'}")
    return said
