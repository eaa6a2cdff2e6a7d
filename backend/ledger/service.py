"""The ledger: double entry, append-only. What is in it happened; a balance is the sum of its lines and nothing else."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.clock import Clock
from backend.db import Database
from backend.ledger.rules import BadPosting, Line, checked, reversed_lines
from backend.ledger.tables import LineRow, PostingRow

_BATCH = 500
_COLUMNS = (
    PostingRow.id,
    PostingRow.key,
    PostingRow.kind,
    PostingRow.subject,
    PostingRow.corrects,
    PostingRow.at,
)
_MERGED = 5_000  # each part sorts what is left of the day, so that few are better


@dataclass(frozen=True)
class Posting:
    """A posting as it is kept.

    Args:
        key: of the step that caused it; subject: what it is about ("charge:ID"); corrects: the posting it takes back.
    """

    id: int
    key: str
    kind: str
    subject: str
    corrects: int | None
    at: datetime
    lines: tuple[Line, ...]


class LedgerService:
    """Posts and adds up. It asks no policy: it is called by subjects that did, and holds nobody's name."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def post(self, key: str, kind: str, subject: str, lines: Sequence[Line]) -> Posting:
        """Write down what happened, in the caller's transaction if there is one; the same key again changes nothing.

        Raises:
            BadPosting: the lines are none (`rules.checked`), or the key was used for something else.
        """
        return await self._post(key, kind, subject, checked(lines), None)

    async def reverse(self, key: str, kind: str, posting: Posting) -> Posting:
        """Take a posting back with another one that names it; once, whatever the key.

        Raises:
            BadPosting: it was taken back under another key.
        """
        return await self._post(key, kind, posting.subject, reversed_lines(posting.lines), posting.id)

    async def _post(self, key: str, kind: str, subject: str, lines: tuple[Line, ...], corrects: int | None) -> Posting:
        async with self._database.transaction() as session:
            row = PostingRow(key=key, kind=kind, subject=subject, corrects=corrects, at=self._clock.now())
            try:
                async with session.begin_nested():
                    session.add(row)
                    await session.flush()
                    session.add_all(
                        LineRow(posting_id=row.id, position=number, account=line.account, amount=line.amount)
                        for number, line in enumerate(lines)
                    )
            except IntegrityError:
                return await self._same(session, key, kind, subject, lines)
            return _posting(row, lines)

    async def _same(self, session: AsyncSession, key: str, kind: str, subject: str, lines: tuple[Line, ...]) -> Posting:
        """Give the posting that this key made earlier. Raises BadPosting where that was another one, or where another
        key has taken back what this one would."""
        row = (await session.scalars(select(PostingRow).where(PostingRow.key == key))).one_or_none()
        if row is None:
            raise BadPosting("what is to be taken back was taken back already")
        [earlier] = await self._with_lines(session, [row])
        if (earlier.kind, earlier.subject, earlier.lines) != (kind, subject, lines):
            raise BadPosting(f"key {key!r} was used for another posting")
        return earlier

    async def of(self, subject: str) -> list[Posting]:
        """Give what is posted about a subject, in order."""
        async with self._database.reading() as session:
            query = select(PostingRow).where(PostingRow.subject == subject).order_by(PostingRow.id)
            return await self._with_lines(session, (await session.scalars(query)).all())

    async def since(self, posting_id: int = 0) -> AsyncIterator[Posting]:
        """Give every posting after one, in order, without holding them all."""
        while True:
            async with self._database.reading() as session:
                query = select(PostingRow).where(PostingRow.id > posting_id).order_by(PostingRow.id).limit(_BATCH)
                postings = await self._with_lines(session, (await session.scalars(query)).all())
            for posting in postings:
                yield posting
            if len(postings) < _BATCH:
                return
            posting_id = postings[-1].id

    async def by_key(self, key: str) -> Posting | None:
        """Give the posting that was made under a key."""
        async with self._database.reading() as session:
            rows = (await session.scalars(select(PostingRow).where(PostingRow.key == key))).all()
            return next(iter(await self._with_lines(session, rows)), None)

    async def between(
        self, kinds: Collection[str], since: datetime, until: datetime, *, standing: bool = False
    ) -> AsyncIterator[Posting]:
        """Give the postings of some kinds made in [`since`, `until`), ordered by what follows the colon of their keys
        and without holding them all.

        Args:
            standing: leave out what was taken back.
        """
        number, last = func.substr(PostingRow.key, func.instr(PostingRow.key, ":") + 1), ""
        query = select(*_COLUMNS).where(PostingRow.kind.in_(kinds), PostingRow.at >= since, PostingRow.at < until)
        if standing:
            later = aliased(PostingRow)
            query = query.where(~exists().where(later.corrects == PostingRow.id))
        while True:
            async with self._database.reading() as session:
                rows = (await session.execute(query.where(number > last).order_by(number).limit(_MERGED))).all()
                postings = await self._with_lines(session, rows)
            for posting in postings:
                yield posting
            if len(postings) < _MERGED:
                return
            last = postings[-1].key.partition(":")[2]

    async def summed(
        self, kind: str, since: datetime, until: datetime, *, by: str, having: Collection[str]
    ) -> dict[str, dict[str, tuple[int, int]]]:
        """Add up the standing postings of a kind made in [`since`, `until`): for each account that begins with `by`,
        how many lines of each account its postings have, and what these come to.

        Args:
            having: only postings with a line of one of these accounts.
        """
        group, part, later = aliased(LineRow), aliased(LineRow), aliased(PostingRow)
        query = (
            select(group.account, LineRow.account, func.count(), func.sum(LineRow.amount))
            .join(PostingRow, PostingRow.id == LineRow.posting_id)
            .join(group, (group.posting_id == LineRow.posting_id) & group.account.startswith(by, autoescape=True))
            .where(PostingRow.kind == kind, PostingRow.at >= since, PostingRow.at < until)
            .where(~exists().where(later.corrects == PostingRow.id))
            .where(exists().where(part.posting_id == PostingRow.id, part.account.in_(having)))
            .group_by(group.account, LineRow.account)
        )
        found: dict[str, dict[str, tuple[int, int]]] = {}
        async with self._database.reading() as session:
            for named, account, count, amount in await session.execute(query):
                found.setdefault(named, {})[account] = (int(count), int(amount))
        return found

    async def balance(self, account: str, *, subject: str | None = None) -> int:
        """Give what an account has received less what it gave, in fen; of one subject where it is named."""
        query = select(func.coalesce(func.sum(LineRow.amount), 0)).where(LineRow.account == account)
        if subject is not None:
            query = query.join(PostingRow, PostingRow.id == LineRow.posting_id).where(PostingRow.subject == subject)
        async with self._database.reading() as session:
            return int(await session.scalar(query) or 0)

    async def balances(self) -> dict[str, int]:
        """Give the balance of every account; they sum to zero, or somebody has changed the tables."""
        query = select(LineRow.account, func.sum(LineRow.amount)).group_by(LineRow.account)
        async with self._database.reading() as session:
            return {account: int(amount) for account, amount in await session.execute(query)}

    async def balances_of(self, subjects: Select[str]) -> dict[str, int]:
        """Give the balance of every account in what is posted about the subjects that a query names."""
        query = select(LineRow.account, func.sum(LineRow.amount)).join(PostingRow, PostingRow.id == LineRow.posting_id)
        query = query.where(PostingRow.subject.in_(subjects)).group_by(LineRow.account)
        async with self._database.reading() as session:
            return {account: int(amount) for account, amount in await session.execute(query)}

    async def unbalanced(self) -> list[int]:
        """Give the postings whose lines do not sum to zero: none, unless somebody has changed the tables."""
        query = select(LineRow.posting_id).group_by(LineRow.posting_id).having(func.sum(LineRow.amount) != 0)
        async with self._database.reading() as session:
            return list(await session.scalars(query))

    async def _with_lines(self, session: AsyncSession, rows: Sequence[Any]) -> list[Posting]:
        ids = [row.id for row in rows]
        query = select(LineRow.posting_id, LineRow.account, LineRow.amount).where(LineRow.posting_id.in_(ids))
        lines: dict[int, list[Line]] = {identifier: [] for identifier in ids}
        for posting_id, account, amount in await session.execute(query.order_by(LineRow.posting_id, LineRow.position)):
            lines[posting_id].append(Line(account, amount))
        return [_posting(row, tuple(lines[row.id])) for row in rows]


def _posting(row: Any, lines: tuple[Line, ...]) -> Posting:
    return Posting(row.id, row.key, row.kind, row.subject, row.corrects, row.at, lines)
