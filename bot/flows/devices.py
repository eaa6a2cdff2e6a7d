"""我的设备: a patient pairs devices at home, sees them, and takes them away; also for those for whom they speak."""

import re

from backend.clock import local
from backend.records import Source
from backend.records.monitoring.readings import OBSERVED, Kind
from backend.records.monitoring.views import DeviceView, Pairing
from bot.cards.monitoring import MOST_READINGS, READINGS, readings_text
from bot.dialogue import Dialogue, Turn
from bot.flows import consent
from bot.flows.staff_menus import staff_role
from bot.incoming import Kind as MessageKind
from bot.messages import Choice, Link, Menu
from bot.wording import clip, lines, moment, time_of_day

NAMES = {
    "血压计": Kind.BLOOD_PRESSURE,
    "血压仪": Kind.BLOOD_PRESSURE,
    "血糖仪": Kind.GLUCOSE,
    "血糖计": Kind.GLUCOSE,
    "血氧仪": Kind.SPO2,
    "血氧夹": Kind.SPO2,
    "体温计": Kind.TEMPERATURE,
    "温度计": Kind.TEMPERATURE,
    "手环": Kind.HEART_RATE,
    "心率手环": Kind.HEART_RATE,
}
"""What people call the devices."""

ADD = re.compile(rf"(?:我要|我想|帮我)?绑定?(?:一?[个台])?(?:({'|'.join(NAMES)})|(?:家用)?(?:医疗)?设备)")
_MINE = re.compile(r"(?:看|查看|看看)?我的设备")
_LONGEST_NAME = 6


async def hear(turn: Turn) -> bool:
    """Answer a patient who speaks of their devices; not ours where they say anything else."""
    if turn.incoming.kind not in (MessageKind.TEXT, MessageKind.VOICE) or staff_role(turn.actor) is not None:
        return False
    words = turn.text.rstrip("。.！!")
    adding = ADD.fullmatch(words)
    if adding is not None:
        await add(turn, NAMES[adding[1]].value if adding[1] else "")
        return True
    if _MINE.fullmatch(words) is None:
        return False
    await show(turn)
    return True


async def show(turn: Turn, _argument: str = "") -> None:
    """List the devices of the person and of those for whom they speak."""
    if not await consent.require_consent(turn):
        return
    names = await _patients(turn)
    found = [(name, device) for patient_id, name in names.items() for device in await _devices(turn, patient_id)]
    choices = [Choice("device.add", "绑定新设备")]
    if not found:
        words = "您还没有绑定设备。绑定血压计、血糖仪这些以后，量的结果会自动传给医生，不对劲会马上提醒。"
        turn.say(Menu(words, tuple(choices)))
        return
    watched = {device.patient_id: name for name, device in found}
    choices += [
        Choice(f"{READINGS}:{patient_id}", f"看{clip(name, _LONGEST_NAME)}最近读数")
        for patient_id, name in watched.items()
    ]
    choices += [Choice(f"device.remove:{device.id}", f"解绑{clip(device.label, 8)}") for _, device in found]
    turn.say(Menu(lines("您的设备：", *(_line(turn, name, device) for name, device in found)), tuple(choices)))


async def add(turn: Turn, argument: str = "") -> None:
    """Pair a device; `argument` is its kind, and for whom it is, as far as they are chosen."""
    if not await consent.require_consent(turn):
        return
    code, _, patient_id = argument.partition(":")
    if code not in list(Kind):
        choices = tuple(Choice(f"device.add:{kind.value}", kind.device) for kind in Kind)
        turn.say(Menu("您要绑定哪一种？", choices))
        return
    names = await _patients(turn)
    if not patient_id and len(names) > 1:
        choices = tuple(
            Choice(f"device.add:{code}:{one}", clip(name, _LONGEST_NAME) or "我自己") for one, name in names.items()
        )
        turn.say(Menu(f"这台{Kind(code).device}是谁用？", choices))
        return
    chosen = patient_id or turn.actor.person_id
    pairing = await turn.services.monitoring.begin_pairing(turn.actor, chosen, Kind(code))
    turn.say(pairing_card(turn, pairing, Kind(code), names.get(chosen, "")))


def pairing_card(turn: Turn, pairing: Pairing, kind: Kind, name: str) -> Link:
    """Give the card that opens the page on which a device is paired; `name` where it is somebody else's."""
    until = time_of_day(local(pairing.expires_at))
    whose = f"{name}的" if name else ""
    words = f"点开这里，用设备厂家的软件扫码，或者把页面上的绑定码填进去。\n{until}前有效，只能用一次，不要转给别人。"
    return Link(f"绑定{whose}{kind.device}", words, turn.services.links.device(pairing.code))


async def _remove(turn: Turn, argument: str) -> None:
    device_id, _, sure = argument.partition(":")
    monitoring = turn.services.monitoring
    device = await monitoring.device(turn.actor, device_id)
    if sure != "sure":
        choices = (Choice(f"device.remove:{device_id}:sure", "确定解绑"), Choice("device.mine", "不解绑"))
        turn.say(Menu(f"解绑以后，{device.label}量的结果不再传来，以前的都留着。确定吗？", choices))
        return
    await monitoring.remove_device(turn.actor, device_id)
    turn.say(Menu(f"{device.label}已经解绑了。", (Choice("device.mine", "我的设备"),)))


async def readings(turn: Turn, patient_id: str) -> None:
    """Show what the devices of a patient measured lately; `patient_id` is empty for the person's own."""
    chosen = patient_id or turn.actor.person_id
    found = await turn.services.records.history(turn.actor, chosen, kinds=OBSERVED, limit=MOST_READINGS)
    measured = [one for one in found if one.source is Source.DEVICE]
    if not measured:
        turn.say("设备还没有传来数据。")
        return
    name = "" if chosen == turn.actor.person_id else (await turn.services.people.names([chosen])).get(chosen, "")
    head = f"{name}的设备最近量的：" if name else "设备最近量的："
    turn.say(lines(head, readings_text(measured, turn.services.clock.now())))


async def _patients(turn: Turn) -> dict[str, str]:
    """Give the person and those for whom they speak, with the names of the latter; their own is empty."""
    relatives = await turn.services.people.relatives(turn.actor) if turn.actor.wards else []
    others = {one.person.id: one.person.name or "家人" for one in relatives}
    return {turn.actor.person_id: "", **others}


async def _devices(turn: Turn, patient_id: str) -> list[DeviceView]:
    return await turn.services.monitoring.devices(turn.actor, patient_id)


def _line(turn: Turn, name: str, device: DeviceView) -> str:
    whose = f"{name}的" if name else ""
    heard = (
        f"最近传来：{moment(device.last_seen_at, turn.services.clock.now())}" if device.last_seen_at else "还没有数据"
    )
    return f"· {whose}{device.label}　{heard}"


def register(dialogue: Dialogue) -> None:
    """Let patients speak of their devices."""
    dialogue.on_action("device.mine", show)
    dialogue.on_action("device.add", add)
    dialogue.on_action("device.remove", _remove)
    dialogue.on_action(READINGS, readings)
    dialogue.intercept([hear])
