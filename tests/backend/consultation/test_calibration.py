"""An administrator changes what experts are compared by: tried on the past first, then in force at once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from backend.consultation.calibration import Calibration, WeightsChanged
from backend.consultation.ranking import Criterion
from backend.consultation.rules import Urgency
from backend.consultation.weights import DEFAULT, Percentages
from backend.consultation.weights_store import WeightsVersion
from backend.errors import Forbidden, InvalidInput
from backend.security.policy import Actor
from tests.support.clinic import Clinic, build_clinic, practitioner_of

SENIORITY_ALONE = dict.fromkeys(Criterion, 0) | {Criterion.SENIORITY: 100}
LOAD_ALONE = dict.fromkeys(Criterion, 0) | {Criterion.LOAD: 100}


def everywhere(row: dict[Criterion, int]) -> Percentages:
    """The same weights for every urgency."""
    return dict.fromkeys(Urgency, row)


async def first_asked(clinic: Clinic, case_id: str) -> str:
    """Who is asked first of a case."""
    offers = await clinic.care.offers_of(await clinic.administrator(), case_id)
    return min(offers, key=lambda one: one.place).expert_id


async def submitted(clinic: Clinic, doctor: Actor) -> str:
    """A new case that waits for an expert of respiratory medicine."""
    draft = await clinic.draft(await clinic.patient())
    await clinic.care.submit(doctor, draft.id, department_code="respiratory", urgency="urgent")
    return draft.id


async def finished(clinic: Clinic, doctor: Actor, expert: Actor) -> str:
    """A case that this expert has taken and ended."""
    case_id = await submitted(clinic, doctor)
    await clinic.care.assign_expert(await clinic.administrator(), case_id, practitioner_of(expert))
    await clinic.care.start(expert, case_id)
    await clinic.care.record_opinion(expert, case_id, diagnosis="感冒", plan="休息")
    await clinic.care.complete(expert, case_id)
    return case_id


async def test_the_past_is_compared_under_both_weights_as_it_was_then(clinic: Clinic) -> None:
    doctor, administrator = await clinic.doctor(), await clinic.administrator()
    old = await clinic.expert("老主任", title="主任医师")
    young = await clinic.expert("小主治", title="主治医师")
    # Since the old one is asked first and has had it, they have more to do when the next case comes.
    cases = [await finished(clinic, doctor, old)]
    running = await submitted(clinic, doctor)
    await clinic.care.assign_expert(administrator, running, practitioner_of(old))
    cases.append(await finished(clinic, doctor, young))
    trial = await clinic.care.try_weights(administrator, everywhere(LOAD_ALONE))
    assert trial.cases == {Urgency.CRITICAL: 0, Urgency.URGENT: 2, Urgency.SEMI_URGENT: 0, Urgency.ROUTINE: 0}
    ids = sorted([practitioner_of(old), practitioner_of(young)])
    names = {practitioner_of(old): "老主任", practitioner_of(young): "小主治"}
    # With nothing in hand both are alike, and the identifier decides; later the one who has nothing does.
    wanted = [(cases[1], "小主治"), (cases[0], names[ids[0]])]
    assert [(one.consultation_id, one.after) for one in trial.choices] == [
        (case_id, name) for case_id, name in wanted if name != "老主任"
    ]
    assert all(one.before == "老主任" for one in trial.choices)
    assert trial.before.running == 0.5
    assert trial.after.running == 0
    assert trial.before.distance_km == 0
    same = await clinic.care.try_weights(administrator, DEFAULT)
    assert same.choices == []
    assert sum((await clinic.care.try_weights(administrator, DEFAULT, count=1)).cases.values()) == 1


async def test_published_weights_hold_at_once_in_every_process(clinic: Clinic, tmp_path: Path) -> None:
    doctor, administrator = await clinic.doctor(), await clinic.administrator()
    old = await clinic.expert("老主任", title="主任医师", week=[])
    young = await clinic.expert("小主治", title="住院医师")
    await clinic.pass_time(timedelta(hours=2))
    other_process = build_clinic(clinic.database, clinic.clock, tmp_path)
    assert await first_asked(clinic, await submitted(clinic, doctor)) == practitioner_of(young)
    await other_process.care.publish_weights(administrator, everywhere(SENIORITY_ALONE), seen=0, reason="先请资深专家")
    assert await first_asked(clinic, await submitted(clinic, doctor)) == practitioner_of(old)
    held = (await clinic.care.weights(administrator))[0]
    assert (held.version, held.reason, held.published_by) == (1, "先请资深专家", administrator.person_id)
    assert held.percentages == everywhere(SENIORITY_ALONE)
    await clinic.care.publish_weights(administrator, DEFAULT, seen=1, reason="恢复原来的")
    assert await first_asked(clinic, await submitted(clinic, doctor)) == practitioner_of(young)
    assert [one.version for one in await clinic.care.weights(administrator)] == [2, 1, 0]


async def test_of_two_who_publish_at_the_same_moment_one_is_told(clinic: Clinic) -> None:
    administrator = await clinic.administrator()
    results = await asyncio.gather(
        *(
            asyncio.create_task(clinic.care.publish_weights(administrator, everywhere(row), seen=0, reason="试试"))
            for row in (SENIORITY_ALONE, LOAD_ALONE)
        ),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in results) == sorted([WeightsVersion.__name__, WeightsChanged.__name__])


async def test_weights_need_a_reason_a_change_and_an_administrator(clinic: Clinic) -> None:
    administrator, doctor = await clinic.administrator(), await clinic.doctor()
    for percentages, reason in ((DEFAULT, "一样的"), (everywhere(LOAD_ALONE), "  "), ({}, "空的")):
        with pytest.raises(InvalidInput):
            await clinic.care.publish_weights(administrator, percentages, seen=0, reason=reason)
    care: Calibration = clinic.care
    for refused in (care.weights(doctor), care.try_weights(doctor, DEFAULT)):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(Forbidden):
        await clinic.care.publish_weights(doctor, everywhere(LOAD_ALONE), seen=0, reason="试试")
    assert [one.version for one in await clinic.care.weights(administrator)] == [0]
