"""Finished consultations with signed reports, ready for the case library."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend.consultation.rules import Urgency
from backend.ids import new_id
from backend.people import ConsentKind, PersonView
from backend.security.policy import SYSTEM, Actor, Role
from backend.teaching_cases import CaseState, Content, QuestionText, Reviewed, TeachingCaseService
from backend.teaching_cases.searching import index
from backend.teaching_cases.tables import TeachingCase, TeachingQuestion
from tests.support import cases
from tests.support.house import House
from tests.support.imaging import as_file, ct_slice, of_patient, streamed

REVIEWER = Actor("f" * 32, frozenset({Role.ADMINISTRATOR}))
QUESTION = QuestionText("首选哪项检查？", ("胸部CT", "头颅CT", "腹部B超"), 0, "咳嗽、发热，先看肺。", "《诊断学》第9版")
FACTS = {
    "symptoms": [
        {"name": "咳嗽", "text": "咳嗽", "status": "positive"},
        {"name": "发烧", "text": "发烧", "status": "positive"},
        {"name": "胸痛", "text": "胸痛", "status": "negative"},
    ]
}


@dataclass
class Library:
    """A house with its case library."""

    house: House
    studies: int = 0

    @property
    def service(self) -> TeachingCaseService:
        """The library."""
        return self.house.services.teaching_cases

    async def patient(self, name: str = "王秀英", *, agrees: bool = True) -> Actor:
        """A patient who has consented to care, and to teaching with their case."""
        people = self.house.services.people
        person_id = await people.register()
        actor = await self.house.actor(person_id)
        await people.update_person(
            actor,
            person_id,
            name=name,
            sex="female",
            birth_date=date(1959, 3, 12),
            phone="13800001234",
            region="青山县东风村",
        )
        await people.give_consent(actor, people.consent_document().version)
        if agrees:
            await self.agree(actor)
        return actor

    async def agree(self, actor: Actor) -> None:
        """The patient agrees to teaching with their case."""
        people = self.house.services.people
        await people.give_consent(actor, people.consent_document(ConsentKind.CASES).version, ConsentKind.CASES)
        await self.house.settle()

    async def opened(
        self,
        patient: Actor,
        *,
        complaint: str = "咳嗽伴发热3天",
        illness: str = "王秀英3天前出现咳嗽、发热，13800001234联系不上家属，在青山镇卫生院输液。",
        department: str = "respiratory",
        facts: dict[str, Any] | None = None,
        urgency: Urgency = Urgency.ROUTINE,
        icd10: str = "J20.9",
    ) -> str:
        """A case for which an expert is asked."""
        consultations = self.house.services.consultations
        case = await consultations.open(
            patient,
            patient_id=patient.person_id,
            institution_id=self.house.institutions["青山镇卫生院"],
            record={"personal": "王秀英，67岁", "chief_complaint": complaint, "present_illness": illness},
            facts=FACTS if facts is None else facts,
            department_code=department,
            urgency=urgency,
        )
        await self.house.settle()
        doctor = await cases.staff(self.house, "村医甲")
        await consultations.submit(doctor, case.id, icd10=icd10, question="王秀英是否需要住院？")
        await self.house.settle()
        return case.id

    async def finished(
        self, patient: Actor, *, diagnosis: str = "社区获得性肺炎", code: str = "J18.9", **more: Any
    ) -> str:
        """A case that has ended, with a signed report."""
        case_id = await self.opened(patient, **more)
        consultations, expert = self.house.services.consultations, await cases.staff(self.house, "钟专家")
        [offer] = await consultations.offers_for(expert)
        await consultations.accept_offer(expert, offer.id)
        await self.report(case_id, expert, await self.house.services.people.person(patient, patient.person_id))
        await cases.begin(self.house, case_id)
        await consultations.record_opinion(
            expert, case_id, icd10=code, diagnosis=diagnosis, plan="村医甲给予头孢克肟口服，11月25日复查胸片。"
        )
        await consultations.complete(expert, case_id)
        await self.house.settle()
        return case_id

    async def report(self, case_id: str, expert: Actor, patient: PersonView) -> None:
        """The expert reports a CT of the case."""
        self.studies += 1
        services = self.house.services
        number = (await services.consultations.get(SYSTEM, case_id)).number
        place = self.house.institutions["青山镇卫生院"]
        machine = await services.imaging.sender_of_token(
            (await services.imaging.register_stow_sender(SYSTEM, place, f"CT{self.studies}")).token
        )
        assert machine is not None
        shown = of_patient(f"{patient.name[:1]}^{patient.name[1:]}", accession=number)
        image = ct_slice(study=self.studies, StudyDescription="胸部CT", **shown)
        await services.imaging.receive(machine, streamed(as_file(image)))
        reports = services.reports
        draft = await reports.draft(expert, case_id, image.StudyInstanceUID)
        draft = await reports.write(
            expert,
            draft.id,
            examination="胸部CT平扫",
            findings="右肺下叶斑片影。",
            impression="王秀英右下肺炎症，建议治疗后复查。",
        )
        await reports.sign(expert, draft.id, revision=draft.revision)

    async def drafted(self, patient: Actor, **more: Any) -> Reviewed:
        """A recommended case whose draft waits for review."""
        case_id = await self.finished(patient, **more)
        await self.service.propose(await cases.staff(self.house, "钟专家"), case_id, "典型的肺炎")
        await self.house.settle()
        return await self.review_of(case_id)

    async def review_of(self, consultation_id: str) -> Reviewed:
        """The recommended case of a consultation, as its reviewer sees it."""
        number = (await self.house.services.consultations.get(SYSTEM, consultation_id)).number
        page = await self.service.cases(REVIEWER, limit=50)
        [found] = [one for one in page.items if one.number == number]
        return await self.service.review(REVIEWER, found.id)

    async def published(self, patient: Actor, *questions: QuestionText, title: str = "", **more: Any) -> Reviewed:
        """A case of the library."""
        held = await self.drafted(patient, **more)
        held = await self.edited(held, title=title or held.content.title, questions=questions)
        held = await self.service.publish(REVIEWER, held.id, revision=held.revision)
        await self.house.settle()
        return held

    async def edited(self, held: Reviewed, **changes: Any) -> Reviewed:
        """The draft with some of it changed."""
        content = held.content
        wanted: dict[str, Any] = {
            "title": content.title,
            "sections": content.sections,
            "codes": content.codes,
            "tags": content.tags,
            "questions": [one.text for one in held.questions],
        }
        return await self.service.edit(REVIEWER, held.id, revision=held.revision, **(wanted | changes))

    async def shelved(self, patient: Actor, title: str, text: str, **more: Any) -> str:
        """A case of the library that says this, without the way there; `codes`, `signs`, `tags`, `department`."""
        consultation = await cases.open_case(self.house, patient.person_id)
        now = self.house.clock.now()
        self.house.clock.advance(timedelta(seconds=1))
        content = Content(
            title,
            {"present_illness": text},
            tuple(more.get("codes", ())),
            tuple(more.get("tags", ())),
            tuple(more.get("signs", ())),
        )
        row = TeachingCase(
            id=new_id(),
            consultation_id=consultation,
            patient_id=patient.person_id,
            state=CaseState.PUBLISHED,
            department_code=more.get("department", "respiratory"),
            proposed_by=REVIEWER.person_id,
            proposed_reason="",
            proposed_at=now,
            published_at=now,
            content=content.to_json(),
            removed=[],
        )
        async with self.house.database.transaction() as session:
            session.add(row)
            await session.flush()
            await index(session, row)
        return row.id

    async def ask(self, case_id: str, question: QuestionText = QUESTION) -> None:
        """A question about a shelved case."""
        async with self.house.database.transaction() as session:
            session.add(
                TeachingQuestion(
                    id=new_id(),
                    case_id=case_id,
                    position=0,
                    stem=question.stem,
                    options=list(question.options),
                    right_option=question.right,
                    explanation=question.explanation,
                    source=question.source,
                )
            )
