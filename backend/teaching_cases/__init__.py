"""The case library: finished consultations, made anonymous and reviewed, from which doctors learn."""

from backend.teaching_cases.rules import SECTIONS, CaseState, QuestionText, Tag, year_of
from backend.teaching_cases.service import TeachingCaseService
from backend.teaching_cases.views import (
    Answered,
    Content,
    Points,
    Published,
    Question,
    Reviewed,
    ReviewedPage,
    Similar,
    Taken,
)

__all__ = [
    "SECTIONS",
    "Answered",
    "CaseState",
    "Content",
    "Points",
    "Published",
    "Question",
    "QuestionText",
    "Reviewed",
    "ReviewedPage",
    "Similar",
    "Tag",
    "Taken",
    "TeachingCaseService",
    "year_of",
]
