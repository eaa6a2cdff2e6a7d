"""Writing back: what happened here lands in the record of the hospitals that took part, once, also after an outage.

A row waits for every consultation and hospital (`HospitalWriteback`) from the transaction on in which the event is
handled that there is something to tell. Whoever claims it gathers what the consultation says now, leaves out what the
hospital has already, and sends the rest as one transaction. Killed anywhere, it is done again: the hospital finds what
it has by our identifiers, so nothing is there twice.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database, key_ring
from backend.errors import NotFound
from backend.events import Event, EventBus
from backend.fhir.elements import Resource
from backend.fhir.searching import Criterion, ResourceSource, Search, Token
from backend.people import PeopleService
from backend.records.hospital.client import HospitalClient
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.fetching import find_patient
from backend.records.hospital.registry import Hospitals
from backend.records.hospital.writing_bundle import Draft, Key, Present, draft_of, says_the_same, transaction
from backend.records.hospital.writing_queue import Claimed, QueueView, WriteQueue
from backend.records.hospital.writing_rules import (
    INTERNAL,
    LEASE,
    WITHOUT_CONSENT,
    WRITTEN,
    Verdict,
    WriteState,
    pause,
    verdict_of_fault,
    verdict_of_match,
)
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Actor

log = logging.getLogger(__name__)

CONSUMER = "hospital_writeback"
TOLD_AFTER = ("consultation.completed", "report.signed")
"""Events of consultations after which hospitals have something to hear."""

_MOST_OF_A_TYPE = 100
_ROUNDS = 3
_POLL_SECONDS = 1.0
_MARGIN_SECONDS = 30.0


@dataclass(frozen=True)
class _Task:
    """What one try works with: the claim, the client, the patient there, and all that the hospital is to have."""

    claimed: Claimed
    client: HospitalClient
    patient_id: str
    drafts: Sequence[Draft]


class WriteBack:
    """Writes consultations back to the hospitals of the institutions that took part in them.

    Args:
        sources: of what is written; each finds what belongs to an encounter (`encounter`), that of Encounter itself by
            its identifier.
        told_after: types of events that tell of a consultation (`consultation_id`, `patient_id`).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        hospitals: Hospitals,
        sources: Sequence[ResourceSource],
        told_after: Sequence[str] = TOLD_AFTER,
    ) -> None:
        self._clock = clock
        self._people = people
        self._consultations = consultations
        self._hospitals = hospitals
        self._sources = sources
        self._queue = WriteQueue(database, clock, audit)
        self._wake = asyncio.Event()
        clock.on_shift(self._wake.set)
        events.subscribe(CONSUMER, told_after, self._on_news)

    async def keep_writing(self) -> None:
        """Write what waits, to each hospital for itself, until cancelled."""
        running: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                try:
                    waiting = await self._queue.hospitals_with_work()
                except Exception:
                    log.exception("write-back: queue not read; tried again")
                    waiting = []
                for hospital_id in waiting:
                    if hospital_id not in running or running[hospital_id].done():
                        running[hospital_id] = group.create_task(self._drain(hospital_id))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)

    async def write_waiting(self) -> None:
        """Write once what may be written now, and come back when nothing more can be."""
        await asyncio.gather(*(self._drain(one) for one in await self._queue.hospitals_with_work()))

    async def resend(self, actor: Actor, hospital_id: str) -> int:
        """Try again, at once, everything of a hospital that came to a dead end or whose patient was not known there;
        give how many consultations that are.

        Raises:
            Forbidden: the actor manages no hospitals.
        """
        count = await self._queue.resend(actor, hospital_id)
        self._wake.set()
        return count

    async def standing(self, actor: Actor) -> list[QueueView]:
        """Give how much stands where, by hospital. Raises Forbidden."""
        return await self._queue.standing(actor)

    async def _on_news(self, event: Event) -> None:
        """Let the hospitals of those who took part hear of a consultation.

        Nobody else's: the consent to care says that the institution the patient chose and the experts who take part see
        what is told here, and nobody besides.
        """
        reference = await self._consultations.reference(str(event.payload["consultation_id"]))
        if reference is None:
            return
        institutions = {reference.institution_id}
        if reference.expert_id is not None:
            institutions.add((await self._people.practitioner(reference.expert_id)).institution_id)
        hospitals = [one.id for one in await self._hospitals.active() if one.institution_id in institutions]
        await self._queue.add(hospitals, reference.id, reference.patient_id, self._wake.set)

    async def _drain(self, hospital_id: str) -> None:
        try:
            while await self._write_next(hospital_id):
                pass
        except Exception:
            log.exception("write-back: not done; tried again when its lease ends: hospital=%s", hospital_id)

    async def _write_next(self, hospital_id: str) -> bool:
        """Try the oldest that waits; tell whether there was one."""
        claimed = await self._queue.claim(hospital_id)
        if claimed is None:
            return False
        verdict = await self._tried(claimed)
        await self._queue.settle(claimed, verdict)
        return True

    async def _tried(self, claimed: Claimed) -> Verdict:
        attempts = claimed.attempts
        try:
            async with asyncio.timeout(LEASE.total_seconds() - _MARGIN_SECONDS):
                return await self._write(claimed)
        except HospitalFault as fault:
            attempts = attempts if fault.fault.value == claimed.fault else 0
            return verdict_of_fault(fault.fault, attempts + 1, fault.retry_seconds, random.random())
        except TimeoutError:
            return verdict_of_fault(FaultCode.SLOW, attempts + 1, None, random.random())
        except Exception:  # it stays in the queue, whatever it was: nothing that happened is dropped
            log.exception("write-back failed: consultation=%s", claimed.consultation_id)
            return Verdict(WriteState.WAITING, INTERNAL, pause(attempts + 1, None, random.random()))

    async def _write(self, claimed: Claimed) -> Verdict:
        if not await self._people.has_consent(claimed.patient_id):
            return WITHOUT_CONSENT
        identity = await self._people.identity(SYSTEM, claimed.patient_id)
        if identity is None:
            return Verdict(WriteState.UNKNOWN_PATIENT)
        hospital = next((one for one in await self._hospitals.active() if one.id == claimed.hospital_id), None)
        if hospital is None:
            raise NotFound("没有找到这个医院系统。")
        client = await self._hospitals.client(hospital.id)
        result, patient_id = await find_patient(client, identity, hospital.identity_system)
        verdict = verdict_of_match(result)
        if verdict is not None:
            return verdict
        key = key_ring().derive("hospital-writeback")
        drafts = [draft_of(one, key) for one in await self._gathered(claimed.consultation_id)]
        task = _Task(claimed, client, patient_id, drafts)
        for _ in range(_ROUNDS):
            if not await self._bring(task):
                return WRITTEN
        raise HospitalFault(FaultCode.CHANGED, "changes all the time")

    async def _gathered(self, consultation_id: str) -> list[Resource]:
        """Give what a consultation says now."""
        found: list[Resource] = []
        for source in self._sources:
            is_encounter = source.type == "Encounter"
            which = Criterion("_id", (Token(None, consultation_id),))
            of = which if is_encounter else Criterion("encounter", (consultation_id,))
            search = Search((of,), source.orders[0], descending=False, after=None, count=_MOST_OF_A_TYPE)
            found += [item.resource for item in (await source.search(SYSTEM, search)).items]
        return found

    async def _bring(self, task: _Task) -> bool:
        """Bring what is not there yet, or says something else there; tell whether that was anything.

        What the hospital has under our identifier without our knowing, because an answer or a process was lost, is
        noted without what it says: the next round reads it, and changes it only where it says something else.
        """
        known = await self._queue.written(task.claimed)
        changed = [one for one in task.drafts if known.digest(one.key) != one.digest]
        present: dict[Key, Present] = {}
        for one in changed:
            remote_id = known.remote_ids.get(one.key)
            if remote_id is not None:
                read = await task.client.read(one.key[0], remote_id)
                present[one.key] = Present(remote_id, read.version, read.resource)
        same = {
            one.key
            for one in changed
            if one.key in present and says_the_same(one, present[one.key], known.remote_ids, task.patient_id)
        }
        sent = [one for one in changed if one.key not in same]
        noted = [(one, present[one.key].remote_id, one.digest) for one in changed if one.key in same]
        if sent:
            bundle = transaction(sent, present, known.remote_ids, task.patient_id)
            answers = await task.client.transaction(bundle, repeatable=True)
            for one, answer in zip(sent, answers, strict=True):
                is_ours = answer.created or one.key in present
                noted.append((one, answer.id, one.digest if is_ours else ""))
        if noted:
            await self._queue.note(task.claimed, noted, wrote=bool(sent))
        return bool(changed)
