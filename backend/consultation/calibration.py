"""What experts are compared by: seen, tried on past cases, published, and gone back to. Nothing clinical is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.desk import CaseDesk
from backend.consultation.rules import Status, Urgency, require_text
from backend.consultation.tables import Consultation
from backend.consultation.weights import Percentages, Standing, check_percentages, first
from backend.consultation.weights_store import ORIGINAL, WeightsVersion, published, standings_of, version_of
from backend.consultation.weights_tables import MatchingStandings, MatchingWeights
from backend.errors import Conflict, InvalidInput
from backend.people.rules import distance_km
from backend.security.policy import Action, Actor, require

MOST_TRIED = 500
_LONGEST_HISTORY = 50


class WeightsChanged(Conflict):
    """Somebody else has published since the weights were read."""

    code = "weights_changed"
    sentence = "别人刚刚发布了新的权重。您的草稿还没有发布，请先看看现在的权重再决定。"


@dataclass(frozen=True)
class Means:
    """What the experts who come first have in common, on average; None where nothing is known.

    Args:
        distance_km: between the institution that asks and theirs.
        wait_minutes: until they have time.
        running: consultations in their hands.
    """

    distance_km: float | None
    wait_minutes: float | None
    running: float | None


@dataclass(frozen=True)
class ChangedChoice:
    """A past case in which somebody else would have been asked first."""

    consultation_id: str
    number: str
    urgency: Urgency
    before: str
    after: str


@dataclass(frozen=True)
class Trial:
    """Past cases under the weights that hold, and under others.

    Args:
        cases: how many were compared, by urgency. changed: in how many somebody else would have been asked first.
        choices: those cases, the latest first.
    """

    cases: dict[Urgency, int]
    changed: dict[Urgency, int]
    before: Means
    after: Means
    choices: list[ChangedChoice]


@dataclass(frozen=True)
class _Past:
    case: Consultation
    before: Standing
    after: Standing


class Calibration(CaseDesk):
    """The part of `ConsultationService` about the weights of the matching."""

    async def weights(self, actor: Actor) -> list[WeightsVersion]:
        """Give the versions of the weights, the one that holds now first, the original last.

        Raises:
            Forbidden: the actor does not steer the matching.
        """
        require(actor, Action.MATCHING_STEER)
        query = select(MatchingWeights).order_by(MatchingWeights.version.desc()).limit(_LONGEST_HISTORY)
        async with self._database.reading() as session:
            return [*(version_of(row) for row in await session.scalars(query)), ORIGINAL]

    async def try_weights(self, actor: Actor, percentages: Percentages, count: int = 100) -> Trial:
        """Say who would have been asked first in the last `count` finished cases; nothing is changed.

        How the experts stood is what was written down when each search began; cases from before that are left out.

        Raises:
            InvalidInput: the percentages cannot be (see `weights.check_percentages`).
        """
        require(actor, Action.MATCHING_STEER)
        wanted = check_percentages(percentages)
        query = (
            select(Consultation, MatchingStandings.standings)
            .join(MatchingStandings, MatchingStandings.consultation_id == Consultation.id)
            .where(Consultation.status == Status.COMPLETED)
            .order_by(Consultation.opened_at.desc(), Consultation.id.desc())
            .limit(min(max(count, 1), MOST_TRIED))
        )
        async with self._database.transaction() as session:
            holding = (await published(session)).weights
            past = []
            for case, held in await session.execute(query):
                found = standings_of(held)
                before, after = (first(found, case.urgency, weights) for weights in (holding, wanted))
                if before is not None and after is not None:
                    past.append(_Past(case, before, after))
            await self._audit.record(session, actor, Action.MATCHING_STEER, subject=f"trial:{len(past)}")
        return await self._trial(past)

    async def publish_weights(
        self, actor: Actor, percentages: Percentages, *, seen: int, reason: str
    ) -> WeightsVersion:
        """Let these weights hold from now on, for every search that begins or goes on.

        Args:
            seen: the version that held when they were drafted.
            reason: why, at most 200 characters; kept with the version.

        Raises:
            InvalidInput: the percentages cannot be, they are those that hold, or no reason is given.
            WeightsChanged: another version has been published meanwhile.
        """
        require(actor, Action.MATCHING_STEER)
        check_percentages(percentages)
        why = require_text(reason, "发布原因", longest=200)
        async with self._database.transaction() as session:
            holding = await published(session)
            if holding.version != seen:
                raise WeightsChanged
            if holding.percentages == percentages:
                raise InvalidInput("这和现在的权重一样，不用发布。")
            row = MatchingWeights(
                version=seen + 1,
                percentages={urgency: dict(held) for urgency, held in percentages.items()},
                reason=why,
                published_by=actor.person_id,
                published_at=self._clock.now(),
            )
            await _insert(session, row)
            await self._audit.record(
                session, actor, Action.MATCHING_STEER, subject=f"weights:{row.version}", reason=why
            )
            return version_of(row)

    # inside

    async def _trial(self, past: Sequence[_Past]) -> Trial:
        experts = {one.expert_id for row in past for one in (row.before, row.after)}
        places = await self._people.practitioners_by_id(experts)
        institutions = {row.case.institution_id for row in past} | {one.institution_id for one in places.values()}
        where = {one: (await self._people.institution(one)).place for one in institutions}

        def distance(case: Consultation, standing: Standing) -> float | None:
            here, there = where[case.institution_id], where[places[standing.expert_id].institution_id]
            return distance_km(here, there) if here and there else None

        changed = [row for row in past if row.before.expert_id != row.after.expert_id]
        return Trial(
            cases={urgency: sum(row.case.urgency is urgency for row in past) for urgency in Urgency},
            changed={urgency: sum(row.case.urgency is urgency for row in changed) for urgency in Urgency},
            before=_means([(row.before, distance(row.case, row.before)) for row in past]),
            after=_means([(row.after, distance(row.case, row.after)) for row in past]),
            choices=[
                ChangedChoice(
                    row.case.id,
                    row.case.number,
                    row.case.urgency,
                    places[row.before.expert_id].name,
                    places[row.after.expert_id].name,
                )
                for row in changed
            ],
        )


def _means(chosen: Sequence[tuple[Standing, float | None]]) -> Means:
    return Means(
        distance_km=_mean(distance for _, distance in chosen),
        wait_minutes=_mean(one.wait_minutes for one, _ in chosen),
        running=_mean(one.running for one, _ in chosen),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


async def _insert(session: AsyncSession, row: MatchingWeights) -> None:
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:  # another process was faster by a moment
        raise WeightsChanged from None
