"""Finding published cases by words, codes and tags; and those that are similar to a running one."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import ConsultationView
from backend.consultation.icd10 import disease_name
from backend.consultation.rules import require_text
from backend.errors import NotFound
from backend.security.policy import Action, Actor, require
from backend.teaching_cases.desk import published_view
from backend.teaching_cases.material import signs_of
from backend.teaching_cases.ranking import Ranking
from backend.teaching_cases.rules import CaseState, Tag, checked_codes
from backend.teaching_cases.tables import TeachingCase, TeachingTerm
from backend.teaching_cases.terms import (
    DEPARTMENT,
    ICD,
    MOST_WORDS,
    SIGN,
    TAG,
    code_terms,
    impact,
    is_word,
    length_of,
    terms_of,
    words_of,
)
from backend.teaching_cases.views import Content, Published, Similar

_LONGEST_QUERY = 200
_MOST_FOUND = 50
_MOST_SIMILAR = 3
_SHARED_WORDS = 5
_SPAN = "-"


class Searching(Ranking):
    """The part of `TeachingCaseService` about finding."""

    async def search(
        self,
        actor: Actor,
        words: str = "",
        *,
        tag: Tag | None = None,
        icd10: str = "",
        department_code: str = "",
        limit: int = 10,
        offset: int = 0,
    ) -> list[Published]:
        """Give published cases, the best fit first, the latest first where nothing is looked for in words.

        Args:
            words: in Chinese, as people write them; a case that has one of them is found.
            icd10: a code, category or span.

        Raises:
            Forbidden: the actor is no doctor, expert or administrator. InvalidInput: `icd10` is no code, or the words
                are too many.
        """
        require(actor, Action.TEACHING_READ)
        wanted = words_of(require_text(words, "要找的词", longest=_LONGEST_QUERY, required=False))[:MOST_WORDS]
        filters = {f"{TAG}{tag}" if tag else "", f"{DEPARTMENT}{department_code}" if department_code else ""}
        filters |= {f"{ICD}{code}" for code in _code(icd10)}
        async with self._database.reading() as session:
            return await self._search(session, wanted, words, filters - {""}, limit, offset)

    async def _search(
        self,
        session: AsyncSession,
        wanted: list[str],
        words: str,
        filters: Collection[str],
        limit: int,
        offset: int,
    ) -> list[Published]:
        if words.strip() and not wanted:
            return []
        if wanted:
            found = await self._best(
                session,
                set(wanted),
                together=True,
                filters=filters,
                limit=min(limit, _MOST_FOUND),
                offset=offset,
            )
            return [published_view(row) for row in found]
        query = select(TeachingCase).where(TeachingCase.state == CaseState.PUBLISHED)
        for one in filters:
            query = query.where(TeachingCase.id.in_(select(TeachingTerm.case_id).where(TeachingTerm.term == one)))
        query = query.order_by(TeachingCase.published_at.desc(), TeachingCase.id.desc())
        rows = await session.scalars(query.limit(min(limit, _MOST_FOUND)).offset(offset))
        return [published_view(row) for row in rows]

    async def read(self, actor: Actor, case_id: str) -> Published:
        """Give a published case with its questions. Raises NotFound where it is not, or not any more."""
        require(actor, Action.TEACHING_READ)
        async with self._database.transaction() as session:
            row = await self._published(session, case_id)
            # Without the patient: what is read names nobody.
            await self._audit.record(session, actor, Action.TEACHING_READ, subject=f"teaching_case:{row.id}")
            return published_view(row, await self._questions(session, row.id))

    async def find_published(self, case_id: str) -> Published | None:
        """Give a published case for a message about it; None where it is not, or not any more."""
        async with self._database.reading() as session:
            row = await session.get(TeachingCase, case_id)
            if row is None or row.state is not CaseState.PUBLISHED:
                return None
            return published_view(row, await self._questions(session, row.id))

    async def similar(self, actor: Actor, consultation_id: str) -> list[Similar]:
        """Give published cases that are similar to a consultation which the actor takes part in, and why.

        Raises:
            NotFound: there is no such consultation. Forbidden: the actor may not read what is clinical of it.
        """
        require(actor, Action.TEACHING_READ)
        view = await self._consultations.get(actor, consultation_id)
        if not view.clinical:
            raise NotFound
        words, marks = set(words_of(_told(view))[: 4 * MOST_WORDS]), _marks(view)
        async with self._database.reading() as session:
            rows = await self._best(session, {*words, *marks}, together=False, limit=_MOST_SIMILAR, but=consultation_id)
            shared = await self._shared(session, [row.id for row in rows], {*words, *marks})
        found = [Similar(published_view(row), _reasons(shared.get(row.id, ()))) for row in rows]
        return [one for one in found if one.reasons]

    async def _shared(
        self, session: AsyncSession, case_ids: Collection[str], terms: Collection[str]
    ) -> dict[str, list[str]]:
        query = select(TeachingTerm.case_id, TeachingTerm.term).where(
            TeachingTerm.case_id.in_(case_ids), TeachingTerm.term.in_(terms)
        )
        shared: dict[str, list[str]] = {}
        for case_id, term in await session.execute(query.order_by(TeachingTerm.count.desc(), TeachingTerm.term)):
            shared.setdefault(case_id, []).append(term)
        return shared


async def index(session: AsyncSession, row: TeachingCase) -> None:
    """Let a case be found by its terms, and by no old ones."""
    await forget_terms(session, row)
    terms = terms_of(Content.from_json(row.content), row.department_code)
    row.length = length_of(terms)
    session.add_all(
        TeachingTerm(term=term, case_id=row.id, count=count, impact=impact(term, count, row.length))
        for term, count in terms.items()
    )


async def forget_terms(session: AsyncSession, row: TeachingCase) -> None:
    """Let a case be found no more."""
    await session.execute(delete(TeachingTerm).where(TeachingTerm.case_id == row.id))
    row.length = 0


def _code(icd10: str) -> tuple[str, ...]:
    text = icd10.strip().upper()
    return (text,) if _SPAN in text and len(text) == len("J00-J99") else checked_codes([text])


def _told(view: ConsultationView) -> str:
    record = [value for value in view.record.values() if isinstance(value, str)]
    return "\n".join((*record, view.findings, view.question, view.disease))


def _marks(view: ConsultationView) -> set[str]:
    codes = {one for one in (view.icd10, view.opinion.icd10 if view.opinion is not None else "") if one}
    return code_terms(codes) | {f"{SIGN}{sign}" for sign in signs_of(view.facts)}


def _reasons(shared: Collection[str]) -> tuple[str, ...]:
    """Say what two cases share: the narrowest code, then signs, then words."""
    codes = [term.removeprefix(ICD) for term in shared if term.startswith(ICD)]
    signs = [term.removeprefix(SIGN) for term in shared if term.startswith(SIGN)]
    words = [term for term in shared if is_word(term) and term not in signs]
    narrowest = max((code for code in codes if _SPAN not in code), key=len, default="")
    reasons = []
    if narrowest:
        reasons.append(f"同类疾病：{' '.join(filter(None, (narrowest, disease_name(narrowest))))}")
    elif codes:
        reasons.append("属于同一大类疾病")
    if signs:
        reasons.append(f"都有：{'、'.join(signs[:_SHARED_WORDS])}")
    if words:
        reasons.append(f"都提到：{'、'.join(words[:_SHARED_WORDS])}")
    return tuple(reasons)
