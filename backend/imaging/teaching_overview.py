"""What somebody who may ask for copies for teaching sees: of which studies, to whom, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select

from backend.imaging.tables import (
    ImagingDestination,
    ImagingForwarding,
    ImagingTransfer,
    Purpose,
)
from backend.imaging.teaching import Teaching
from backend.imaging.transfer_rules import SENTENCES, Failure, TransferState
from backend.imaging.views import StudyView
from backend.people import ConsentKind
from backend.security.policy import Action, Actor, allowed


class PatientsWord(StrEnum):
    """What the patient says to teaching with their images."""

    AGREED = "agreed"
    UNDECIDED = "undecided"
    DECLINED = "declined"


class TeachingState(StrEnum):
    """What has become of a request."""

    WAITING = "waiting"  # for the patient's answer
    DECLINED = "declined"  # the patient says no; what had not gone stays
    SENDING = "sending"
    SENT = "sent"  # all that may go is there
    STAYED = "stayed"  # nothing of it may go


@dataclass(frozen=True)
class TeachingPlace:
    """Who gets copies: the name of a destination, and of whom it is."""

    id: str
    label: str
    institution: str


@dataclass(frozen=True)
class TeachingRequest:
    """Copies of a study that somebody asked for.

    Args:
        total, arrived, stayed: instances; stayed are those that do not go. sentence: why; "" where all goes.
    """

    place: TeachingPlace
    state: TeachingState
    total: int
    arrived: int
    stayed: int
    sentence: str


@dataclass(frozen=True)
class TeachingOverview:
    """The copies for teaching of a consultation; empty for those who may not ask for any.

    Args:
        places: to whom copies can go now. studies: those with images, each with what was asked for, oldest first.
    """

    may_ask: bool
    patient: PatientsWord
    places: tuple[TeachingPlace, ...] = ()
    studies: tuple[tuple[StudyView, tuple[TeachingRequest, ...]], ...] = ()


class TeachingOverviews(Teaching):
    """The part of `ImagingService` that shows how copies for teaching stand."""

    async def teaching(self, actor: Actor, consultation_id: str) -> TeachingOverview:
        """Give how the copies for teaching of a consultation stand; the read is audited.

        Raises:
            NotFound: there is no such consultation. Forbidden: its images are none of the actor's business.
        """
        reference = await self._case(actor, consultation_id, Action.IMAGING_READ)
        if not allowed(
            actor,
            Action.IMAGING_TEACH,
            participants=reference.participants,
            institution_id=reference.institution_id,
        ):
            return TeachingOverview(False, PatientsWord.UNDECIDED)
        word = await self._word_of(reference.patient_id)
        studies = [study for study in await self.studies_of(actor, consultation_id) if study.images]
        requests = {study.id: await self._requests(study.id, word) for study in studies}
        return TeachingOverview(
            may_ask=True,
            patient=word,
            places=tuple(await self._places()),
            studies=tuple((study, tuple(requests[study.id])) for study in studies),
        )

    async def _word_of(self, patient_id: str) -> PatientsWord:
        people = self._people
        if await people.has_consent(patient_id, ConsentKind.TEACHING):
            return PatientsWord.AGREED
        if await people.has_declined(patient_id, ConsentKind.TEACHING) or not await people.has_consent(patient_id):
            return PatientsWord.DECLINED
        return PatientsWord.UNDECIDED

    async def _places(self) -> list[TeachingPlace]:
        async with self._database.reading() as session:
            query = select(ImagingDestination).where(
                ImagingDestination.purpose == Purpose.TEACHING, ImagingDestination.active
            )
            rows = (await session.scalars(query.order_by(ImagingDestination.id))).all()
        return [await self._place(row) for row in rows]

    async def _place(self, row: ImagingDestination) -> TeachingPlace:
        return TeachingPlace(row.id, row.label, (await self._people.institution(row.institution_id)).name)

    async def _requests(self, study_id: str, word: PatientsWord) -> list[TeachingRequest]:
        async with self._database.reading() as session:
            query = (
                select(ImagingForwarding, ImagingDestination)
                .join(ImagingDestination, ImagingDestination.id == ImagingForwarding.destination_id)
                .where(ImagingForwarding.study_id == study_id, ImagingDestination.purpose == Purpose.TEACHING)
            )
            found = (await session.execute(query.order_by(ImagingForwarding.id))).all()
            which = [forwarding.id for forwarding, _ in found]
            counted = select(
                ImagingTransfer.forwarding_id, ImagingTransfer.state, ImagingTransfer.failure, func.count()
            ).where(ImagingTransfer.forwarding_id.in_(which))
            grouped = counted.group_by(ImagingTransfer.forwarding_id, ImagingTransfer.state, ImagingTransfer.failure)
            counts = (await session.execute(grouped)).all()
        return [
            _request(
                await self._place(destination),
                word,
                {(state, failure): number for of, state, failure, number in counts if of == forwarding.id},
            )
            for forwarding, destination in found
        ]


def _request(
    place: TeachingPlace, word: PatientsWord, counts: dict[tuple[TransferState, Failure | None], int]
) -> TeachingRequest:
    by_state = {state: sum(n for (one, _), n in counts.items() if one is state) for state in TransferState}
    dead = [failure for (state, failure), _ in counts.items() if state is TransferState.DEAD and failure]
    return TeachingRequest(
        place=place,
        state=_state(word, by_state, is_unagreed=Failure.NO_CONSENT in dead),
        total=sum(by_state.values()),
        arrived=by_state[TransferState.ARRIVED],
        stayed=by_state[TransferState.DEAD],
        sentence=_sentence(dead),
    )


def _state(word: PatientsWord, by_state: dict[TransferState, int], *, is_unagreed: bool) -> TeachingState:
    is_asked, goes_on = not sum(by_state.values()), by_state[TransferState.WAITING] > 0
    if (is_asked or goes_on or is_unagreed) and word is PatientsWord.DECLINED:
        return TeachingState.DECLINED
    if is_asked:
        return TeachingState.WAITING if word is PatientsWord.UNDECIDED else TeachingState.SENDING
    if goes_on:
        return TeachingState.SENDING
    return TeachingState.SENT if by_state[TransferState.ARRIVED] else TeachingState.STAYED


def _sentence(dead: list[Failure]) -> str:
    """Say why something stays: what a person can mend first, then what is in the pictures."""
    first = min(dead, key=list(Failure).index, default=None)
    return "" if first is None else SENTENCES[first].replace("专家医院的影像系统", "教学用的影像系统")
