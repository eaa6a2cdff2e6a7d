"""Every role × every action × every relation, walked from the table."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from backend.errors import Forbidden
from backend.security.policy import (
    SYSTEM,
    TABLE,
    Action,
    Actor,
    Relation,
    Role,
    allowed,
    only_institution,
    require,
)

PERSON, PRACTITIONER, CENTRE = "person", "practitioner", "centre"

# What a use case would say of something that stands to the actor in this relation and in no other.
FACTS: dict[Relation, dict[str, object]] = {
    Relation.OWN: {"patient_id": PERSON, "participants": ["somebody"], "institution_id": "elsewhere"},
    Relation.PARTICIPANT: {"patient_id": "another", "participants": [PRACTITIONER], "institution_id": "elsewhere"},
    Relation.INSTITUTION: {"patient_id": "another", "participants": ["somebody"], "institution_id": CENTRE},
    Relation.ANSWERING: {
        "patient_id": "another",
        "participants": ["somebody"],
        "institution_id": "elsewhere",
        "answering_institution_id": CENTRE,
    },
    Relation.ANY: {"patient_id": "another", "participants": ["somebody"], "institution_id": "elsewhere"},
}

# The table again, as a person would say it; a change of the policy has to be made in both places.
PATIENTS_OWN = {
    "charge.begin", "charge.read", "charge.pay", "charge.cancel",
    "monitoring.pair", "monitoring.read", "reminders.plan", "reminders.read", "reminders.answer",
    "invoice.read",
    "imaging.read", "report.read", "prescription.read",
    "dispensing.order", "dispensing.read", "dispensing.receive",
    "video.enter", "video.read_recording", "video.answer_recording", "consultation.raise_alarm",
    "consultation.add_patient_note", "records.read", "records.write",
    "consultation.open", "consultation.view", "consultation.read_record", "consultation.list", "consultation.attach",
    "consultation.book", "consultation.reschedule", "consultation.cancel_booking", "consultation.post",
    "consultation.focus", "consultation.cancel", "consultation.rate", "scheduling.book", "scheduling.release",
    "people.read", "people.read_identity_number", "people.update", "people.consent", "file.put", "file.read",
    "people.read_accesses", "people.copy", "people.erase", "amendment.ask", "amendment.read",
}  # fmt: skip
EXPERTS_CASES = {
    "remuneration.read", "monitoring.read", "reminders.read", "teaching.propose",
    "imaging.read", "imaging.mark", "imaging.convert", "imaging.teach", "report.write", "report.read",
    "report.read_critical", "records.read", "records.write",
    "prescription.write", "prescription.read", "prescription.revoke", "dispensing.read",
    "video.enter", "video.read_recording", "video.answer_recording", "consultation.raise_alarm",
    "consultation.view", "consultation.read_record", "consultation.list", "consultation.attach",
    "consultation.answer_offer", "consultation.give_back", "consultation.reschedule", "consultation.cancel_booking",
    "consultation.request_supplement", "consultation.start", "consultation.post", "consultation.focus",
    "consultation.record_opinion", "consultation.complete", "consultation.record_no_show",
    "scheduling.read_schedule", "scheduling.set_week",
    "scheduling.add_absence", "scheduling.release", "people.read", "people.correct", "people.set_on_call",
    "file.put", "file.read", "amendment.read", "amendment.answer",
}  # fmt: skip
DOCTORS_CASES = {
    "charge.begin", "charge.read", "charge.cancel",
    "monitoring.pair", "monitoring.read", "monitoring.set_limits", "monitoring.acknowledge",
    "reminders.plan", "reminders.read", "teaching.propose",
    "imaging.store", "imaging.read", "imaging.mark", "imaging.convert", "imaging.teach", "report.read",
    "report.read_critical", "report.confirm_critical", "records.read", "records.write",
    "prescription.read",
    "video.enter", "video.read_recording", "video.answer_recording", "consultation.raise_alarm",
    "consultation.view", "consultation.read_record", "consultation.list", "consultation.acknowledge",
    "consultation.add_findings", "consultation.attach", "consultation.submit", "consultation.book",
    "consultation.reschedule", "consultation.cancel_booking", "consultation.answer_supplement", "consultation.post",
    "consultation.focus", "consultation.cancel", "consultation.record_no_show", "scheduling.book",
    "scheduling.release", "people.read", "people.read_identity_number", "people.update", "people.correct",
    "file.put", "file.read", "amendment.read", "amendment.answer",
}  # fmt: skip
GLASS = "people.break_glass"
OVERSEEING = {"charge.oversee", "imaging.oversee", "prescription.oversee"}
LIBRARY = {"teaching.read", "teaching.learn"}  # it names nobody: every doctor and expert
EVERYBODY = {"scheduling.read_slots", "people.read_directory"}
NOT_THEIRS = {
    Role.DEVICE: EVERYBODY,
    Role.PHARMACIST: {"scheduling.read_slots"},
    Role.INSTITUTION_ADMINISTRATOR: {"scheduling.read_slots"},
    Role.AUDITOR: {"scheduling.read_slots"},
}
SPOKEN: dict[tuple[Role, Relation], set[str]] = {
    (Role.PATIENT, Relation.OWN): PATIENTS_OWN,
    (Role.GRASSROOTS_DOCTOR, Relation.OWN): {"people.consent", "file.put"},
    (Role.GRASSROOTS_DOCTOR, Relation.PARTICIPANT): DOCTORS_CASES
    | {"prescription.write", "prescription.revoke", "dispensing.read"},
    (Role.GRASSROOTS_DOCTOR, Relation.INSTITUTION): DOCTORS_CASES
    | {"consultation.open_by_doctor", "imaging.read_quarantine", "imaging.decide"},
    (Role.GRASSROOTS_DOCTOR, Relation.ANY): {GLASS} | LIBRARY,
    (Role.EXPERT, Relation.ANY): {GLASS} | LIBRARY,
    (Role.EXPERT, Relation.OWN): {"people.consent"},
    (Role.EXPERT, Relation.PARTICIPANT): EXPERTS_CASES,
    (Role.PHARMACIST, Relation.OWN): {"people.consent"},
    (Role.PHARMACIST, Relation.INSTITUTION): {
        "prescription.read", "prescription.review", "dispensing.stock", "dispensing.handle", "dispensing.read",
        "dispensing.receive",
    },
    (Role.ADMINISTRATOR, Relation.OWN): {"people.consent"},
    (Role.ADMINISTRATOR, Relation.ANY): {
        "consultation.view", "consultation.list", "consultation.assign", "consultation.cancel_booking",
        "consultation.cancel", "consultation.reschedule",
        "scheduling.read_schedule", "scheduling.set_week", "scheduling.add_absence", "scheduling.release",
        "people.manage_directory", "people.set_on_call", "people.invite", "audit.read", "video.manage_nodes",
        "charge.read", "charge.decide", "charge.reconcile",
        "remuneration.read", "remuneration.list", *OVERSEEING, "reconciliation.read",
        "imaging.manage", "signing.manage", "records.manage_hospitals", "analytics.read", "operations.read",
        "surveillance.read", "surveillance.acknowledge", "surveillance.assess",
        "messaging.read_undelivered", "messaging.resend", "console.manage_accounts",
        "messaging.manage_channel", "matching.steer", "analytics.reckon",
        "research.export", "research.read_exports",
        "teaching.propose", "teaching.review", "teaching.read", "amendment.oversee",
    },
    (Role.INSTITUTION_ADMINISTRATOR, Relation.INSTITUTION): {
        "consultation.view", "consultation.list", "consultation.assign", "consultation.cancel",
        "consultation.reschedule", "scheduling.read_schedule", "scheduling.set_week", "scheduling.add_absence",
        "people.manage_directory", "people.invite", "analytics.read", "remuneration.list",
        "surveillance.read", "amendment.oversee", *OVERSEEING,
    },
    (Role.INSTITUTION_ADMINISTRATOR, Relation.ANSWERING): {"consultation.view", "consultation.list"},
    (Role.AUDITOR, Relation.ANY): {
        "audit.read", "analytics.read", "operations.read", "remuneration.list", "reconciliation.read",
        "surveillance.read", *OVERSEEING,
        "research.read_exports",
    },
    (Role.DEVICE, Relation.INSTITUTION): {"imaging.store"},
    (Role.DEVICE, Relation.PARTICIPANT): {"monitoring.send"},
    (Role.SYSTEM, Relation.ANY): {
        "charge.begin", "charge.read", "charge.cancel", "charge.reconcile",
        "monitoring.read", "reminders.plan", "reminders.read",
        "imaging.read", "imaging.manage", "imaging.forward", "imaging.remove", "imaging.file_document",
        "report.read", "report.read_critical", "records.read", "records.write",
        "prescription.read", "signing.manage", "dispensing.read", "dispensing.stock", "records.manage_hospitals",
        "records.write_back", "remuneration.read", "remuneration.list", "invoice.read",
        "video.manage_nodes", "video.record", "video.delete_recording", "consultation.raise_alarm",
        "consultation.open", "consultation.view", "consultation.read_record", "consultation.list",
        "consultation.submit", "consultation.assign", "consultation.book", "consultation.reschedule",
        "consultation.cancel_booking", "consultation.cancel", "consultation.record_no_show", "scheduling.set_week",
        "scheduling.add_absence", "scheduling.book", "scheduling.release", "people.read",
        "people.read_identity_number", "people.update",
        "people.manage_directory", "people.set_on_call", "people.invite", "file.put", "file.read", "audit.read",
        "keys.rotate", "console.manage_accounts", "analytics.reckon", "amendment.read",
    },
}  # fmt: skip


def spoken(role: Role, action: Action, relation: Relation) -> bool:
    if action.value in EVERYBODY - NOT_THEIRS.get(role, set()):
        return True
    return any(action.value in SPOKEN.get((role, one), set()) for one in {relation, Relation.ANY})


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_a_role_may_do_what_the_policy_says_and_nothing_else(role: Role, action: Action) -> None:
    actor = Actor(PERSON, frozenset({role}), PRACTITIONER, CENTRE)
    for relation in Relation:
        may = spoken(role, action, relation)
        assert allowed(actor, action, **FACTS[relation]) is may, relation  # type: ignore[arg-type]
        if may:
            require(actor, action, **FACTS[relation])  # type: ignore[arg-type]
        else:
            with pytest.raises(Forbidden) as refused:
                require(actor, action, **FACTS[relation])  # type: ignore[arg-type]
            assert refused.value.details == {"action": action.value}


def test_the_walk_is_as_large_as_it_is_said_to_be(counted: Callable[[str], None]) -> None:
    walked = len(Role) * len(Action) * len(Relation)
    counted(f"policy: {len(Role)} roles x {len(Action)} operations x {len(Relation)} relations: {walked} walked")
    assert set(FACTS) == set(Relation)


def test_the_table_speaks_of_every_action_and_every_role() -> None:
    assert set(TABLE) == set(Action)
    assert all(set(grants) == set(Role) for grants in TABLE.values())


def test_a_person_of_two_roles_may_do_what_either_may() -> None:
    actor = Actor(PERSON, frozenset({Role.PATIENT, Role.EXPERT}), PRACTITIONER, CENTRE)
    assert allowed(actor, Action.CONSULTATION_RATE, patient_id=PERSON)
    assert allowed(actor, Action.CONSULTATION_START, participants=[PRACTITIONER])
    assert not allowed(actor, Action.CONSULTATION_START, patient_id=PERSON)


def test_a_participant_is_known_by_person_or_by_practitioner() -> None:
    actor = Actor(PERSON, frozenset({Role.EXPERT}), PRACTITIONER)
    assert allowed(actor, Action.CONSULTATION_POST, participants=[PERSON])
    assert allowed(actor, Action.CONSULTATION_POST, participants=[PRACTITIONER])


@pytest.mark.parametrize("action", list(Action))
def test_nothing_that_is_missing_counts_as_a_relation(action: Action) -> None:
    nobody = Actor("", frozenset(Role) - {Role.SYSTEM, Role.ADMINISTRATOR, Role.AUDITOR}, None, None)
    if action.value not in EVERYBODY | LIBRARY | {GLASS}:
        missing: dict[str, Any] = {"patient_id": "", "participants": ["", None], "institution_id": ""}
        assert not allowed(nobody, action, **missing, answering_institution_id="")
        assert not allowed(nobody, action)


@pytest.mark.parametrize("action", list(Action))
def test_somebody_without_a_role_may_do_nothing(action: Action) -> None:
    nobody = Actor(PERSON, frozenset(), PRACTITIONER, CENTRE)
    assert not any(allowed(nobody, action, **facts) for facts in FACTS.values())  # type: ignore[arg-type]


@pytest.mark.parametrize("role", list(Role))
def test_whoever_broke_the_glass_reads_of_that_patient_what_the_care_of_them_lets_read_and_changes_nothing(
    role: Role,
) -> None:
    actor = Actor(PERSON, frozenset({role}), PRACTITIONER, CENTRE, emergency=frozenset({"another"}))
    for action in Action:
        reads = action.value in {
            "consultation.view", "consultation.read_record", "imaging.read", "monitoring.read", "people.read",
            "prescription.read", "records.read", "report.read", "amendment.read",
        }  # fmt: skip
        may = spoken(role, action, Relation.ANY) or (reads and spoken(role, action, Relation.PARTICIPANT))
        assert allowed(actor, action, **FACTS[Relation.ANY]) is may, action  # type: ignore[arg-type]
        elsewhere = {**FACTS[Relation.ANY], "patient_id": "a third"}
        assert allowed(actor, action, **elsewhere) is spoken(role, action, Relation.ANY), action  # type: ignore[arg-type]


def test_the_platform_gives_no_opinion_and_no_consent() -> None:
    for action in (Action.CONSULTATION_RECORD_OPINION, Action.CONSULTATION_COMPLETE, Action.PEOPLE_CONSENT):
        assert not allowed(SYSTEM, action)


def test_a_list_is_of_all_institutions_of_ones_own_or_of_none() -> None:
    def at(role: Role, institution_id: str | None) -> Actor:
        return Actor("person", frozenset({role}), institution_id=institution_id)

    assert only_institution(at(Role.ADMINISTRATOR, None), Action.CHARGE_OVERSEE) is None
    assert only_institution(at(Role.AUDITOR, None), Action.CHARGE_OVERSEE) is None
    assert only_institution(at(Role.INSTITUTION_ADMINISTRATOR, CENTRE), Action.CHARGE_OVERSEE) == CENTRE
    for actor in (at(Role.INSTITUTION_ADMINISTRATOR, None), at(Role.GRASSROOTS_DOCTOR, CENTRE)):
        with pytest.raises(Forbidden):
            only_institution(actor, Action.CHARGE_OVERSEE)
