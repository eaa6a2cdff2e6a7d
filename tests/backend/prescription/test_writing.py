"""A draft is its writer's; every change is checked; warnings need a reason, and stops do not pass."""

from decimal import Decimal

import pytest

from backend.errors import Conflict, DomainError, Forbidden, IllegalMove, InvalidInput, NotFound
from backend.prescription import Formulary, Limits, Line, ReferenceUnreadable, Severity, State
from backend.records.background import Allergy
from data.drugs import Reference
from data.errors import DataError
from tests.backend.prescription.conftest import Desk
from tests.support.prescribing import (
    AMBROXOL,
    AMLODIPINE,
    AMOXICILLIN,
    CETIRIZINE,
    IBUPROFEN,
    OMEPRAZOLE,
    WARFARIN,
    ambroxol,
    amoxicillin,
    line,
)

PENICILLIN = Allergy("青霉素", "penicillins")


async def test_a_draft_begins_empty_and_is_the_same_when_it_is_opened_again(desk: Desk) -> None:
    draft = await desk.prescriptions.draft(desk.doctor, desk.case_id)
    assert (draft.state, draft.lines, draft.version) == (State.DRAFT, (), 0)
    assert draft.number.startswith("CF2026")
    await desk.prescriptions.put_line(desk.doctor, draft.id, amoxicillin())
    again = await desk.prescriptions.draft(desk.doctor, desk.case_id)
    assert (again.id, again.lines) == (draft.id, (amoxicillin(),))


async def test_lines_are_put_replaced_and_taken_out(desk: Desk) -> None:
    draft = await desk.written(amoxicillin(), ambroxol())
    more = await desk.prescriptions.put_line(desk.doctor, draft.id, line(OMEPRAZOLE, 20), None)
    assert [one.preparation for one in more.lines] == [AMOXICILLIN, AMBROXOL, OMEPRAZOLE]
    changed = await desk.prescriptions.put_line(desk.doctor, draft.id, amoxicillin(days=3), 0)
    assert changed.lines[0].days == 3
    fewer = await desk.prescriptions.remove_line(desk.doctor, draft.id, 1)
    assert [one.preparation for one in fewer.lines] == [AMOXICILLIN, OMEPRAZOLE]
    assert fewer.revision > changed.revision > more.revision > draft.revision


async def test_an_edit_of_what_has_changed_meanwhile_is_refused(desk: Desk) -> None:
    draft = await desk.written()
    await desk.prescriptions.write(desk.doctor, draft.id, revision=draft.revision, chronic=True)
    with pytest.raises(Conflict):
        await desk.prescriptions.write(desk.doctor, draft.id, revision=draft.revision, lines=())
    kept = await desk.prescriptions.prescription(desk.doctor, draft.id)
    assert kept.lines == (amoxicillin(),)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Line("no-such-thing", Decimal(1), "tid", "oral", 3), "preparation"),
        (Line(AMOXICILLIN, Decimal(0), "tid", "oral", 3), "dose"),
        (Line(AMOXICILLIN, Decimal(-5), "tid", "oral", 3), "dose"),
        (Line(AMOXICILLIN, Decimal("NaN"), "tid", "oral", 3), "dose"),
        (Line(AMOXICILLIN, Decimal("Infinity"), "tid", "oral", 3), "dose"),
        (Line(AMOXICILLIN, Decimal(500), "hourly", "oral", 3), "frequency"),
        (Line(AMOXICILLIN, Decimal(500), "tid", "eye", 3), "route"),
        (Line(AMOXICILLIN, Decimal(500), "tid", "oral", 0), "days"),
        (Line(AMOXICILLIN, Decimal(500), "tid", "oral", 1000), "days"),
    ],
)
async def test_a_line_that_cannot_be_is_refused_and_nothing_is_lost(desk: Desk, wrong: Line, field: str) -> None:
    draft = await desk.written()
    with pytest.raises(InvalidInput) as refused:
        await desk.prescriptions.put_line(desk.doctor, draft.id, wrong)
    assert refused.value.details["field"] == field
    assert (await desk.prescriptions.prescription(desk.doctor, draft.id)).lines == (amoxicillin(),)


async def test_a_sixth_medicine_goes_onto_another_prescription(desk: Desk) -> None:
    others = (CETIRIZINE, OMEPRAZOLE, AMLODIPINE, IBUPROFEN)
    draft = await desk.written(amoxicillin(), *(line(one) for one in others))
    with pytest.raises(InvalidInput, match="invalid_input") as refused:
        await desk.prescriptions.put_line(desk.doctor, draft.id, line(WARFARIN))
    assert "最多5种" in refused.value.sentence


async def test_a_stop_is_found_at_once_and_no_reason_overrides_it(desk: Desk) -> None:
    desk.pharmacy.known.know(desk.patient.person_id, allergies=(PENICILLIN,))
    draft = await desk.written()
    (stop,) = draft.stops
    assert stop.severity is Severity.STOP
    with pytest.raises(IllegalMove):
        await desk.prescriptions.override(desk.doctor, draft.id, stop.rule, stop.subject, "患者说没事")
    with pytest.raises(DomainError) as refused:
        await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision)
    assert refused.value.code == "findings"
    assert stop.sentence in refused.value.sentence


async def test_a_warning_needs_a_reason_which_goes_with_the_line_it_is_about(desk: Desk) -> None:
    draft = await desk.written(ambroxol(), amoxicillin(days=10))
    (warning,) = draft.unanswered
    with pytest.raises(DomainError) as refused:
        await desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision)
    assert refused.value.details["rules"] == [f"{warning.rule}:{warning.subject}"]
    with pytest.raises(InvalidInput):
        await desk.prescriptions.override(desk.doctor, draft.id, warning.rule, warning.subject, "  ")
    answered = await desk.prescriptions.override(
        desk.doctor, draft.id, warning.rule, warning.subject, "支原体肺炎要用满10天", revision=draft.revision
    )
    assert not answered.unanswered
    without = await desk.prescriptions.remove_line(desk.doctor, draft.id, 1)
    assert not without.overrides
    again = await desk.prescriptions.put_line(desk.doctor, draft.id, amoxicillin(days=10))
    assert again.unanswered, "a reason of before does not count for what is written anew"


async def test_a_reason_for_one_warning_does_not_pass_another(desk: Desk) -> None:
    draft = await desk.written(line(CETIRIZINE, 10, frequency="qd"), amoxicillin(days=10))
    warnings = draft.unanswered
    assert len(warnings) == 2
    first = warnings[0]
    answered = await desk.prescriptions.override(desk.doctor, draft.id, first.rule, first.subject, "病情需要")
    assert answered.unanswered == warnings[1:]
    with pytest.raises(NotFound):
        await desk.prescriptions.override(desk.doctor, draft.id, first.rule, "something+else", "病情需要")


async def test_nothing_is_written_or_signed_while_the_reference_cannot_be_read(desk: Desk) -> None:
    draft = await desk.written()

    def damaged() -> Reference:
        raise DataError("a file is damaged")

    desk.prescriptions.formulary = Formulary(damaged)
    for attempt in (
        desk.prescriptions.draft(desk.doctor, desk.case_id),
        desk.prescriptions.put_line(desk.doctor, draft.id, amoxicillin()),
        desk.prescriptions.sign(desk.doctor, draft.id, revision=draft.revision),
    ):
        with pytest.raises(ReferenceUnreadable):
            await attempt


async def test_nobody_but_the_doctor_and_the_expert_of_a_case_writes(desk: Desk) -> None:
    stranger = await desk.clinic.doctor("王守田")
    for nobody in (stranger, desk.patient, desk.pharmacist, await desk.clinic.administrator()):
        with pytest.raises(Forbidden):
            await desk.prescriptions.draft(nobody, desk.case_id)
        assert not await desk.prescriptions.may_write(nobody, desk.case_id)
    draft = await desk.written()
    for nobody in (stranger, desk.patient, desk.pharmacist):
        with pytest.raises(DomainError) as refused:
            await desk.prescriptions.prescription(nobody, draft.id)
        assert refused.value.code in ("forbidden", "not_found")
        with pytest.raises(Forbidden):
            await desk.prescriptions.write(nobody, draft.id, lines=())


async def test_the_last_prescription_is_copied(desk: Desk) -> None:
    draft = await desk.prescriptions.draft(desk.doctor, desk.case_id)
    with pytest.raises(NotFound):
        await desk.prescriptions.copy_last(desk.doctor, draft.id)
    await desk.approved(amoxicillin(), ambroxol())
    fresh = await desk.prescriptions.draft(desk.doctor, desk.case_id)
    copied = await desk.prescriptions.copy_last(desk.doctor, fresh.id)
    assert copied.lines == (amoxicillin(), ambroxol())
    assert copied.state is State.DRAFT


async def test_a_template_is_kept_used_replaced_and_deleted_by_its_owner_alone(desk: Desk) -> None:
    draft = await desk.written(amoxicillin(), ambroxol())
    kept = await desk.prescriptions.save_template(desk.doctor, draft.id, "咳嗽常用")
    await desk.prescriptions.write(desk.doctor, draft.id, lines=())
    used = await desk.prescriptions.use_template(desk.doctor, draft.id, kept.id)
    assert len(used.lines) == 2
    await desk.prescriptions.remove_line(desk.doctor, draft.id, 1)
    replaced = await desk.prescriptions.save_template(desk.doctor, draft.id, "咳嗽常用")
    assert replaced.id == kept.id
    other = await desk.clinic.doctor("王守田")
    assert kept.id not in {one.id for one in await desk.prescriptions.templates(other)}
    await desk.prescriptions.delete_template(other, kept.id)
    assert [len(one.lines) for one in await desk.prescriptions.templates(desk.doctor) if one.own] == [1]
    await desk.prescriptions.delete_template(desk.doctor, kept.id)
    assert not [one for one in await desk.prescriptions.templates(desk.doctor) if one.own]


async def test_a_draft_is_thrown_away_but_not_what_was_signed(desk: Desk) -> None:
    draft = await desk.written()
    await desk.prescriptions.discard(desk.doctor, draft.id)
    with pytest.raises(NotFound):
        await desk.prescriptions.prescription(desk.doctor, draft.id)
    signed = await desk.signed()
    await desk.prescriptions.give_back(desk.pharmacist, signed.id, "剂量请再核对")
    with pytest.raises(IllegalMove):
        await desk.prescriptions.discard(desk.doctor, signed.id)


async def test_an_institution_may_be_stricter_than_the_law(desk: Desk) -> None:
    desk.prescriptions.formulary = Formulary(limits=Limits(acute_days=3, max_medicines=1))
    draft = await desk.written(amoxicillin(days=5))
    assert "course.acute" in {one.rule for one in draft.findings}
    with pytest.raises(InvalidInput) as refused:
        await desk.written(amoxicillin(), ambroxol())
    assert "最多1种药" in refused.value.sentence
