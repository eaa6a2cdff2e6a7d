"""The history service: asks hospitals in the background, and gives a case's people what is known at once."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock, backoff
from backend.consultation import ConsultationService
from backend.consultation.lookup import CaseReference
from backend.db import Database, after_commit
from backend.errors import DomainError, InvalidInput, NotFound
from backend.events import Event, EventBus
from backend.people import PeopleService
from backend.people.rules import age_years, valid_identity_number
from backend.people.views import IdentityView
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.fetching import fetch_history, find_patient
from backend.records.hospital.known_here import known_here
from backend.records.hospital.matching import Match
from backend.records.hospital.registry import Hospitals
from backend.records.hospital.stored import told_of
from backend.records.hospital.summary import HistorySummary, Subject, summarise
from backend.records.hospital.views import Outcome
from backend.records.hospital_tables import HospitalHistoryRow, HospitalRow
from backend.records.service import RecordService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, allowed, require

log = logging.getLogger(__name__)

CONSUMER = "hospital history"
FRESH = timedelta(minutes=10)
"""What was asked no longer ago is not asked again because somebody looks."""

_PATIENCE = timedelta(seconds=20)  # between two presses of a button
_LEASE = timedelta(seconds=120)
_SECONDS = 90.0
_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=1), timedelta(minutes=30)
_MOST_ATTEMPTS = 6
_MOST_OBSERVATIONS = 2_000
_SIDE_BY_SIDE = 16
_OF_ONE_HOSPITAL = 2
_IDLE_SECONDS = 1.0
_YEARS_APART = 2  # an age that was told in chat is about right


class IdentityRefused(DomainError):
    """An identity number that is none, or not this patient's."""

    code = "identity_refused"
    sentence = "这个身份证号的性别或年龄和患者对不上，请核对身份证。"


@dataclass(frozen=True)
class _Claim:
    hospital_id: str
    patient_id: str
    identity_system: str


@dataclass(frozen=True)
class _Answer:
    """What a hospital answered: one of history, a fault, or a match that is none."""

    outcome: Outcome
    fault: str = ""
    content: dict[str, object] | None = None
    retry_seconds: float | None = None


class HistoryService:
    """Fetches what hospitals know of patients, and shows it. Rows of `hospital_histories` are its queue."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        records: RecordService,
        hospitals: Hospitals,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._records = records
        self._hospitals = hospitals
        self._wake = asyncio.Event()
        clock.on_shift(self._wake.set)
        events.subscribe(CONSUMER, ["consultation.drafted"], self._on_drafted)

    async def _on_drafted(self, event: Event) -> None:
        async with self._database.transaction() as session:
            await self._request(session, str(event.payload["patient_id"]), older_than=FRESH)

    async def summary(self, actor: Actor, consultation_id: str) -> HistorySummary:
        """Give what is known of a case's patient, at once; what is old is asked for again behind it.

        Raises:
            NotFound: no such consultation. Forbidden: it is none of the actor's business.
        """
        reference = await self._reference(consultation_id)
        self._allow(actor, Action.RECORDS_READ, reference)
        # Read by the platform for the actor, who may: the case's record stands beside what the hospitals tell.
        case = await self._consultations.get(actor, consultation_id)
        person = await self._people.person(SYSTEM, reference.patient_id)
        async with self._database.transaction() as session:
            await self._record(session, actor, reference.patient_id, f"consultation:{consultation_id}")
            await self._request(session, reference.patient_id, older_than=FRESH)
            told = await told_of(session, reference.patient_id)
        known = await self._people.identity_index_of(reference.patient_id) is not None
        background = await self._records.known_here(actor, reference.patient_id)
        measured = await self._records.history(actor, reference.patient_id, limit=_MOST_OBSERVATIONS)
        here = known_here(background, measured)
        subject = Subject(case.number, person.name, person.sex, person.age_months, known, case.record)
        return summarise(subject, here, told, self._clock.now())

    async def refresh(self, actor: Actor, consultation_id: str) -> None:
        """Ask every hospital again now, but those that are being asked or were a moment ago.

        Raises: as `summary`.
        """
        reference = await self._reference(consultation_id)
        self._allow(actor, Action.RECORDS_READ, reference)
        async with self._database.transaction() as session:
            await self._request(session, reference.patient_id, older_than=_PATIENCE)

    async def register_identity(self, actor: Actor, consultation_id: str, number: str) -> None:
        """Write down the citizen identity number of a case's patient, and ask the hospitals.

        Raises:
            IdentityRefused: it is none, or that of somebody of another sex or age.
            NotFound, Forbidden: as `summary`.
        """
        reference = await self._reference(consultation_id)
        self._allow(actor, Action.PEOPLE_UPDATE, reference)
        today = self._clock.today().date()
        try:
            told = valid_identity_number(number, today)
        except InvalidInput as wrong:
            raise IdentityRefused(wrong.sentence) from None
        person = await self._people.person(SYSTEM, reference.patient_id)
        apart = 0 if person.birth_date is None else abs(age_years(told.birth_date, today) - (person.age_years or 0))
        if person.sex not in ("unknown", told.sex) or apart > _YEARS_APART:
            raise IdentityRefused
        treating = [*reference.participants, *filter(None, [actor.practitioner_id])]
        async with self._database.transaction() as session:
            await self._people.update_person(actor, reference.patient_id, id_number=number, participants=treating)
            await self._request(session, reference.patient_id, older_than=timedelta())

    async def may_register_identity(self, actor: Actor, consultation_id: str) -> bool:
        """Tell whether `register_identity` is the actor's to do. Raises NotFound."""
        reference = await self._reference(consultation_id)
        return allowed(
            actor,
            Action.PEOPLE_UPDATE,
            patient_id=reference.patient_id,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )

    async def fetch_due(self) -> int:
        """Ask for what is due, one after the other, until nothing is; give how many histories that were."""
        count = 0
        while (claim := await self._claim(())) is not None:
            await self._fetch(claim)
            count += 1
        return count

    async def keep_fetching(self) -> None:
        """Ask for what is due until cancelled, several hospitals at once and a slow one only for itself."""
        running: dict[asyncio.Task[None], str] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                running = {task: hospital for task, hospital in running.items() if not task.done()}
                claim = await self._next(list(running.values()))
                if claim is not None:
                    task = group.create_task(self._fetch(claim))
                    task.add_done_callback(lambda _: self._wake.set())
                    running[task] = claim.hospital_id
                    continue
                try:
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
                except TimeoutError:
                    continue

    async def _next(self, running: list[str]) -> _Claim | None:
        if len(running) >= _SIDE_BY_SIDE:
            return None
        busy = [hospital for hospital, count in Counter(running).items() if count >= _OF_ONE_HOSPITAL]
        try:
            return await self._claim(busy)
        except Exception:
            log.exception("hospital histories: queue not read; tried again")
            return None

    async def _claim(self, busy: Collection[str]) -> _Claim | None:
        """Take what is due longest, and keep others from it for as long as it may take."""
        now = self._clock.now()
        query = (
            select(HospitalHistoryRow, HospitalRow.identity_system)
            .join(HospitalRow, HospitalRow.id == HospitalHistoryRow.hospital_id)
            .where(HospitalHistoryRow.due_at <= now, HospitalRow.active, HospitalRow.id.not_in(busy))
            .order_by(HospitalHistoryRow.due_at)
            .limit(1)
        )
        async with self._database.reading() as session:
            if (await session.execute(query)).first() is None:
                return None  # looked at without a lock: an idle process stops nobody from writing
        async with self._database.transaction() as session:
            locked = query.with_for_update(of=HospitalHistoryRow, skip_locked=True)
            found = (await session.execute(locked)).first()
            if found is None:
                return None
            row, system = found
            row.due_at, row.asked_at, row.asking = now + _LEASE, now, True
            row.attempts += 1
            return _Claim(row.hospital_id, row.patient_id, system)

    async def _fetch(self, claim: _Claim) -> None:
        """Ask one hospital about one patient, and keep what it says."""
        try:
            identity = await self._people.identity(SYSTEM, claim.patient_id)
            answer = await self._ask(claim, identity) if identity else _Answer(Outcome.WAITING, "no_identity")
            await self._keep(claim, answer)
        except Exception:
            log.exception("hospital history not kept: hospital=%s", claim.hospital_id)

    async def _ask(self, claim: _Claim, identity: IdentityView) -> _Answer:
        try:
            async with asyncio.timeout(_SECONDS):
                client = await self._hospitals.client(claim.hospital_id)
                matched, patient = await find_patient(client, identity, claim.identity_system)
                if matched is Match.NOBODY:
                    return _Answer(Outcome.ABSENT)
                if matched is not Match.ONE:
                    return _Answer(Outcome.UNMATCHED, matched.value)
                history = await fetch_history(client, patient)
                return _Answer(Outcome.FETCHED, content=history.to_json())
        except TimeoutError:
            return _Answer(Outcome.UNREACHABLE, FaultCode.SLOW.value)
        except HospitalFault as fault:
            log.warning("hospital did not answer: hospital=%s fault=%s %s", claim.hospital_id, fault.code, fault.detail)
            return _Answer(Outcome.UNREACHABLE, fault.code, retry_seconds=fault.retry_seconds)

    async def _keep(self, claim: _Claim, answer: _Answer) -> None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            key = (claim.hospital_id, claim.patient_id)
            row = await session.get(HospitalHistoryRow, key, with_for_update=True, populate_existing=True)
            if row is None:
                return  # the hospital is asked no more
            row.outcome, row.fault, row.due_at, row.asking = answer.outcome, answer.fault, None, False
            if answer.outcome is Outcome.UNREACHABLE:
                if row.attempts < _MOST_ATTEMPTS:
                    pause = backoff(row.attempts, _FIRST_RETRY, _LONGEST_RETRY)
                    row.due_at = now + max(pause, timedelta(seconds=answer.retry_seconds or 0))
                return
            row.content = answer.content
            row.fetched_at = now if answer.content is not None else None
            row.attempts = 0
            await self._record(session, SYSTEM, claim.patient_id, f"hospital:{claim.hospital_id}")

    async def _request(self, session: AsyncSession, patient_id: str, *, older_than: timedelta) -> None:
        """Let every hospital be asked about a patient that was not asked lately, and is not being asked."""
        if await self._people.identity_index_of(patient_id) is None:
            return
        now = self._clock.now()
        query = select(HospitalHistoryRow).where(HospitalHistoryRow.patient_id == patient_id)
        known = {row.hospital_id: row for row in await session.scalars(query.with_for_update())}
        for hospital in await self._hospitals.active():
            row = known.get(hospital.id)
            if row is None:
                await self._add(session, hospital.id, patient_id)
                continue
            is_asked = row.asking and row.due_at is not None and row.due_at > now
            is_fresh = row.asked_at is not None and now - row.asked_at < older_than
            if not is_asked and not is_fresh:
                row.due_at, row.asking, row.attempts = now, False, 0
        after_commit(session, self._wake.set)

    async def _add(self, session: AsyncSession, hospital_id: str, patient_id: str) -> None:
        row = HospitalHistoryRow(
            hospital_id=hospital_id, patient_id=patient_id, outcome=Outcome.WAITING, fault="", due_at=self._clock.now()
        )
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:  # another process has just done the same
            log.debug("hospital history is requested already")

    async def _reference(self, consultation_id: str) -> CaseReference:
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        return reference

    def _allow(self, actor: Actor, action: Action, reference: CaseReference) -> None:
        require(
            actor,
            action,
            patient_id=reference.patient_id,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )

    async def _record(self, session: AsyncSession, actor: Actor, patient_id: str, subject: str) -> None:
        await self._audit.record(session, actor, Action.RECORDS_READ, patient_id=patient_id, subject=subject)
