"""Joining by scanning an invitation."""

from datetime import timedelta

import pytest

from backend.security.policy import Role
from tests.bot.flows.staff.conftest import County

JOBS = (
    (Role.GRASSROOTS_DOCTOR, "发起会诊"),
    (Role.EXPERT, "会诊邀请"),
    (Role.ADMINISTRATOR, "待处理事项"),
)


@pytest.mark.parametrize(("role", "first"), JOBS)
async def test_who_scans_an_invitation_is_welcomed_by_role(county: County, role: Role, first: str) -> None:
    scene = await county.story.invite("周新", role, "省人民医院", "cardiology")
    newcomer = await county.story.phone()
    welcome = await newcomer.follow(scene)
    assert "周新" in welcome
    assert "省人民医院" in welcome
    assert first in newcomer.choices
    assert role in (await county.story.house.actor(newcomer.person_id)).roles


async def test_a_follower_may_join_by_scanning_later(county: County) -> None:
    scene = await county.story.invite("周新", Role.EXPERT, "省人民医院", "cardiology")
    newcomer = await county.story.phone()
    await newcomer.follow()
    assert "周新" in await newcomer.scan(scene)


async def test_a_used_invitation_says_so_and_still_greets_the_new_follower(county: County) -> None:
    scene = await county.story.invite("周新", Role.EXPERT, "省人民医院", "cardiology")
    await (await county.story.phone()).follow(scene)
    second = await county.story.phone()
    text = await second.follow(scene)
    assert "请联系管理员重新发一张" in text
    assert "同意" in second.choices, "they may still be a patient"
    assert (await county.story.house.actor(second.person_id)).roles == {Role.PATIENT}


@pytest.mark.parametrize("scene", ["join-", "join-unknown", "join-" + "x" * 59])
async def test_an_unknown_invitation_is_told_in_clear_words(county: County, scene: str) -> None:
    phone = await county.story.phone()
    assert "请联系管理员重新发一张" in await phone.scan(scene)


async def test_an_expired_invitation_is_told_in_clear_words(county: County) -> None:
    scene = await county.story.invite("周新", Role.EXPERT, "省人民医院", "cardiology")
    county.story.house.clock.advance(timedelta(days=8))
    phone = await county.story.phone()
    assert "请联系管理员重新发一张" in await phone.scan(scene)
