"""Menus: everybody's, and those of people who practise."""

from datetime import timedelta

import pytest

from backend.security.policy import Actor, Role
from bot.membership import Membership
from bot.menus import BY_ROLE, PATIENT, Button
from bot.messages import QrCode
from bot.wechat.menus import check
from tests.support.sandbox import RunningSandbox
from tests.support.transport import RunningTransport
from tests.support.waiting import eventually


class Experts:
    """Where everybody is an expert."""

    async def actor(self, person_id: str) -> Actor:
        return Actor(person_id, frozenset({Role.PATIENT, Role.EXPERT}))


@pytest.fixture
def membership(transport: RunningTransport) -> Membership:
    sending = transport.sending
    return Membership(transport.database, Experts(), sending.rows, sending.worker)


async def test_menus_are_published_once_and_again_only_where_they_differ(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    menus = transport.sending.menus
    assert await menus.publish()
    assert not await menus.publish()
    phone = await wechat.client.phone("王阿姨", following=True)
    assert [button["name"] for button in await phone.menu()] == ["我要问诊", "我的会诊", "更多"]
    assert await menus.publish((Button("问诊", "patient.start"),))
    assert [button["name"] for button in await phone.menu()] == ["问诊"]


async def test_somebody_with_a_role_sees_its_menu_and_no_other_roles(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    await transport.sending.menus.publish()
    phone = await wechat.client.phone("李医生", following=True)
    await transport.sending.menus.show_menu_of(phone.openid, Role.GRASSROOTS_DOCTOR)
    assert [button["key"] for button in (await phone.menu())[:2]] == ["doctor.tasks", "doctor.new"]
    await transport.sending.menus.show_menu_of(phone.openid, Role.EXPERT)
    await transport.sending.menus.show_menu_of(phone.openid, Role.EXPERT)
    assert [button["key"] for button in (await phone.menu())[:2]] == ["expert.offers", "expert.mine"]


async def test_whoever_joins_gets_the_menu_of_the_role_though_wechat_stumbles(
    wechat: RunningSandbox, transport: RunningTransport, membership: Membership
) -> None:
    await transport.sending.menus.publish()
    phone = await wechat.client.phone("李医生", following=True)
    await phone.say("您好", wait_reply=True)
    person_id = await transport.person_of(phone.openid)
    await wechat.client.fault(path="/cgi-bin/tags/members/batchtagging", errcode=-1, times=1)
    await membership.followed(person_id)

    async def sees_it() -> bool:
        return (await phone.menu())[0].get("key") == "expert.offers"

    await eventually(sees_it)


async def test_an_invitation_arrives_as_a_code_that_can_be_scanned(
    wechat: RunningSandbox, transport: RunningTransport
) -> None:
    administrator = await wechat.client.phone("管理员", following=True)
    await administrator.say("您好", wait_reply=True)
    until = (transport.clock.now() + timedelta(days=7)).isoformat()
    await wechat.client.fault(path="/cgi-bin/qrcode/create", errcode=-1, times=1)
    await transport.sending.outbox.send(
        None, await transport.person_of(administrator.openid), QrCode("邀请李医生", "扫码加入", "join-abc", until)
    )
    card = await administrator.wait_for("邀请李医生")
    assert str(card.raw["url"]).startswith(f"{wechat.base_url}/cgi-bin/showqrcode?ticket=")
    phone = await wechat.client.phone("李医生")
    await phone.scan("join-abc", wait_reply=True)
    assert transport.dialogue.heard[-1].item_id == "join-abc"


@pytest.mark.parametrize(
    "menu",
    [
        (),
        (Button("a", "k"),) * 4,
        (Button("六个汉字就太长", "k"),),
        (Button("a"),),
        (Button("a", "k" * 129),),
        (Button("a", below=(Button("b", "k"),) * 6),),
        (Button("a", below=(Button("b"),)),),
    ],
)
def test_a_menu_beyond_wechats_limits_is_refused_before_it_is_sent(menu: tuple[Button, ...]) -> None:
    with pytest.raises(ValueError, match=r"button|bytes|key"):
        check(menu)


@pytest.mark.parametrize("menu", [PATIENT, *BY_ROLE.values()])
def test_our_menus_keep_wechats_limits(menu: tuple[Button, ...]) -> None:
    check(menu)
