"""What becomes of every table and every column in a masked copy. A test holds that none is missing.

What says nothing of how it is kept is masked by its type: encrypted text is scrubbed, moments and days are moved with
their person, identifiers are replaced wherever they stand. Plain text has to be named here to be kept.
"""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import Column, Date, Enum, String
from sqlalchemy.types import JSON

from backend.db import EncryptedBytes, EncryptedJSON, EncryptedText, Id, UTCDateTime


class How(StrEnum):
    """What becomes of the values of a column."""

    KEPT = "kept"  # codes and numbers; identifiers in them are replaced
    PUBLIC = "public"  # of institutions and areas: kept, but for what is somebody's name too
    MOVED = "moved"  # a moment or a day, by as many weeks as everything of its person
    SCRUBBED = "scrubbed"  # words, without what names anybody
    VALUES = "values"  # JSON: words in it are scrubbed, days moved, codes kept
    NAME = "name"
    PHONE = "phone"
    IDENTITY = "identity"
    BORN = "born"
    ADDRESS = "address"
    CONTACT = "contact"  # what a channel knows somebody by
    LICENCE = "licence"
    NUMBER = "number"  # of a case: its shape with other digits
    INDEX = "index"  # made anew from the masked value
    EMPTY = "empty"  # nothing, or no text where nothing is not allowed


def _kept(*names: str) -> dict[str, How]:
    return dict.fromkeys(names, How.KEPT)


_KNOWN = _kept("code", "icd10", "kind", "origin", "value", "reference", "yes")

MASKED: dict[str, Mapping[str, How]] = {
    "institutions": {
        **dict.fromkeys(("name", "region", "address"), How.PUBLIC),
        **_kept("code", "kind", "level", "insurance_code"),
    },
    "institution_departments": _kept("department_code"),
    "practitioners": {
        "name": How.NAME,
        "licence_number": How.LICENCE,
        "licence_number_index": How.INDEX,
        **_kept("role", "department_code", "title"),
    },
    "practitioner_expertise": _kept("code", "first", "last"),
    "prescription_templates": {},
    "pharmacy_stock": _kept("preparation"),
    "weekly_hours": {},
    "day_hours": _kept("hours"),
    "absences": {},
    "schedule_versions": {},
    "expert_response_statistics": _kept("histogram"),
    "matching_weights": _kept("percentages"),
    "matching_standings": _kept("standings"),
    "people": {
        "name": How.NAME,
        "birth_date": How.BORN,
        "phone": How.PHONE,
        "phone_index": How.INDEX,
        "id_number": How.IDENTITY,
        "id_number_index": How.INDEX,
        "address": How.ADDRESS,
        "region": How.PUBLIC,
        **_kept("sex"),
    },
    "person_roles": _kept("role"),
    "relatives": _kept("relation"),
    "consents": _kept("version", "decision"),
    "contacts": {
        "address": How.CONTACT,
        "address_index": How.INDEX,
        "union_index": How.EMPTY,
        **_kept("channel"),
    },
    "consultations": {"number": How.NUMBER, **_kept("department_code")},
    "consultation_records": _kept("icd10"),
    "consultation_opinions": _kept("icd10"),
    "consultation_messages": {"file_id": How.EMPTY, **_kept("sender_role", "kind")},
    "consultation_timeline": _kept("actor_role", "kind"),
    "consultation_supplements": {"file_ids": How.EMPTY},
    "consultation_offers": {},
    "consultation_searches": _kept("step"),
    "consultation_ratings": {},
    "consultation_facts": {**_kept("department_code", "parameters"), "reckoned_with": How.EMPTY},
    "consultation_focus": {},
    "bookings": {},
    "observations": _KNOWN,
    "allergies": _KNOWN,
    "conditions": _KNOWN,
    "current_medicines": _KNOWN,
    "record_answers": _KNOWN,
    "medicine_plans": _kept("origin"),
    "medicine_plan_lines": _kept("times"),
    "medicine_doses": _kept("line_ids"),
    "medicine_reminder_clocks": {},
    "monitored_patients": {},
    "monitoring_alerts": _kept("open_for", "reading", "latest"),
    "monitoring_limits": _kept("measure", "bound"),
    "monitoring_tellings": {},
    "home_devices": {"code_digest": How.EMPTY, "token_digest": How.EMPTY},
    "device_readings": {"reading_key": How.NUMBER},
    "video_rooms": {},
    "video_room_visits": {},
}
"""Tables whose rows are in the copy, by name, with what their types do not say already."""


def _left(why: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, why)


LEFT_OUT: dict[str, str] = {
    **_left("what was audited is proof of the real platform alone", "audit_entries", "audit_leaves", "audit_blocks"),
    **_left(
        "secrets and sign-ins",
        "console_accounts",
        "console_links",
        "console_recovery_codes",
        "console_sessions",
        "console_sign_in_attempts",
        "desk_codes",
        "invitations",
        "signing_certificates",
        "hospitals",
        "imaging_senders",
        "imaging_destinations",
    ),
    **_left(
        "what is under way, and would go on in the copy",
        "conversations",
        "inbound_messages",
        "deferred_messages",
        "outbox_messages",
        "outbox_keys",
        "dead_letters",
        "events",
        "event_deliveries",
        "timers",
        "erasures",
        "media_nodes",
    ),
    **_left(
        "pictures, recordings and images, and what is about them",
        "files",
        "consultation_attachments",
        "laboratory_slips",
        "recordings",
        "recording_tracks",
        "recording_segments",
        "recording_consents",
        "critical_values",
        "imaging_studies",
        "imaging_series",
        "imaging_instances",
        "imaging_headers",
        "imaging_key_images",
        "imaging_patient_numbers",
        "imaging_refusals",
        "imaging_forwardings",
        "imaging_transfers",
        "imaging_uploads",
        "imaging_upload_faults",
        "imaging_upload_pieces",
        "imaging_upload_studies",
    ),
    **_left(
        "signed or sealed: masked it would be a forgery",
        "reports",
        "report_issues",
        "prescriptions",
        "prescription_versions",
        "prescription_line_claims",
        "prescription_papers",
        "medicine_orders",
        "refill_requests",
    ),
    **_left(
        "money, whose books would no longer agree with anybody's",
        "charges",
        "charge_orders",
        "charge_steps",
        "insurer_messages",
        "invoices",
        "ledger_postings",
        "ledger_lines",
        "payment_notifications",
        "reconciliation_lines",
        "reconciliation_runs",
        "reconciliation_notes",
        "remuneration_cases",
        "remuneration_entries",
        "remuneration_months",
        "remuneration_statements",
    ),
    **_left(
        "what hospitals told, and what was written there",
        "hospital_histories",
        "hospital_resources",
        "hospital_writebacks",
    ),
    **_left(
        "what was true before, what somebody says is not, and who looked why",
        "person_corrections",
        "amendments",
        "emergency_accesses",
        "research_exports",
    ),
    **_left(
        "counted by true days",
        "syndrome_facts",
        "syndrome_alarms",
        "surveillance_days",
    ),
    **_left(
        "de-identified by people already, with what they took out",
        "teaching_cases",
        "teaching_terms",
        "teaching_picks",
        "teaching_questions",
        "teaching_answers",
        "teaching_preferences",
    ),
    **_left("made anew by the product", "slots", "schedule_horizons", "consultation_numbers", "daily_figures"),
}
"""Tables without a row in the copy, and why."""

IDENTIFYING = frozenset({How.NAME, How.PHONE, How.IDENTITY, How.ADDRESS, How.CONTACT, How.LICENCE})
"""What of the source may stand nowhere in the copy."""


def how(column: Column[object]) -> How | None:
    """Give what becomes of a column of a masked table; None where nothing says so."""
    said = MASKED[column.table.name].get(column.name)
    return said if said is not None else _by_type(column)


def _by_type(column: Column[object]) -> How | None:
    kind = column.type
    if isinstance(kind, EncryptedBytes | JSON):
        return None
    if isinstance(kind, EncryptedJSON):
        return How.VALUES
    if isinstance(kind, EncryptedText):
        return How.SCRUBBED
    if isinstance(kind, UTCDateTime | Date):
        return How.MOVED
    if isinstance(kind, String) and not isinstance(kind, Enum) and not _is_identifier(column):
        return None
    return How.KEPT


def _is_identifier(column: Column[object]) -> bool:
    is_named_so = column.name.endswith(("id", "_by", "_for"))
    return is_named_so and isinstance(column.type, String) and column.type.length == Id.length
