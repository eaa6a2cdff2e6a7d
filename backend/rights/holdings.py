"""Every table that holds something of a person: whose it is, and when it goes. A test holds that no table is missing.

OWN goes when the person asks for it. RECORD is the medical record, MONEY the accounts; EVIDENCE is what proves that it
was done by right, and the rows that the others hang from, which by then hold identifiers and times alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, not_, select, true

from backend.db import Base
from backend.records.background import Source


class Class(StrEnum):
    """What a row is to its person."""

    OWN = "own"
    RECORD = "record"
    MONEY = "money"
    EVIDENCE = "evidence"


@dataclass(frozen=True)
class Holding:
    """How rows of a person are found in a table, and of which class they are.

    Args:
        by: the column that leads to the person.
        of: the table whose key that column holds; empty where it holds the person's id.
        own: which of the rows are the person's own after all, in a table of another class.
    """

    kind: Class
    by: str = "patient_id"
    of: str = ""
    own: Callable[[Table], ColumnElement[bool]] | None = None


def _told_by_themselves(table: Table) -> ColumnElement[bool]:
    return and_(table.c.consultation_id.is_(None), table.c.source != Source.DOCTOR)  # as `background.is_own` says


def _of_no_case(table: Table) -> ColumnElement[bool]:
    return table.c.consultation_id.is_(None)


def _of_no_record(table: Table) -> ColumnElement[bool]:
    return table.c.own.is_(True)


def _own(*names: str, by: str = "patient_id") -> dict[str, Holding]:
    return {name: Holding(Class.OWN, by) for name in names}


def _record(*names: str, by: str = "patient_id", of: str = "") -> dict[str, Holding]:
    return {name: Holding(Class.RECORD, by, of) for name in names}


HOLDINGS: dict[str, Holding] = {
    **_own("conversations", "contacts", "outbox_messages", "dead_letters", "person_roles", by="person_id"),
    **_own("desk_codes", "consultation_focus", "relatives", by="person_id"),
    **_own("medicine_plans", "medicine_plan_lines", "medicine_doses", "medicine_reminder_clocks"),
    **_own("home_devices", "device_readings", "monitoring_tellings", "hospital_histories"),
    **{
        name: Holding(Class.RECORD, own=_told_by_themselves)
        for name in ("observations", "allergies", "conditions", "current_medicines", "record_answers")
    },
    "person_corrections": Holding(Class.RECORD, "person_id", own=_of_no_record),
    "laboratory_slips": Holding(Class.RECORD, own=_of_no_case),
    **_record("bookings", "monitored_patients", "monitoring_alerts", "monitoring_limits", "hospital_writebacks"),
    **_record("prescriptions", "reports", "medicine_orders", "refill_requests", "amendments"),
    **_record("prescription_line_claims", "prescription_papers", by="prescription_id", of="prescriptions"),
    **_record("prescription_versions", by="prescription_id", of="prescriptions"),
    **_record("report_issues", by="report_id", of="reports"),
    **_record("consultation_records", "consultation_opinions", by="consultation_id", of="consultations"),
    **_record("consultation_messages", "consultation_timeline", by="consultation_id", of="consultations"),
    **_record("consultation_attachments", "consultation_supplements", by="consultation_id", of="consultations"),
    **_record("consultation_offers", "consultation_searches", by="consultation_id", of="consultations"),
    **_record("consultation_ratings", "consultation_facts", by="consultation_id", of="consultations"),
    **_record("critical_values", "hospital_resources", by="consultation_id", of="consultations"),
    **_record("matching_standings", by="consultation_id", of="consultations"),
    **_record("imaging_studies", "imaging_uploads", "imaging_key_images", by="consultation_id", of="consultations"),
    **_record("video_rooms", "video_room_visits", "recordings", by="consultation_id", of="consultations"),
    **_record("recording_consents", by="consultation_id", of="consultations"),
    **_record("recording_tracks", by="recording_id", of="recordings"),
    **_record("recording_segments", by="track_id", of="recording_tracks"),
    **_record("imaging_series", "imaging_instances", "imaging_forwardings", by="study_id", of="imaging_studies"),
    **_record("imaging_headers", by="instance_id", of="imaging_instances"),
    **_record("imaging_transfers", by="forwarding_id", of="imaging_forwardings"),
    **_record("imaging_upload_faults", "imaging_upload_pieces", by="upload_id", of="imaging_uploads"),
    **_record("imaging_upload_studies", by="upload_id", of="imaging_uploads"),
    **_record("imaging_patient_numbers", by="person_id"),
    "charges": Holding(Class.MONEY),
    "charge_orders": Holding(Class.MONEY, "charge_id", "charges"),
    "charge_steps": Holding(Class.MONEY, "charge_id", "charges"),
    "insurer_messages": Holding(Class.MONEY, "subject", "charges"),
    "invoices": Holding(Class.MONEY, "charge_id", "charges"),
    "teaching_terms": Holding(Class.OWN, "case_id", "teaching_cases"),
    "teaching_cases": Holding(Class.EVIDENCE),  # emptied with what is the person's own; doctors' points hang from it
    "teaching_picks": Holding(Class.EVIDENCE, "case_id", "teaching_cases"),
    "teaching_questions": Holding(Class.EVIDENCE, "case_id", "teaching_cases"),
    "teaching_answers": Holding(Class.EVIDENCE, "question_id", "teaching_questions"),
    "consents": Holding(Class.EVIDENCE, "person_id"),
    "emergency_accesses": Holding(Class.EVIDENCE),
    "erasures": Holding(Class.EVIDENCE),
    "consultations": Holding(Class.EVIDENCE),
    "people": Holding(Class.EVIDENCE, "id"),
}
"""By the name of the table."""

OTHERWISE: dict[str, str] = {
    "files": "by what they belong to: `Erasures` asks",
    "inbound_messages": "answers of minutes, under the person's key, removed once no delivery can come again",
    "deferred_messages": "messages of minutes, removed in their turn; found by the address",
    "audit_entries": "never: who did what is the platform's own proof; identifiers, and reasons of those who looked",
    "audit_leaves": "never: digests",
    "audit_blocks": "never: digests",
    "events": "identifiers alone",
    "event_deliveries": "identifiers alone",
    "timers": "identifiers alone",
    "outbox_keys": "identifiers alone, removed after a while",
    "ledger_postings": "accounts by number, without a name",
    "ledger_lines": "accounts by number, without a name",
    "remuneration_cases": "what experts are paid, by number",
    "remuneration_entries": "what experts are paid, by number",
    "remuneration_months": "what experts are paid, by number",
    "remuneration_statements": "what experts are paid, by number",
    "reconciliation_lines": "numbers and amounts",
    "reconciliation_runs": "numbers and amounts",
    "reconciliation_notes": "what administrators noted of numbers and amounts",
    "payment_notifications": "numbers",
    "syndrome_facts": "cases by a keyed digest of the consultation, without a name",
    "syndrome_alarms": "counts of disease surveillance",
    "surveillance_days": "counts of disease surveillance",
    "research_exports": "tables in which nobody can be found, removed after a week; what they were asked for",
} | dict.fromkeys(
    [
        "absences",
        "consultation_numbers",
        "console_accounts",
        "console_links",
        "console_recovery_codes",
        "console_sessions",
        "console_sign_in_attempts",
        "daily_figures",
        "day_hours",
        "expert_response_statistics",
        "hospitals",
        "imaging_destinations",
        "imaging_refusals",
        "imaging_senders",
        "institution_departments",
        "institutions",
        "invitations",
        "matching_weights",
        "media_nodes",
        "pharmacy_stock",
        "practitioner_expertise",
        "practitioners",
        "prescription_templates",
        "schedule_horizons",
        "schedule_versions",
        "signing_certificates",
        "slots",
        "teaching_preferences",
        "weekly_hours",
    ],
    "of institutions and of those who work there",
)
"""Tables that no erasure walks, and why."""

_KEYS = {"insurer_messages": "visit"}
"""What of the table above is held by `by`, where that is not its only key."""


def rows_of(name: str, person_id: str) -> ColumnElement[bool]:
    """Give the condition under which a row of a table is of a person."""
    holding, column = HOLDINGS[name], Base.metadata.tables[name].c[HOLDINGS[name].by]
    if not holding.of:
        return column == person_id
    above = Base.metadata.tables[holding.of]
    key: Any = above.c[_KEYS[name]] if name in _KEYS else next(iter(above.primary_key.columns))
    return column.in_(select(key).where(rows_of(holding.of, person_id)))


def tables_of(kind: Class) -> list[tuple[Table, ColumnElement[bool]]]:
    """Give the tables with rows of a class, those that others hang from last, each with the condition of the class."""
    found = []
    for table in reversed(Base.metadata.sorted_tables):
        holding = HOLDINGS.get(table.name)
        if holding is None:
            continue
        if kind is Class.OWN and holding.own is not None:
            found.append((table, holding.own(table)))
        elif holding.kind is kind:
            found.append((table, true() if holding.own is None else not_(holding.own(table))))
    # Rows that hang from others without a foreign key are found while those are still there.
    return sorted(found, key=lambda one: not _hangs_loosely(one[0]))


def _hangs_loosely(table: Table) -> bool:
    holding = HOLDINGS[table.name]
    return bool(holding.of) and not table.c[holding.by].foreign_keys
