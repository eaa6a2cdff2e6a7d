"""Every button under the chat does something, for everybody who can see it."""

import pytest

from backend.security.policy import Role
from bot.dialogue import Dialogue
from bot.flows.registration import register_flows
from bot.flows.staff_menus import idle_flow
from bot.menus import BY_ROLE, PATIENT, TAGS, Button
from tests.support.house import House
from tests.support.provider import PROVIDER
from tests.support.stories import Phone, Story

MENUS = {Role.PATIENT: PATIENT, **BY_ROLE}


def keys(buttons: tuple[Button, ...]) -> list[str]:
    """Give the keys of a menu, those below included."""
    return [leaf.key for button in buttons for leaf in (button.below or (button,))]


def test_every_key_is_an_action(house: House) -> None:
    dialogue = Dialogue(PROVIDER, house.services, idle=idle_flow)
    register_flows(dialogue)
    for buttons in MENUS.values():
        for key in keys(buttons):
            assert dialogue.has_action(key), key


def test_every_role_that_has_a_menu_has_a_tag() -> None:
    assert set(BY_ROLE) == set(TAGS)
    assert len(set(TAGS.values())) == len(TAGS)


@pytest.mark.parametrize("role", MENUS)
async def test_every_button_is_answered_for_whoever_sees_it(house: House, role: Role) -> None:
    story = await Story.begin(house)
    phone = await _somebody(story, role)
    for key in keys(MENUS[role]):
        answer = await phone.click(key)
        assert answer, key
        assert "权限" not in answer, key
        assert "过期" not in answer, key


async def _somebody(story: Story, role: Role) -> Phone:
    if role is Role.PATIENT:
        return await story.patient()
    department = "" if role is Role.ADMINISTRATOR else "respiratory"
    title = "主管药师" if role is Role.PHARMACIST else "主任医师"
    return await story.join("王建国", role, "省人民医院", department, title=title)
