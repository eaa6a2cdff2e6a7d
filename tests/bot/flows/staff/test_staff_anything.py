"""Whatever a doctor or an expert sends, at whatever moment, is answered and never ends in a fault."""

import asyncio
import random
import shutil
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.clock import Clock
from backend.db import Database
from bot.dialogue import ConversationState
from bot.messages import Choice
from tests.bot.flows.staff.conftest import County, settle_in
from tests.support.house import build_house
from tests.support.stories import Phone

VERBS = (
    "doctor.tasks",
    "doctor.new",
    "doctor.mine",
    "expert.offers",
    "expert.mine",
    "expert.schedule",
    "thread.switch",
    "administrator.waiting",
    "administrator.invite",
    "patient.profile",
    "staff.help",
)
ABOUT_A_CASE = (
    "doctor.open",
    "doctor.case",
    "doctor.findings",
    "doctor.submit",
    "doctor.cancel",
    "doctor.attach",
    "doctor.images",
    "doctor.pictures",
    "doctor.photo",
    "doctor.timeline",
    "doctor.supplement",
    "expert.case",
    "expert.supplement",
    "expert.start",
    "expert.no_show",
    "expert.give_back",
    "expert.opinion",
    "expert.close",
    "expert.pictures",
    "expert.photo",
    "expert.timeline",
    "expert.accept",
    "expert.decline",
    "thread.focus",
    "history.open",
    "administrator.experts",
    "administrator.assign",
    "administrator.invite_one",
    "patient.profile_change",
    "patient.profile_sex",
    "administrator.reply",
)
WORDS = (
    "血压150/95",
    "血压",
    "确认",
    "退出",
    "返回",
    "男",
    "45岁",
    "切换",
    "填写意见",
    "结束会诊",
    "肺炎",
    "",
    " ",
    "\x00",
    "]]>",
    "🙂" * 50,
    "0",
    "-1",
)
"""Steps are words, taps on what was offered, taps on anything else, pictures, voices and stickers."""

steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.one_of(st.sampled_from(WORDS), st.text(max_size=40))),
        st.tuples(st.just("speak"), st.sampled_from(WORDS)),
        st.tuples(st.just("tap"), st.integers(0, 30).map(str)),
        st.tuples(st.just("click"), st.sampled_from(VERBS)),
        st.tuples(st.just("about"), st.sampled_from(ABOUT_A_CASE)),
        st.tuples(st.just("id"), st.one_of(st.text(max_size=30), st.sampled_from(ABOUT_A_CASE))),
        st.tuples(st.sampled_from(["image", "sticker"]), st.just("")),
    ),
    min_size=1,
    max_size=12,
)


def test_anything_is_answered_at_any_moment(sqlite_template: Path, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "house.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite+aiosqlite:///{path}")
    with asyncio.Runner() as runner:
        county = runner.run(_county(database, clock, tmp_path / "files"))
        cases = runner.run(_cases(county))
        people = (county.doctor, county.expert, county.administrator)

        @settings(max_examples=40, suppress_health_check=list(HealthCheck))
        @given(who=st.integers(0, len(people) - 1), taken=steps)
        def play(who: int, taken: list[tuple[str, str]]) -> None:
            runner.run(_play(county, people[who], taken, cases))

        play()
        runner.run(database.close())


async def _county(database: Database, clock: Clock, folder: Path) -> County:
    return await settle_in(await build_house(database, clock, folder))


async def _cases(county: County) -> list[str]:
    """One case in each of the stages in which practitioners meet it, and an invitation."""
    draft = await county.story.open_case(county.patient)
    offered = await county.story.open_case(county.patient)
    await county.story.submit(offered, county.doctor)
    assigned = await county.story.open_case(county.patient)
    await county.story.submit(assigned, county.doctor)
    await county.story.accept(assigned, county.expert)
    running = await county.story.running(county.patient, county.doctor, county.expert)
    offers = await county.story.house.services.consultations.offers_for(
        await county.story.house.actor(county.expert.person_id)
    )
    return [draft.id, offered.id, assigned.id, running.id, offers[0].id, county.patient.person_id, "unknown"]


async def _play(county: County, phone: Phone, taken: list[tuple[str, str]], cases: list[str]) -> None:
    chance = random.Random(repr(taken))
    phone.state, phone.menus = ConversationState(), []
    for kind, what in taken:
        await phone.hear()
        await _do(phone, kind, what, chance.choice(cases))
        in_thread = await county.story.house.services.consultations.focus(
            await county.story.house.actor(phone.person_id)
        )
        assert phone.replies or in_thread, f"{kind} {what!r} was not answered"


async def _do(phone: Phone, kind: str, what: str, case: str) -> None:
    offered = [choice for menu in phone.menus[-4:] for choice in menu.choices]
    if kind == "tap" and offered:
        await phone.tap_choice(offered[int(what) % len(offered)])
    elif kind in ("click", "about"):
        await phone.click(what if kind == "click" else f"{what}:{case}")
    elif kind == "id":
        await phone.tap_choice(Choice(what, "?"))
    elif kind == "image":
        await phone.send_image()
    elif kind == "sticker":
        await phone.send_sticker()
    elif kind == "speak":
        await phone.speak(what)
    else:
        await phone.say(what)
