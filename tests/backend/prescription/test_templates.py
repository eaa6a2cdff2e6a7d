"""The templates that come with the platform: each is a prescription that its own checks let pass."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from backend.prescription import Formulary, Order, Prescriber, Severity
from backend.prescription.templates import shipped
from backend.prescription.views import TemplateView
from backend.records.background import Answered, Background, Condition, Source
from data.prescribing import prescription_templates
from tests.support.prescribing import known_adult

TODAY = date(2026, 11, 22)
ASKED = datetime(2026, 11, 20, tzinfo=UTC)
VILLAGE_DOCTOR = Prescriber("d" * 32, "医师", frozenset({"non_restricted", "restricted"}))
DIAGNOSES = {one.code: one.diagnosis for one in prescription_templates()}


def plain_adult(template: TemplateView, sex: str) -> Background:
    """Give somebody of 46 who has what the template is for, and nothing else."""
    no = Answered(yes=False, answered_at=ASKED)
    condition = Condition(DIAGNOSES[template.id], "", Source.DOCTOR, ASKED)
    return replace(known_adult("p" * 32), sex=sex, pregnant=no, lactating=no, conditions=(condition,))


def test_there_are_templates_for_what_a_township_sees_every_day() -> None:
    assert {"hypertension", "type_2_diabetes", "common_cold", "gastritis", "copd", "pneumonia"} <= set(DIAGNOSES)
    assert [one.id for one in shipped()] == list(DIAGNOSES)
    assert not any(one.own for one in shipped())


def test_no_template_claims_a_review_that_has_not_been() -> None:
    assert not any(one.reviewed for one in prescription_templates())


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize("template", shipped(), ids=lambda one: one.id)
def test_a_template_passes_every_check_for_a_plain_adult(template: TemplateView, sex: str) -> None:
    formulary = Formulary()
    lines = tuple(formulary.valid(one) for one in template.lines)
    order = Order(lines, (DIAGNOSES[template.id],), template.chronic, in_person=True)
    found = formulary.check(order, plain_adult(template, sex), VILLAGE_DOCTOR, TODAY)
    assert [one for one in found if one.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("template", shipped(), ids=lambda one: one.id)
def test_a_template_is_of_whole_pieces_and_a_few_packs(template: TemplateView) -> None:
    formulary, patient = Formulary(), plain_adult(template, "male")
    for line in template.lines:
        preparation = formulary.preparation(line.preparation)
        assert (line.dose / preparation.strength) % 1 == 0, line
        assert 1 <= formulary.said(line, patient, TODAY).packs <= 6, line
