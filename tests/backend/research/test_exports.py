"""An export from the question to the file: who may, whose cases are in it, what is not, and what stays as proof."""

import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.errors import Conflict, Forbidden, InvalidInput
from backend.people import ConsentKind
from backend.research import ExportState, ExportView, Wish
from backend.security.policy import SYSTEM, Actor, Role
from tests.backend.research.conftest import Study

AUDITOR = Actor("a" * 32, frozenset({Role.AUDITOR}))


def wish(study: Study, **changes: Any) -> Wish:
    today = study.clinic.clock.today().date()
    return replace(Wish(today - timedelta(days=30), today, 5), **changes)


def rows(content: bytes) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
    return read


async def cannot_take(study: Study, asked: ExportView) -> str:
    """Why the file cannot be taken, in the sentence that people read."""
    with pytest.raises(Conflict) as refused:
        await study.exports.take(study.administrator, asked.id)
    return refused.value.sentence


async def test_the_table_holds_those_who_agreed_and_nothing_that_names_anybody(study: Study) -> None:
    for number in range(5):
        await study.enrol(number)
    await study.enrol(5, agrees=False)
    asked = await study.exports.ask(study.administrator, "慢阻肺用药研究", wish(study, with_text=True))
    assert asked.state is ExportState.WAITING
    assert await cannot_take(study, asked) == "现在不能下载：正在生成。"
    assert await study.exports.queue.make_next()
    assert not await study.exports.queue.make_next()

    content = await study.exports.take(study.administrator, asked.id)
    told = rows(content)
    assert len(told) == 10
    assert {row["diagnosis"] for row in told} == {"J18", "I10"}
    assert {(row["sex"], row["age"], row["region"]) for row in told} == {("女", "55–59岁", "桥县")}
    assert {(row["temperature"], *row["symptoms"]) for row in told} == {(38.5, "咳嗽")}
    assert all("咳嗽三天" in row["chief_complaint"] and "湿啰音" in row["findings"] for row in told)
    shown = str(told)
    assert [canary for canary in study.canaries if canary in shown or canary.encode() in content] == []

    [made] = await study.exports.exports(AUDITOR)
    assert (made.purpose, made.asked_by, made.state) == (
        "慢阻肺用药研究", study.administrator.person_id, ExportState.MADE,
    )  # fmt: skip
    assert made.manifest is not None
    assert made.manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert (made.manifest["rows"], made.manifest["people"], made.manifest["smallest_class"]) == (10, 5, 5)


async def test_each_patient_can_read_that_theirs_was_used(study: Study) -> None:
    for number in range(5):
        await study.enrol(number)
    outsider = await study.enrol(5, agrees=False)
    asked = await study.exports.ask(study.administrator, "用药研究", wish(study))
    await study.exports.queue.make_next()
    entries = await study.clinic.audit.accesses(study.patients[0], study.patients[0].person_id)
    assert ("research.export", f"research_export:{asked.id}") in {(one.action, one.subject) for one in entries}
    entries = await study.clinic.audit.accesses(outsider, outsider.person_id)
    assert "research.export" not in {one.action for one in entries}
    said = [one for one in await study.clinic.audit.entries(SYSTEM, limit=200) if one.reason == "用药研究"]
    assert [(one.action, one.actor_id) for one in said] == [("research.export", study.administrator.person_id)]


async def test_who_takes_their_consent_back_is_not_in_the_next_one(study: Study) -> None:
    for number in range(6):
        await study.enrol(number)
    await study.clinic.people.withdraw_consent(study.patients[0], ConsentKind.RESEARCH)
    asked = await study.exports.ask(study.administrator, "用药研究", wish(study))
    await study.exports.queue.make_next()
    assert len({row["person"] for row in rows(await study.exports.take(study.administrator, asked.id))}) == 5


async def test_too_few_people_are_refused_with_a_reason_that_is_kept(study: Study) -> None:
    for number in range(4):
        await study.enrol(number)
    await study.exports.ask(study.administrator, "用药研究", wish(study))
    await study.exports.queue.make_next()
    [refused] = await study.exports.exports(study.administrator)
    assert refused.state is ExportState.REFUSED
    assert "只有4人，少于要求的5人" in refused.refusal
    assert await cannot_take(study, refused) == "现在不能下载：不能导出。"


async def test_the_file_goes_after_a_week_and_the_proof_stays(study: Study) -> None:
    for number in range(5):
        await study.enrol(number)
    asked = await study.exports.ask(study.administrator, "用药研究", wish(study))
    await study.exports.queue.make_next()
    await study.clinic.pass_time(timedelta(days=7, minutes=1))
    assert await cannot_take(study, asked) == "现在不能下载：文件已删除。"
    [kept] = await study.exports.exports(study.administrator)
    assert kept.manifest is not None
    assert kept.manifest["people"] == 5


@pytest.mark.parametrize(
    ("changes", "purpose", "field"),
    [
        ({"k": 4}, "用药研究", "k"),
        ({"k": 1001}, "用药研究", "k"),
        ({"since": None}, "用药研究", "until"),
        ({}, "  ", None),
    ],
)
async def test_what_cannot_be_is_refused_at_once(
    study: Study, changes: dict[str, Any], purpose: str, field: str | None
) -> None:
    asked = wish(study)
    changes = {"since": asked.until + timedelta(days=1)} if "since" in changes else changes
    with pytest.raises(InvalidInput) as refused:
        await study.exports.ask(study.administrator, purpose, replace(asked, **changes))
    assert field is None or refused.value.details["field"] == field
    assert await study.exports.exports(study.administrator) == []


async def test_nobody_else_exports_and_the_auditor_sees_alone(study: Study) -> None:
    for actor in (AUDITOR, study.doctor, study.expert):
        with pytest.raises(Forbidden):
            await study.exports.ask(actor, "用药研究", wish(study))
        with pytest.raises(Forbidden):
            await study.exports.take(actor, "0" * 32)
    with pytest.raises(Forbidden):
        await study.exports.exports(study.expert)
