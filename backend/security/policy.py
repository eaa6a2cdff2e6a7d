"""Who acts, and what each role may do: one table that the code reads, checked by every use case."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from backend.errors import Forbidden


class Role(StrEnum):
    """What a person is to the platform; one person may be several."""

    PATIENT = "patient"
    GRASSROOTS_DOCTOR = "grassroots_doctor"
    EXPERT = "expert"
    PHARMACIST = "pharmacist"
    ADMINISTRATOR = "administrator"  # of the platform
    INSTITUTION_ADMINISTRATOR = "institution_admin"  # of one institution, in the console alone
    AUDITOR = "auditor"  # sees who did what, and changes nothing; in the console alone
    DEVICE = "device"  # a machine that sends: a modality or a PACS of an institution, a cuff at a patient's home
    SYSTEM = "system"  # the platform itself: timers, matching, delivery


@dataclass(frozen=True)
class Actor:
    """Who does something.

    Args:
        person_id: the person; the platform itself has none.
        practitioner_id: the doctor, expert or pharmacist that this person is, if any.
        institution_id: where they work, if anywhere.
        wards: ids of the patients for whom they speak: children, parents. What is theirs is the actor's own.
        emergency: ids of the patients whose data they may read for a while, because they said why it cannot wait.
    """

    person_id: str
    roles: frozenset[Role]
    practitioner_id: str | None = None
    institution_id: str | None = None
    wards: frozenset[str] = frozenset()
    emergency: frozenset[str] = frozenset()

    @property
    def own(self) -> frozenset[str]:
        """The patients whose things are the actor's own: themselves, and those for whom they speak."""
        return self.wards | ({self.person_id} if self.person_id else frozenset())

    def owns(self, patient_id: str | None) -> bool:
        """Tell whether what is this patient's is the actor's own: they are the patient, or speak for them."""
        return patient_id in self.own


SYSTEM = Actor(person_id="", roles=frozenset({Role.SYSTEM}))
"""The platform acting by itself."""


class Relation(StrEnum):
    """How an actor stands to what it acts upon."""

    OWN = "own"  # the actor is the patient (or the person) that it is about, or speaks for them
    PARTICIPANT = "participant"  # the actor takes part in this care: its doctor, its expert, an expert who is asked
    INSTITUTION = "institution"  # it belongs to the institution where the actor works
    ANSWERING = "answering"  # an expert of the institution where the actor works has taken it
    ANY = "any"  # no relation is needed


class Action(StrEnum):
    """Everything that a use case may ask the policy about."""

    CONSULTATION_OPEN = "consultation.open"
    CONSULTATION_OPEN_BY_DOCTOR = "consultation.open_by_doctor"
    CONSULTATION_VIEW = "consultation.view"  # state, codes, names of those who take part, timeline
    CONSULTATION_READ_RECORD = "consultation.read_record"  # what is clinical: record, findings, messages, opinion
    CONSULTATION_LIST = "consultation.list"
    CONSULTATION_ACKNOWLEDGE = "consultation.acknowledge"
    CONSULTATION_ADD_FINDINGS = "consultation.add_findings"
    CONSULTATION_ATTACH = "consultation.attach"
    CONSULTATION_ADD_PATIENT_NOTE = "consultation.add_patient_note"
    CONSULTATION_SUBMIT = "consultation.submit"
    CONSULTATION_ANSWER_OFFER = "consultation.answer_offer"
    CONSULTATION_ASSIGN = "consultation.assign"
    CONSULTATION_GIVE_BACK = "consultation.give_back"
    CONSULTATION_BOOK = "consultation.book"
    CONSULTATION_RESCHEDULE = "consultation.reschedule"
    CONSULTATION_CANCEL_BOOKING = "consultation.cancel_booking"
    CONSULTATION_REQUEST_SUPPLEMENT = "consultation.request_supplement"
    CONSULTATION_ANSWER_SUPPLEMENT = "consultation.answer_supplement"
    CONSULTATION_START = "consultation.start"
    CONSULTATION_POST = "consultation.post"
    CONSULTATION_FOCUS = "consultation.focus"
    CONSULTATION_RECORD_OPINION = "consultation.record_opinion"
    CONSULTATION_COMPLETE = "consultation.complete"
    CONSULTATION_CANCEL = "consultation.cancel"
    CONSULTATION_RECORD_NO_SHOW = "consultation.record_no_show"
    CONSULTATION_RATE = "consultation.rate"
    CONSULTATION_RAISE_ALARM = "consultation.raise_alarm"
    VIDEO_ENTER = "video.enter"
    VIDEO_ANSWER_RECORDING = "video.answer_recording"  # whether one may be recorded
    VIDEO_RECORD = "video.record"
    VIDEO_READ_RECORDING = "video.read_recording"
    VIDEO_DELETE_RECORDING = "video.delete_recording"
    VIDEO_MANAGE_NODES = "video.manage_nodes"
    IMAGING_STORE = "imaging.store"
    IMAGING_READ = "imaging.read"  # the images of a consultation
    IMAGING_READ_QUARANTINE = "imaging.read_quarantine"
    IMAGING_DECIDE = "imaging.decide"  # whose images these are
    IMAGING_MANAGE = "imaging.manage"  # which machines may send, and where studies go; what is stored
    IMAGING_MARK = "imaging.mark"  # which images of a consultation are telling
    IMAGING_CONVERT = "imaging.convert"  # a photograph becomes an image of a study
    IMAGING_FORWARD = "imaging.forward"  # a study leaves for another institution's PACS
    IMAGING_REMOVE = "imaging.remove"  # a study that was rejected is removed when its time is up
    IMAGING_TEACH = "imaging.teach"  # a de-identified copy of a study leaves for those who teach
    IMAGING_FILE_DOCUMENT = "imaging.file_document"  # reports of the platform, in the study and out again
    IMAGING_OVERSEE = "imaging.oversee"  # what arrived, what goes where and what does not; no images
    RECORDS_READ = "records.read"  # what is known of a patient: observations, allergies, medicines, conditions
    RECORDS_WRITE = "records.write"
    RECORDS_MANAGE_HOSPITALS = "records.manage_hospitals"  # whose FHIR servers are asked
    RECORDS_WRITE_BACK = "records.write_back"  # what happened here, into the record of a hospital that took part
    REPORT_WRITE = "report.write"  # drafts, signing, amending, marking critical values
    REPORT_READ = "report.read"
    REPORT_READ_CRITICAL = "report.read_critical"
    REPORT_CONFIRM_CRITICAL = "report.confirm_critical"
    PRESCRIPTION_WRITE = "prescription.write"  # drafts, overriding warnings, signing
    PRESCRIPTION_READ = "prescription.read"  # once approved; those who write or review one see it before
    PRESCRIPTION_REVIEW = "prescription.review"  # a pharmacist's approval, or return
    PRESCRIPTION_REVOKE = "prescription.revoke"
    PRESCRIPTION_OVERSEE = "prescription.oversee"  # where prescriptions and orders stand; not what is prescribed
    DISPENSING_STOCK = "dispensing.stock"  # what a pharmacy has
    DISPENSING_ORDER = "dispensing.order"  # placed, taken back; asking to be prescribed once more
    DISPENSING_READ = "dispensing.read"
    DISPENSING_HANDLE = "dispensing.handle"  # accepted, refused, packed, sent, redeemed
    DISPENSING_RECEIVE = "dispensing.receive"
    CHARGE_BEGIN = "charge.begin"  # a time is held, and insurance asked what it pays
    CHARGE_READ = "charge.read"
    CHARGE_PAY = "charge.pay"
    CHARGE_CANCEL = "charge.cancel"
    CHARGE_DECIDE = "charge.decide"  # what waits for a person: differences, refunds that failed
    CHARGE_RECONCILE = "charge.reconcile"  # our ledger against the books of insurer and payment provider
    CHARGE_OVERSEE = "charge.oversee"  # charges from above: lists and totals, and one with its steps and postings
    RECONCILIATION_READ = "reconciliation.read"  # what was compared, what differed, what was done about it
    REMUNERATION_READ = "remuneration.read"  # what an expert is paid for a month
    REMUNERATION_LIST = "remuneration.list"  # what everybody is paid
    INVOICE_READ = "invoice.read"
    SIGNING_MANAGE = "signing.manage"  # certificates of those who sign: issued, listed, revoked
    MONITORING_PAIR = "monitoring.pair"  # devices at home: added, taken away
    MONITORING_SEND = "monitoring.send"
    MONITORING_READ = "monitoring.read"  # devices, limits and alerts of a patient
    MONITORING_SET_LIMITS = "monitoring.set_limits"
    MONITORING_ACKNOWLEDGE = "monitoring.acknowledge"
    REMINDERS_PLAN = "reminders.plan"  # which medicines a patient is reminded of
    REMINDERS_READ = "reminders.read"
    REMINDERS_ANSWER = "reminders.answer"
    TEACHING_PROPOSE = "teaching.propose"  # a finished consultation, for the case library
    TEACHING_REVIEW = "teaching.review"  # anonymous drafts, what is published, everybody's points
    TEACHING_READ = "teaching.read"  # what is published
    TEACHING_LEARN = "teaching.learn"  # questions answered, own points
    SCHEDULING_READ_SLOTS = "scheduling.read_slots"
    SCHEDULING_READ_SCHEDULE = "scheduling.read_schedule"  # an expert's hours, absences and who is booked when
    SCHEDULING_SET_WEEK = "scheduling.set_week"  # the hours of the week, and those of single days
    SCHEDULING_ADD_ABSENCE = "scheduling.add_absence"
    SCHEDULING_BOOK = "scheduling.book"
    SCHEDULING_RELEASE = "scheduling.release"
    PEOPLE_READ = "people.read"
    PEOPLE_READ_IDENTITY_NUMBER = "people.read_identity_number"  # the citizen's, to tell people apart
    PEOPLE_UPDATE = "people.update"
    PEOPLE_CORRECT = "people.correct"  # the birth date and sex of a patient, by who treats them
    PEOPLE_CONSENT = "people.consent"
    PEOPLE_READ_ACCESSES = "people.read_accesses"  # who did what with one's own data
    PEOPLE_COPY = "people.copy"  # all that is kept of one, to take away
    PEOPLE_ERASE = "people.erase"  # what is one's own is destroyed, and what has to be kept when its time is over
    PEOPLE_BREAK_GLASS = "people.break_glass"  # to read in an emergency what one otherwise may not
    PEOPLE_READ_DIRECTORY = "people.read_directory"
    PEOPLE_MANAGE_DIRECTORY = "people.manage_directory"
    PEOPLE_SET_ON_CALL = "people.set_on_call"
    PEOPLE_INVITE = "people.invite"
    AMENDMENT_ASK = "amendment.ask"  # that a finished record is put right; taken back
    AMENDMENT_READ = "amendment.read"  # requests, addenda
    AMENDMENT_ANSWER = "amendment.answer"  # an addendum, or why not
    AMENDMENT_OVERSEE = "amendment.oversee"  # which requests wait for whom; not what is written
    FILE_PUT = "file.put"
    FILE_READ = "file.read"
    AUDIT_READ = "audit.read"
    RESEARCH_EXPORT = "research.export"  # finished cases as a table in which nobody can be found
    RESEARCH_READ_EXPORTS = "research.read_exports"  # what was exported, when, by whom, what for
    ANALYTICS_READ = "analytics.read"  # how many, how fast, how well: figures, and which consultations are behind them
    ANALYTICS_RECKON = "analytics.reckon"  # savings of past cases, when places or parameters have become known
    SURVEILLANCE_READ = "surveillance.read"  # how many of which syndrome, where and when; never who
    SURVEILLANCE_ACKNOWLEDGE = "surveillance.acknowledge"
    SURVEILLANCE_ASSESS = "surveillance.assess"  # looking for alarms by hand
    MESSAGING_READ_UNDELIVERED = "messaging.read_undelivered"
    MESSAGING_RESEND = "messaging.resend"
    MESSAGING_MANAGE_CHANNEL = "messaging.manage_channel"  # menus and templates where people are reached
    MATCHING_STEER = "matching.steer"  # what experts are compared by: seen, tried on past cases, published
    OPERATIONS_READ = "operations.read"  # whether every part works, and what waits
    CONSOLE_MANAGE_ACCOUNTS = "console.manage_accounts"
    KEYS_ROTATE = "keys.rotate"


Grants = dict[Role, frozenset[Relation]]


def _grants(
    patient: Relation | None = None,
    doctor: Collection[Relation] = (),
    expert: Relation | None = None,
    administrator: Relation | None = None,
    pharmacist: Relation | None = None,
    device: Relation | None = None,
    system: Relation | None = None,
    institution_administrator: Relation | None = None,
    auditor: Relation | None = None,
    answering_administrator: bool = False,
) -> Grants:
    grants = {Role.GRASSROOTS_DOCTOR: frozenset(doctor)}
    single = {
        Role.PATIENT: patient,
        Role.EXPERT: expert,
        Role.ADMINISTRATOR: administrator,
        Role.PHARMACIST: pharmacist,
        Role.DEVICE: device,
        Role.SYSTEM: system,
        Role.INSTITUTION_ADMINISTRATOR: institution_administrator,
        Role.AUDITOR: auditor,
    }
    grants |= {role: frozenset([relation] if relation else []) for role, relation in single.items()}
    if answering_administrator:
        grants[Role.INSTITUTION_ADMINISTRATOR] |= {Relation.ANSWERING}
    return grants


OWN, PARTICIPANT, INSTITUTION, ANY = Relation.OWN, Relation.PARTICIPANT, Relation.INSTITUTION, Relation.ANY

# A colleague at the same township centre may stand in for the doctor of a case; an expert sees only the cases that they
# are asked about or took; an administrator steers cases without reading what is clinical in them, and a hospital's sees
# of the cases that its experts have taken what is not clinical, and changes none.
DOCTORS = (PARTICIPANT, INSTITUTION)

TABLE: dict[Action, Grants] = {
    Action.CONSULTATION_OPEN: _grants(patient=OWN, system=ANY),
    Action.CONSULTATION_OPEN_BY_DOCTOR: _grants(doctor=[INSTITUTION]),
    Action.CONSULTATION_VIEW: _grants(
        OWN,
        DOCTORS,
        PARTICIPANT,
        administrator=ANY,
        system=ANY,
        institution_administrator=INSTITUTION,
        answering_administrator=True,
    ),
    Action.CONSULTATION_READ_RECORD: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.CONSULTATION_LIST: _grants(
        OWN,
        DOCTORS,
        PARTICIPANT,
        administrator=ANY,
        system=ANY,
        institution_administrator=INSTITUTION,
        answering_administrator=True,
    ),
    Action.CONSULTATION_ACKNOWLEDGE: _grants(doctor=DOCTORS),
    Action.CONSULTATION_ADD_FINDINGS: _grants(doctor=DOCTORS),
    Action.CONSULTATION_ATTACH: _grants(OWN, DOCTORS, PARTICIPANT),
    Action.CONSULTATION_ADD_PATIENT_NOTE: _grants(OWN),
    Action.CONSULTATION_SUBMIT: _grants(doctor=DOCTORS, system=ANY),
    Action.CONSULTATION_ANSWER_OFFER: _grants(expert=PARTICIPANT),
    Action.CONSULTATION_ASSIGN: _grants(administrator=ANY, system=ANY, institution_administrator=INSTITUTION),
    Action.CONSULTATION_GIVE_BACK: _grants(expert=PARTICIPANT),
    Action.CONSULTATION_BOOK: _grants(OWN, DOCTORS, system=ANY),
    Action.CONSULTATION_RESCHEDULE: _grants(
        OWN, DOCTORS, PARTICIPANT, administrator=ANY, system=ANY, institution_administrator=INSTITUTION
    ),
    Action.CONSULTATION_CANCEL_BOOKING: _grants(OWN, DOCTORS, PARTICIPANT, administrator=ANY, system=ANY),
    Action.CONSULTATION_REQUEST_SUPPLEMENT: _grants(expert=PARTICIPANT),
    Action.CONSULTATION_ANSWER_SUPPLEMENT: _grants(doctor=DOCTORS),
    Action.CONSULTATION_START: _grants(expert=PARTICIPANT),
    Action.CONSULTATION_POST: _grants(OWN, DOCTORS, PARTICIPANT),
    Action.CONSULTATION_FOCUS: _grants(OWN, DOCTORS, PARTICIPANT),
    Action.CONSULTATION_RECORD_OPINION: _grants(expert=PARTICIPANT),
    Action.CONSULTATION_COMPLETE: _grants(expert=PARTICIPANT),
    Action.CONSULTATION_CANCEL: _grants(
        OWN, DOCTORS, administrator=ANY, system=ANY, institution_administrator=INSTITUTION
    ),
    Action.CONSULTATION_RECORD_NO_SHOW: _grants(doctor=DOCTORS, expert=PARTICIPANT, system=ANY),
    Action.CONSULTATION_RATE: _grants(OWN),
    Action.CONSULTATION_RAISE_ALARM: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.VIDEO_ENTER: _grants(OWN, DOCTORS, PARTICIPANT),
    Action.VIDEO_ANSWER_RECORDING: _grants(OWN, DOCTORS, PARTICIPANT),
    Action.VIDEO_RECORD: _grants(system=ANY),
    Action.VIDEO_READ_RECORDING: _grants(OWN, DOCTORS, PARTICIPANT),
    Action.VIDEO_DELETE_RECORDING: _grants(system=ANY),
    Action.VIDEO_MANAGE_NODES: _grants(administrator=ANY, system=ANY),
    Action.IMAGING_STORE: _grants(doctor=DOCTORS, device=INSTITUTION),
    Action.IMAGING_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.IMAGING_READ_QUARANTINE: _grants(doctor=[INSTITUTION]),
    Action.IMAGING_DECIDE: _grants(doctor=[INSTITUTION]),
    Action.IMAGING_MANAGE: _grants(administrator=ANY, system=ANY),
    Action.IMAGING_MARK: _grants(doctor=DOCTORS, expert=PARTICIPANT),
    Action.IMAGING_CONVERT: _grants(doctor=DOCTORS, expert=PARTICIPANT),
    Action.IMAGING_FORWARD: _grants(system=ANY),
    Action.IMAGING_REMOVE: _grants(system=ANY),
    Action.IMAGING_TEACH: _grants(doctor=DOCTORS, expert=PARTICIPANT),
    Action.IMAGING_FILE_DOCUMENT: _grants(system=ANY),
    Action.IMAGING_OVERSEE: _grants(administrator=ANY, institution_administrator=INSTITUTION, auditor=ANY),
    Action.RECORDS_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.RECORDS_WRITE: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.RECORDS_MANAGE_HOSPITALS: _grants(administrator=ANY, system=ANY),
    Action.RECORDS_WRITE_BACK: _grants(system=ANY),
    Action.REPORT_WRITE: _grants(expert=PARTICIPANT),
    Action.REPORT_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.REPORT_READ_CRITICAL: _grants(doctor=DOCTORS, expert=PARTICIPANT, system=ANY),
    Action.REPORT_CONFIRM_CRITICAL: _grants(doctor=DOCTORS),
    Action.PRESCRIPTION_WRITE: _grants(doctor=[PARTICIPANT], expert=PARTICIPANT),
    Action.PRESCRIPTION_READ: _grants(OWN, DOCTORS, PARTICIPANT, pharmacist=INSTITUTION, system=ANY),
    Action.PRESCRIPTION_REVIEW: _grants(pharmacist=INSTITUTION),
    Action.PRESCRIPTION_REVOKE: _grants(doctor=[PARTICIPANT], expert=PARTICIPANT),
    Action.PRESCRIPTION_OVERSEE: _grants(administrator=ANY, institution_administrator=INSTITUTION, auditor=ANY),
    Action.DISPENSING_STOCK: _grants(pharmacist=INSTITUTION, system=ANY),
    Action.DISPENSING_ORDER: _grants(OWN),
    Action.DISPENSING_READ: _grants(OWN, [PARTICIPANT], PARTICIPANT, pharmacist=INSTITUTION, system=ANY),
    Action.DISPENSING_HANDLE: _grants(pharmacist=INSTITUTION),
    Action.DISPENSING_RECEIVE: _grants(OWN, pharmacist=INSTITUTION),
    Action.CHARGE_BEGIN: _grants(OWN, DOCTORS, system=ANY),
    Action.CHARGE_READ: _grants(OWN, DOCTORS, administrator=ANY, system=ANY),
    Action.CHARGE_PAY: _grants(OWN),
    Action.CHARGE_CANCEL: _grants(OWN, DOCTORS, system=ANY),
    Action.CHARGE_DECIDE: _grants(administrator=ANY),
    Action.CHARGE_RECONCILE: _grants(administrator=ANY, system=ANY),
    Action.CHARGE_OVERSEE: _grants(administrator=ANY, institution_administrator=INSTITUTION, auditor=ANY),
    Action.RECONCILIATION_READ: _grants(administrator=ANY, auditor=ANY),
    Action.REMUNERATION_READ: _grants(expert=PARTICIPANT, administrator=ANY, system=ANY),
    Action.REMUNERATION_LIST: _grants(
        administrator=ANY, system=ANY, institution_administrator=INSTITUTION, auditor=ANY
    ),
    Action.INVOICE_READ: _grants(OWN, system=ANY),
    Action.SIGNING_MANAGE: _grants(administrator=ANY, system=ANY),
    Action.MONITORING_PAIR: _grants(OWN, DOCTORS),
    Action.MONITORING_SEND: _grants(device=PARTICIPANT),
    Action.MONITORING_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.MONITORING_SET_LIMITS: _grants(doctor=DOCTORS),
    Action.MONITORING_ACKNOWLEDGE: _grants(doctor=DOCTORS),
    Action.REMINDERS_PLAN: _grants(OWN, DOCTORS, system=ANY),
    Action.REMINDERS_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.REMINDERS_ANSWER: _grants(OWN),
    Action.TEACHING_PROPOSE: _grants(doctor=DOCTORS, expert=PARTICIPANT, administrator=ANY),
    Action.TEACHING_REVIEW: _grants(administrator=ANY),
    Action.TEACHING_READ: _grants(doctor=[ANY], expert=ANY, administrator=ANY),
    Action.TEACHING_LEARN: _grants(doctor=[ANY], expert=ANY),
    Action.SCHEDULING_READ_SLOTS: _grants(ANY, [ANY], ANY, administrator=ANY, system=ANY),
    Action.SCHEDULING_READ_SCHEDULE: _grants(
        expert=PARTICIPANT, administrator=ANY, institution_administrator=INSTITUTION
    ),
    Action.SCHEDULING_SET_WEEK: _grants(
        expert=PARTICIPANT, administrator=ANY, system=ANY, institution_administrator=INSTITUTION
    ),
    Action.SCHEDULING_ADD_ABSENCE: _grants(
        expert=PARTICIPANT, administrator=ANY, system=ANY, institution_administrator=INSTITUTION
    ),
    Action.SCHEDULING_BOOK: _grants(OWN, DOCTORS, system=ANY),
    Action.SCHEDULING_RELEASE: _grants(OWN, DOCTORS, PARTICIPANT, administrator=ANY, system=ANY),
    Action.PEOPLE_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.PEOPLE_READ_IDENTITY_NUMBER: _grants(OWN, DOCTORS, system=ANY),
    Action.PEOPLE_UPDATE: _grants(OWN, DOCTORS, system=ANY),
    Action.PEOPLE_CORRECT: _grants(doctor=DOCTORS, expert=PARTICIPANT),
    Action.PEOPLE_CONSENT: _grants(OWN, [OWN], OWN, administrator=OWN, pharmacist=OWN),
    Action.PEOPLE_READ_ACCESSES: _grants(OWN),
    Action.PEOPLE_COPY: _grants(OWN),
    Action.PEOPLE_ERASE: _grants(OWN),
    Action.PEOPLE_BREAK_GLASS: _grants(doctor=[ANY], expert=ANY),
    Action.PEOPLE_READ_DIRECTORY: _grants(
        ANY, [ANY], ANY, administrator=ANY, pharmacist=ANY, system=ANY, institution_administrator=ANY, auditor=ANY
    ),
    Action.PEOPLE_MANAGE_DIRECTORY: _grants(administrator=ANY, system=ANY, institution_administrator=INSTITUTION),
    Action.PEOPLE_SET_ON_CALL: _grants(expert=PARTICIPANT, administrator=ANY, system=ANY),
    Action.PEOPLE_INVITE: _grants(administrator=ANY, system=ANY, institution_administrator=INSTITUTION),
    Action.AMENDMENT_ASK: _grants(OWN),
    Action.AMENDMENT_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.AMENDMENT_ANSWER: _grants(doctor=DOCTORS, expert=PARTICIPANT),
    Action.AMENDMENT_OVERSEE: _grants(administrator=ANY, institution_administrator=INSTITUTION),
    Action.FILE_PUT: _grants(OWN, [OWN, *DOCTORS], PARTICIPANT, system=ANY),
    Action.FILE_READ: _grants(OWN, DOCTORS, PARTICIPANT, system=ANY),
    Action.AUDIT_READ: _grants(administrator=ANY, system=ANY, auditor=ANY),
    Action.RESEARCH_EXPORT: _grants(administrator=ANY),
    Action.RESEARCH_READ_EXPORTS: _grants(administrator=ANY, auditor=ANY),
    Action.ANALYTICS_READ: _grants(administrator=ANY, institution_administrator=INSTITUTION, auditor=ANY),
    Action.ANALYTICS_RECKON: _grants(administrator=ANY, system=ANY),
    Action.SURVEILLANCE_READ: _grants(administrator=ANY, institution_administrator=INSTITUTION, auditor=ANY),
    Action.SURVEILLANCE_ACKNOWLEDGE: _grants(administrator=ANY),
    Action.SURVEILLANCE_ASSESS: _grants(administrator=ANY),
    Action.MESSAGING_READ_UNDELIVERED: _grants(administrator=ANY),
    Action.MESSAGING_RESEND: _grants(administrator=ANY),
    Action.MESSAGING_MANAGE_CHANNEL: _grants(administrator=ANY),
    Action.MATCHING_STEER: _grants(administrator=ANY),
    Action.OPERATIONS_READ: _grants(administrator=ANY, auditor=ANY),
    Action.CONSOLE_MANAGE_ACCOUNTS: _grants(administrator=ANY, system=ANY),
    Action.KEYS_ROTATE: _grants(system=ANY),
}
"""For every action, the relations in which each role may do it; what is not here is refused."""


EMERGENCY_READS = frozenset(
    {
        Action.AMENDMENT_READ,
        Action.CONSULTATION_VIEW,
        Action.CONSULTATION_READ_RECORD,
        Action.IMAGING_READ,
        Action.MONITORING_READ,
        Action.PEOPLE_READ,
        Action.PRESCRIPTION_READ,
        Action.RECORDS_READ,
        Action.REPORT_READ,
    }
)
"""What whoever broke the glass may do with that patient's data: as if they took part in the care, and reading alone."""


def granted(actor: Actor, action: Action) -> frozenset[Relation]:
    """Give the relations in which the actor may do `action`, for a query over many that it may be about."""
    return frozenset().union(*(TABLE[action][role] for role in actor.roles))


def only_institution(actor: Actor, action: Action) -> str | None:
    """Give the institution to which a list of what belongs to institutions is confined; None where it is of all.

    Raises:
        Forbidden: the actor may do this neither everywhere nor at an institution of theirs.
    """
    relations = granted(actor, action)
    if Relation.ANY in relations:
        return None
    if actor.institution_id is None or Relation.INSTITUTION not in relations:
        raise Forbidden(action=action.value)
    return actor.institution_id


def allowed(
    actor: Actor,
    action: Action,
    *,
    patient_id: str | None = None,
    participants: Collection[str] = (),
    institution_id: str | None = None,
    answering_institution_id: str | None = None,
) -> bool:
    """Tell whether one of the actor's roles may do `action` in a relation that holds; arguments as in `require`."""
    holding = {Relation.ANY}
    if actor.owns(patient_id):
        holding.add(Relation.OWN)
    if patient_id in actor.emergency and action in EMERGENCY_READS:
        holding.add(Relation.PARTICIPANT)
    if {actor.person_id, actor.practitioner_id} & set(participants) - {"", None}:
        holding.add(Relation.PARTICIPANT)
    if actor.institution_id and actor.institution_id == institution_id:
        holding.add(Relation.INSTITUTION)
    if actor.institution_id and actor.institution_id == answering_institution_id:
        holding.add(Relation.ANSWERING)
    return bool(granted(actor, action) & holding)


def require(
    actor: Actor,
    action: Action,
    *,
    patient_id: str | None = None,
    participants: Collection[str] = (),
    institution_id: str | None = None,
    answering_institution_id: str | None = None,
) -> None:
    """Let `action` pass, or refuse it.

    Args:
        patient_id: the patient (or, for a person's own matters, the person) that it is about.
        participants: person ids or practitioner ids of those who take part in that care.
        institution_id: the institution that it belongs to.
        answering_institution_id: that of the expert who has taken it.

    Raises:
        Forbidden: no role of the actor may do this in any relation that holds.
    """
    if not allowed(
        actor,
        action,
        patient_id=patient_id,
        participants=participants,
        institution_id=institution_id,
        answering_institution_id=answering_institution_id,
    ):
        raise Forbidden(action=action.value)
