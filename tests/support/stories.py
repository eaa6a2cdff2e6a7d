"""Several people around one case: the whole dialogue, the notifications, and everybody's phone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backend.consultation.rules import Urgency
from backend.consultation.views import ConsultationView
from backend.ids import new_id
from backend.security.policy import SYSTEM, Role
from bot.dialogue import Dialogue
from bot.flows.registration import register_flows
from bot.flows.staff_menus import idle_flow
from bot.messages import Menu, Message
from bot.notifications import register as register_notifications
from nlu.facts import CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.summary import summarise
from nlu.types import Context
from tests.support.conversation import Conversation, words_of
from tests.support.house import House
from tests.support.provider import PROVIDER

COMPLAINT = "咳嗽三天了，发烧38.5度，没有胸痛"


class Phone(Conversation):
    """A chat that also gets what the platform sends by itself."""

    def __init__(self, house: House, dialogue: Dialogue, person_id: str) -> None:
        super().__init__(house, dialogue, person_id)
        self._heard = 0

    async def heard(self) -> list[Message]:
        """Give what has come by itself since the last look; its answers can be tapped from now on."""
        await self.house.settle()
        arrived = self.house.outbox.by_person[self.person_id]
        new, self._heard = arrived[self._heard :], len(arrived)
        self.menus += [message for message in new if isinstance(message, Menu)]
        return new

    async def hear(self) -> str:
        """Give the words of what has come by itself since the last look."""
        return "\n".join(words_of(message) for message in await self.heard())


@dataclass
class Story:
    """A house in which everything is connected, and its people."""

    house: House
    dialogue: Dialogue
    phones: dict[str, Phone] = field(default_factory=dict)

    @classmethod
    async def begin(cls, house: House) -> "Story":
        """Connect everything."""
        register_notifications(house.events, house.services)
        dialogue = Dialogue(PROVIDER, house.services, idle=idle_flow)
        register_flows(dialogue)
        return cls(house, dialogue)

    async def phone(self) -> Phone:
        """Somebody new, who follows the account."""
        return Phone(self.house, self.dialogue, await self.house.new_person())

    async def invite(
        self, name: str, role: Role, institution: str, department: str, title: str = "主任医师", **more: object
    ) -> str:
        """Add a practitioner to the directory and give the scene of their invitation."""
        people, practitioner_id = self.house.services.people, new_id()
        await people.put_practitioner(
            SYSTEM,
            practitioner_id,
            role=role,
            name=name,
            licence_number=f"2{len(self.house.practitioners):014}",
            institution_id=self.house.institutions[institution],
            department_code=department,
            title=title,
            practising_since=2005,
            **more,  # type: ignore[arg-type]
        )
        self.house.practitioners[name] = practitioner_id
        return (await people.create_invitation(SYSTEM, practitioner_id)).scene

    async def join(self, name: str, role: Role, institution: str, department: str, **more: object) -> Phone:
        """Let a practitioner join as they do: by scanning the code of their invitation."""
        scene = await self.invite(name, role, institution, department, **more)  # type: ignore[arg-type]
        phone = self.phones[name] = await self.phone()
        await phone.follow(scene)
        return phone

    async def patient(self, name: str = "张小明") -> Phone:
        """A patient with a name who has agreed to the consent."""
        people = self.house.services.people
        phone = self.phones[name] = await self.phone()
        actor = await self.house.actor(phone.person_id)
        await people.update_person(actor, phone.person_id, name=name, sex="male")
        await people.give_consent(actor, people.consent_document().version)
        return phone

    async def open_case(
        self,
        patient: Phone,
        *,
        complaint: str = COMPLAINT,
        institution: str = "黄坡镇卫生院",
        urgency: Urgency = Urgency.ROUTINE,
        department: str = "respiratory",
        patient_id: str = "",
    ) -> ConsultationView:
        """Open a case as the patient's conversation does, for a relative where `patient_id` names one."""
        said = await PROVIDER.parse(complaint, Context())
        facts = CaseFacts(age_months=45 * 12).merge(said)
        view = await self.house.services.consultations.open(
            await self.house.actor(patient.person_id),
            patient_id=patient_id or patient.person_id,
            institution_id=self.house.institutions[institution],
            record=summarise(facts).to_json(),
            facts=facts.to_json(),
            department_code=department,
            urgency=urgency,
            urgency_reason="发热伴咳嗽",
            red_flags=[flag.to_json() for flag in assess_red_flags(facts)],
        )
        await self.house.settle()
        return view

    async def submit(self, case: ConsultationView, doctor: Phone, **fields: Any) -> ConsultationView:
        """Ask for an expert as the doctor's conversation does."""
        actor = await self.house.actor(doctor.person_id)
        view = await self.house.services.consultations.submit(actor, case.id, **fields)
        await self.house.settle()
        return view

    async def accept(self, case: ConsultationView, expert: Phone) -> ConsultationView:
        """Accept the invitation to a case as the expert's conversation does."""
        actor = await self.house.actor(expert.person_id)
        offers = await self.house.services.consultations.offers_for(actor)
        offer = next(offer for offer in offers if offer.consultation_id == case.id)
        view = await self.house.services.consultations.accept_offer(actor, offer.id)
        await self.house.settle()
        return view

    async def start(self, case: ConsultationView, expert: Phone) -> None:
        """Start a consultation that its expert has accepted, and let everybody hear so."""
        await self.house.services.consultations.start(await self.house.actor(expert.person_id), case.id)
        for phone in self.phones.values():
            await phone.hear()

    async def running(self, patient: Phone, doctor: Phone, expert: Phone, **fields: Any) -> ConsultationView:
        """A consultation that is being held."""
        case = await self.open_case(patient, **fields)
        await self.submit(case, doctor)
        view = await self.accept(case, expert)
        await self.start(case, expert)
        return view

    async def book(self, case: ConsultationView, patient: Phone) -> datetime:
        """Book the expert's first time that is more than a day away, and give when it begins."""
        consultations = self.house.services.consultations
        actor = await self.house.actor(patient.person_id)
        later = self.house.clock.now() + timedelta(days=1, hours=1)
        slots = await consultations.bookable_slots(actor, case.id, 100)
        slot = next(slot for slot in slots if slot.starts_at > later)
        booking = await consultations.book(actor, case.id, slot.id)
        await self.house.settle()
        return booking.starts_at

    async def move_to(self, moment: datetime) -> None:
        """Let the time come to `moment`, and whatever was due by then happen."""
        self.house.clock.advance(moment - self.house.clock.now())
        await self.house.settle()
