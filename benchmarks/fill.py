"""Fills a database with finished consultations of invented people, as years of use would leave them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert

from backend.db import Base, Database, Owned
from backend.ids import new_id
from backend.messaging.service import lane_of
from backend.seed import demo_id

_BATCH = 2000
_PER_PATIENT = 3
_BEGAN = datetime(2023, 1, 1, tzinfo=UTC)
_RECORD = {"chief_complaint": "咳嗽伴发热3天", "present_illness": "3天前出现咳嗽、发热。", "past_history": "高血压"}
_STEPS = ("opened", "submitted", "assigned", "started", "completed")


async def fill(database: Database, consultations: int) -> None:
    """Add `consultations` finished consultations, three a patient, with what belongs to them."""
    for first in range(0, consultations, _BATCH):
        rows: dict[str, list[dict[str, Any]]] = {}
        for number in range(first, min(first + _BATCH, consultations)):
            for table, row in _rows(number):
                rows.setdefault(table, []).append(row)
        async with database.transaction() as session:
            for name, values in rows.items():
                await session.execute(insert(_table(name)), values)
        await asyncio.sleep(0)


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _rows(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    patient_id = f"{number // _PER_PATIENT:032x}"
    at = _BEGAN + timedelta(minutes=number * 5)
    if number % _PER_PATIENT == 0:
        yield from _patient(patient_id, at)
    consultation_id = new_id()
    yield (
        "consultations",
        {
            "id": consultation_id,
            "number": f"HZ{at:%Y%m%d}-{number:07}",
            "status": "completed",
            "urgency": "routine",
            "department_code": "respiratory",
            "patient_id": patient_id,
            "speaker_id": patient_id,
            "institution_id": demo_id("QL-T01"),
            "doctor_id": demo_id("DOC-01"),
            "expert_id": demo_id(f"EXP-{number % 30 + 1:02}"),
            "opened_at": at,
            "closed_at": at + timedelta(days=2),
        },
    )
    yield (
        "consultation_records",
        {
            "consultation_id": consultation_id,
            "record": _RECORD,
            "facts": {},
            "red_flags": [],
            "urgency_reason": "",
            "icd10": "J18.9",
            "question": "",
            "vitals": {},
            "findings": "右下肺湿啰音",
        },
    )
    for step in _STEPS:
        yield (
            "consultation_timeline",
            {
                "consultation_id": consultation_id,
                "at": at,
                "actor_id": patient_id,
                "actor_role": "patient",
                "kind": step,
                "text": "进行了一步",
            },
        )
        yield "inbound_messages", {"key": f"{number:059}-{step[:4]}", "answer": Owned(None, {}), "received_at": at}


def _patient(patient_id: str, at: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    person = {"id": patient_id, "name": Owned(None, "王秀英"), "sex": "female", "region": "青岚县"}
    yield "people", person | {"created_at": at, "record_since": at}
    yield "person_roles", {"person_id": patient_id, "role": "patient"}
    yield "consents", {"person_id": patient_id, "kind": "care", "version": "1", "decision": "given", "decided_at": at}
    address = f"filled-{patient_id}"
    yield (
        "contacts",
        {
            "id": new_id(),
            "channel": "wechat",
            "address": Owned(None, address),  # without a key file for each of hundreds of thousands
            "address_index": lane_of("wechat", address),
            "person_id": patient_id,
            "union_index": "",
            "created_at": at,
        },
    )
    yield "conversations", {"person_id": patient_id, "state": None, "version": 1, "updated_at": at}
