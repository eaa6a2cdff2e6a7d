"""A copy of all that is kept of a person, to read and to take elsewhere (《个人信息保护法》 article 45).

A zip with a PDF for people and a FHIR R4 Bundle for programs.
"""

import asyncio
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime

from backend.clock import LOCAL_ZONE, Clock
from backend.consultation import ConsultationService
from backend.consultation.views import ConsultationView
from backend.db import Database
from backend.people import ConsentView, PeopleService, PersonView
from backend.records.facade import Facade
from backend.rights.amendment_rules import AmendmentView
from backend.rights.amendments import Amendments
from backend.rights.paper import print_copy
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, Role, require

PDF_NAME, FHIR_NAME, NOTE_NAME = "我的病历.pdf", "病历数据-FHIR.json", "说明.txt"

_PAGE = 50
_SEXES = {"male": "男", "female": "女"}
_DECISIONS = {"given": "同意", "refused": "不同意", "withdrawn": "撤回同意"}
_NOTE = (
    "这是您在桥医平台上的资料，一共两份：\r\n"
    f"{PDF_NAME}　　给您自己看，也可以打印出来带去医院。\r\n"
    f"{FHIR_NAME}　给医院的电脑用，您不用打开。\r\n"
    "里面是您的病情，请自己收好，不要随便转发给别人。\r\n"
)


class DataCopies:
    """Makes copies."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        amendments: Amendments,
        facade: Facade,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._amendments = amendments
        self._facade = facade

    async def copy(self, actor: Actor) -> bytes:
        """Give the copy of the actor's own data as a zip; that it was made is audited.

        Raises:
            Forbidden: the actor is no patient.
        """
        require(actor, Action.PEOPLE_COPY, patient_id=actor.person_id)
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.PEOPLE_COPY, patient_id=actor.person_id)
        person = await self._people.person(actor, actor.person_id)
        cases = await self._cases(actor)
        told = [_of_case(case, await self._amendments.addenda(actor, case.id)) for case in cases]
        sections = [_about(person), *told, _consents(await self._people.consents(actor))]
        bundle = await self._facade.everything(actor, actor.person_id)
        return await asyncio.to_thread(_zipped, sections, bundle, self._clock.now())

    async def _cases(self, actor: Actor) -> list[ConsultationView]:
        ids: list[str] = []
        while True:
            found = await self._consultations.list_for(actor, role=Role.PATIENT, limit=_PAGE, offset=len(ids))
            ids += [one.id for one in found]
            if len(found) < _PAGE:
                break
        views = [await self._consultations.get(actor, one) for one in ids]
        return [view for view in views if view.patient_id == actor.person_id]


def _zipped(sections: list[tuple[str, list[str]]], bundle: dict[str, object], now: datetime) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PDF_NAME, print_copy(sections, _moment(now)))
        archive.writestr(FHIR_NAME, json.dumps(bundle, ensure_ascii=False, indent=1))
        archive.writestr(NOTE_NAME, _NOTE)
    return made.getvalue()


def _about(person: PersonView) -> tuple[str, list[str]]:
    lines = [
        f"姓名：{person.name or '没有填'}",
        f"性别：{_SEXES.get(person.sex, '没有填')}",
        f"出生日期：{person.birth_date or '没有填'}",
        f"电话：{person.phone or '没有填'}",
    ]
    return "基本资料", lines


def _of_case(case: ConsultationView, addenda: Sequence[AmendmentView]) -> tuple[str, list[str]]:
    lines = [f"卫生院：{case.institution_name}　{case.doctor_name}医生"]
    if case.expert_name:
        lines.append(f"专家：{case.expert_name}医生（{case.department_name}）")
    told = (
        ("哪里不舒服", case.record.get("chief_complaint")),
        ("病情经过", case.record.get("present_illness")),
        ("医生检查看到的", case.findings),
    )
    lines += [f"{label}：{text}" for label, text in told if text]
    if case.opinion is not None:
        lines += [f"诊断：{case.opinion.diagnosis}", f"怎么治：{case.opinion.plan}"]
    lines += [f"更正（{one.answers}医生，{one.name}）：{one.answer}" for one in addenda]
    return f"会诊 {case.number}　{_moment(case.opened_at)}", lines


def _consents(consents: list[ConsentView]) -> tuple[str, list[str]]:
    lines = [f"{_moment(one.decided_at)}　{_DECISIONS[one.decision]}第{one.version}版" for one in consents]
    return "您对《知情同意书》说过的话", lines or ["还没有说过。"]


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
