"""A case with a CT study that its expert reports, in a county of phones."""

from dataclasses import dataclass

from backend.consultation.views import ConsultationView
from backend.imaging.linking import SETTLED_AFTER
from backend.reporting import ReportView
from backend.security.policy import SYSTEM
from tests.bot.flows.staff.conftest import County
from tests.support.imaging import as_file, ct_slice, of_patient, streamed

FINDINGS, IMPRESSION = "右肺上叶见结节，直径约8毫米。", "右肺上叶结节，建议3个月复查。"


@dataclass
class Reading:
    """A case that waits for its report; what came before has been heard."""

    county: County
    case: ConsultationView
    study_uid: str

    async def quiet(self) -> None:
        """Let everybody hear what has come."""
        for phone in self.county.story.phones.values():
            await phone.hear()

    async def reports(self) -> list[ReportView]:
        """Give what is written, as the expert sees it."""
        house = self.county.story.house
        return await house.services.reports.reports_of(await house.actor(self.county.expert.person_id), self.case.id)

    async def signed(self, findings: str = FINDINGS, impression: str = IMPRESSION) -> ReportView:
        """Write and sign a report as the page does."""
        house = self.county.story.house
        expert, reports = await house.actor(self.county.expert.person_id), house.services.reports
        draft = await reports.draft(expert, self.case.id, self.study_uid)
        draft = await reports.write(
            expert, draft.id, examination="胸部CT平扫", findings=findings, impression=impression
        )
        signed = await reports.sign(expert, draft.id, revision=draft.revision)
        await house.settle()
        return signed

    async def mark_critical(self, text: str = "右侧张力性气胸，纵隔左移") -> None:
        """Tell of something that cannot wait, as the page does."""
        house = self.county.story.house
        expert = await house.actor(self.county.expert.person_id)
        await house.services.critical_values.mark(expert, self.case.id, self.study_uid, text)
        await house.settle()


async def reading(county: County, *descriptions: str) -> Reading:
    """Give a case that an expert has taken, with a CT study of each description (胸部CT unless one is named)."""
    house, story = county.story.house, county.story
    imaging, place = house.services.imaging, house.institutions["黄坡镇卫生院"]
    token = (await imaging.register_stow_sender(SYSTEM, place, "放射科CT")).token
    machine = await imaging.sender_of_token(token)
    assert machine is not None
    case = await story.open_case(county.patient)
    await story.submit(case, county.doctor)
    await story.accept(case, county.expert)
    said = of_patient("张^小明", accession=case.number)
    for study, description in enumerate(descriptions or ("胸部CT",), 1):
        one = ct_slice(study=study, StudyDescription=description, StudyDate="20261121", **said)
        await imaging.receive(machine, streamed(as_file(one)))
    await story.move_to(house.clock.now() + SETTLED_AFTER)
    found = Reading(county, case, ct_slice(study=1).StudyInstanceUID)
    await found.quiet()
    return found
