"""Which published cases fit terms best, in a library that is too large to score every case that has one of them.

Candidates come first: cases that have all the terms that are looked for, then those in which the weightiest terms stand
most (champion lists; Manning, Raghavan and Schütze, "Introduction to Information Retrieval", section 7.1.3). These are
then scored by all the terms.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy import case as sql_case
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.teaching_cases.desk import LibraryDesk
from backend.teaching_cases.rules import CaseState
from backend.teaching_cases.tables import TeachingCase, TeachingTerm
from backend.teaching_cases.terms import ICD, SIGN, rarity

MOST_TERMS = 25
"""By how many terms cases are compared; the others weigh too little to change much."""

_CHAMPIONS, _CANDIDATES = 300, 800
_COMMON = 1000
_COUNTED_ANEW = timedelta(hours=1)
# How much a shared code, category, block, chapter and sign weigh beside words, as multiples of their rarity.
_WEIGHTS = {ICD: 2.0, SIGN: 1.5}
_ALL = ""


class Ranking(LibraryDesk):
    """The part of `TeachingCaseService` that puts cases in order."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        # Of terms that many cases have, and of all cases: what takes long to count changes slowly.
        self._common: dict[str, tuple[int, datetime]] = {}

    async def _best(
        self,
        session: AsyncSession,
        terms: Collection[str],
        *,
        together: bool,
        filters: Collection[str] = (),
        limit: int,
        offset: int = 0,
        but: str = "",
    ) -> list[TeachingCase]:
        """Give the cases that fit `terms` best, the latest first among equals.

        Args:
            together: cases that have all the terms are looked for first.
            filters: terms that each case has to have.
            but: a consultation whose own case is left out.
        """
        weights = await self._weights(session, terms)
        found = await self._candidates(session, weights, filters, together=together, least=limit + offset)
        if not found:
            return []
        weight = sql_case(weights, value=TeachingTerm.term, else_=0.0)
        score = func.sum(weight * TeachingTerm.impact).label("score")
        scores = (
            select(TeachingTerm.case_id, score)
            .where(TeachingTerm.term.in_(weights), TeachingTerm.case_id.in_(found))
            .group_by(TeachingTerm.case_id)
            .subquery()
        )
        query = (
            select(TeachingCase)
            .join(scores, scores.c.case_id == TeachingCase.id)
            .where(TeachingCase.state == CaseState.PUBLISHED, TeachingCase.consultation_id != but)
            .order_by(scores.c.score.desc(), TeachingCase.published_at.desc(), TeachingCase.id.desc())
        )
        return list(await session.scalars(query.limit(limit).offset(offset)))

    async def _weights(self, session: AsyncSession, terms: Collection[str]) -> dict[str, float]:
        """Give the weightiest of the terms that any case has, and their weights, the weightiest first."""
        counts = await self._counts(session, {*terms, _ALL})
        documents = counts.pop(_ALL, 0)
        weights = {term: rarity(documents, count) * _kind(term) for term, count in counts.items()}
        heaviest = sorted(weights, key=lambda term: (-weights[term], term))[:MOST_TERMS]
        return {term: weights[term] for term in heaviest}

    async def _counts(self, session: AsyncSession, terms: Iterable[str]) -> dict[str, int]:
        """Give how many cases have each of the terms, those that any has; for `_ALL` how many there are."""
        now = self._clock.now()
        self._common = {term: held for term, held in self._common.items() if held[1] > now}
        counts = {term: self._common[term][0] for term in terms if term in self._common}
        missing = set(terms) - set(counts)
        if _ALL in missing:
            published = select(func.count()).where(TeachingCase.state == CaseState.PUBLISHED)
            counts[_ALL] = await session.scalar(published) or 0
        holding = select(TeachingTerm.term, func.count()).where(TeachingTerm.term.in_(missing))
        counts |= dict((await session.execute(holding.group_by(TeachingTerm.term))).all())
        until = now + _COUNTED_ANEW
        self._common |= {term: (counts[term], until) for term in missing if counts.get(term, 0) >= _COMMON}
        return counts

    async def _candidates(
        self,
        session: AsyncSession,
        weights: Mapping[str, float],
        filters: Collection[str],
        *,
        together: bool,
        least: int,
    ) -> list[str]:
        """Give cases that may fit best; the terms are the weightiest first."""
        terms, most = list(weights), max(_CHAMPIONS, least)
        lists: list[tuple[str, Collection[str]]] = [(term, filters) for term in terms]
        if together and len(terms) > 1:
            lists.insert(0, (terms[0], [*terms[1:], *filters]))
        found: dict[str, None] = {}
        for term, others in lists:
            found |= dict.fromkeys(await session.scalars(_champions(term, others).limit(most)))
            if len(found) >= max(_CANDIDATES, least):
                break
        return list(found)


def _champions(term: str, others: Iterable[str]) -> Select[str]:
    """The cases in which a term stands most, of those that have the other terms too."""
    query = select(TeachingTerm.case_id).where(TeachingTerm.term == term).order_by(TeachingTerm.impact.desc())
    for other in others:
        held = aliased(TeachingTerm)
        query = query.where(
            select(held.case_id).where(held.term == other, held.case_id == TeachingTerm.case_id).exists()
        )
    return query


def _kind(term: str) -> float:
    return next((weight for mark, weight in _WEIGHTS.items() if term.startswith(mark)), 1.0)
