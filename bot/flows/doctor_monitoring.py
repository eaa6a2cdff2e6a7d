"""A grassroots doctor and the devices at their patients' homes: alerts, limits and pairing, by typing or tapping."""

import re
import unicodedata
from dataclasses import dataclass

from backend.errors import InvalidInput
from backend.records.monitoring.limits import Level, Line, OwnLimit, Side
from backend.records.monitoring.readings import Kind
from backend.security.policy import Role
from bot.cards.monitoring import ALERT, ALERTS, END, NOTE, RECEIVED, alert_choice, alert_head, doctor_alert
from bot.dialogue import Dialogue, Turn
from bot.flows.devices import ADD, NAMES, pairing_card
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_flow import close
from bot.flows.staff_menus import home, staff_role
from bot.incoming import Kind as MessageKind
from bot.messages import Choice, Menu, suggestions
from bot.wording import clip, lines
from data.monitoring import measures

_SHOWN = 8
_CASES = 20
_KINDS = {
    "血压": Kind.BLOOD_PRESSURE,
    "高压": Kind.BLOOD_PRESSURE,
    "低压": Kind.BLOOD_PRESSURE,
    "心率": Kind.HEART_RATE,
    "脉搏": Kind.HEART_RATE,
    "心跳": Kind.HEART_RATE,
    "血氧": Kind.SPO2,
    "血糖": Kind.GLUCOSE,
    "体温": Kind.TEMPERATURE,
}
_NAME = r"(?P<name>[\u4e00-\u9fff·]{2,15}?)"
_WHAT = rf"(?P<what>{'|'.join(_KINDS)})"
_SET = re.compile(
    rf"{_NAME}{_WHAT}(?P<side>高于|超过|大于|高过|低于|小于|不到)?到?(?P<first>\d{{1,3}}(?:\.\d)?)(?:/(?P<second>\d{{2,3}}))?"
    r"(?:以上|以下)?(?:就|要)?(?P<level>提醒|危险)(?:我)?"
)
_RESET = re.compile(rf"{_NAME}{_WHAT}(?:提醒)?(?:线)?恢复默认")
_SHOW = re.compile(rf"{_NAME}(?:的)?提醒线")
_PAIR = re.compile(rf"(?:给|帮)?{_NAME}(?:绑定|绑)(?:一?[个台])?(?P<device>{'|'.join(NAMES)})")
_BLANKS = re.compile(r"[\s,，、:：]")
_LOW = frozenset({"低于", "小于", "不到"})
_EXAMPLE = "比如：张三 血压 160/100 提醒；张三 血氧 低于92 提醒；张三 血压 恢复默认"
_NOTES = ("已电话联系患者", "请患者来院", "请患者再量一次", "已调整用药")


@dataclass(frozen=True)
class _Wish:
    """What a doctor wants for a patient whom they name; `argument` is that of the action that does it."""

    name: str
    verb: str
    argument: str


async def hear(turn: Turn) -> bool:
    """Do what a doctor writes about the devices of a patient, in the middle of anything; not ours where it is nothing
    of the kind."""
    spoken = turn.incoming.kind in (MessageKind.TEXT, MessageKind.VOICE)
    if not spoken or staff_role(turn.actor) is not Role.GRASSROOTS_DOCTOR:
        return False
    words = _BLANKS.sub("", unicodedata.normalize("NFKC", turn.text)).rstrip("。.！!")
    if words in ("监测提醒", "提醒列表"):
        await alerts(turn)
    elif ADD.fullmatch(words):
        await _choose_patient(turn, words)
    elif (wish := _wish(words)) is not None:
        await _for_named(turn, wish)
    else:
        return False
    return True


def _wish(words: str) -> _Wish | None:
    if found := _SET.fullmatch(words):
        return _Wish(found["name"], "monitoring.set", _bounds(found))
    if found := _RESET.fullmatch(words):
        return _Wish(found["name"], "monitoring.reset", _KINDS[found["what"]].value)
    if found := _PAIR.fullmatch(words):
        return _Wish(found["name"], "monitoring.pair", NAMES[found["device"]].value)
    if found := _SHOW.fullmatch(words):
        return _Wish(found["name"], "monitoring.limits", "")
    return None


def _bounds(found: re.Match[str]) -> str:
    """Give what is to be set, as an action carries it: what, side, level, and the numbers."""
    low_by_itself = _KINDS[found["what"]] is Kind.SPO2 and not found["side"]
    side = Side.LOW if found["side"] in _LOW or low_by_itself else Side.HIGH
    level = Level.DANGER if found["level"] == "危险" else Level.ALERT
    return f"{found['what']}:{side.value}:{level.value}:{found['first']}:{found['second'] or ''}"


async def _for_named(turn: Turn, wish: _Wish) -> None:
    found = await turn.services.monitoring.patients_named(turn.actor, wish.name)
    if not found:
        turn.say(home(turn.actor, f"没有找到叫{wish.name}的患者。只能找在您卫生院看过的患者，请检查名字。"))
    elif len(found) == 1:
        await turn.act(f"{wish.verb}:{found[0].id}:{wish.argument}")
    else:
        choices = []
        for one in found[:_SHOWN]:
            participants = [turn.actor.practitioner_id or ""]  # of their centre: the service has just said so
            person = await turn.services.people.person(turn.actor, one.id, participants=participants)
            age = "" if person.age_years is None else f"{person.age_years}岁"
            sex = {"male": "男", "female": "女"}.get(person.sex, "")
            choices.append(Choice(f"{wish.verb}:{one.id}:{wish.argument}", clip(f"{one.name} {sex}{age}", 14)))
        turn.say(Menu(f"有{len(found)}位叫{wish.name}的患者，是哪一位？", tuple(choices)))


async def _choose_patient(turn: Turn, words: str) -> None:
    named = ADD.fullmatch(words)
    kind = NAMES[named[1]] if named and named[1] else None
    if kind is None:
        turn.say(home(turn.actor, "请写上患者和设备，比如：张三 绑定血压计"))
        return
    cases = await turn.services.consultations.list_for(turn.actor, role=Role.GRASSROOTS_DOCTOR, limit=_CASES)
    names = {case.patient_id: case.patient_name or "没有留名字" for case in cases}
    choices = [
        Choice(f"monitoring.pair:{patient_id}:{kind.value}", clip(name, 12))
        for patient_id, name in list(names.items())[:_SHOWN]
    ]
    if not choices:
        turn.say(home(turn.actor, "您还没有患者。患者在您这里问诊过，才能绑定设备。"))
        return
    turn.say(Menu(f"给哪位患者绑定{kind.device}？不在下面的，请写名字，比如：张三 绑定{kind.device}", tuple(choices)))


async def _pair(turn: Turn, argument: str) -> None:
    patient_id, _, code = argument.partition(":")
    pairing = await turn.services.monitoring.begin_pairing(turn.actor, patient_id, Kind(code))
    turn.say(pairing_card(turn, pairing, Kind(code), await _name(turn, patient_id)))


async def _set(turn: Turn, argument: str) -> None:
    patient_id, what, side, level, first, second = argument.split(":")
    kind, numbers = _KINDS[what], [float(one) for one in (first, second) if one]
    named = {"高压": ("systolic",), "低压": ("diastolic",)}.get(what, kind.measures)
    if len(numbers) != len(named):
        both = (
            "血压要写两个数，比如：张三 血压 160/100 提醒" if kind is Kind.BLOOD_PRESSURE else f"请写一个数。{_EXAMPLE}"
        )
        raise InvalidInput(both)
    wanted = [OwnLimit(measure, Side(side), Level(level), bound) for measure, bound in zip(named, numbers, strict=True)]
    await turn.services.monitoring.set_limits(turn.actor, patient_id, wanted)
    await _say_limits(turn, patient_id, "设好了。", kind)


async def _reset(turn: Turn, argument: str) -> None:
    patient_id, _, code = argument.partition(":")
    await turn.services.monitoring.reset_limits(turn.actor, patient_id, Kind(code))
    await _say_limits(turn, patient_id, "恢复成默认的了。", Kind(code))


async def _limits(turn: Turn, argument: str) -> None:
    await _say_limits(turn, argument.partition(":")[0], "", *Kind)


async def _say_limits(turn: Turn, patient_id: str, before: str, *kinds: Kind) -> None:
    held = await turn.services.monitoring.limits(turn.actor, patient_id)
    own = {(one.measure, one.side, one.level) for one in held.own}
    shown = [_described(line, (line.measure, line.side, line.level) in own) for line in _of(held.lines, kinds)]
    head = f"{before}{await _name(turn, patient_id)}的提醒线："
    turn.say(Menu(lines(head, *shown, f"要改就写，{_EXAMPLE}"), (Choice(ALERTS, "监测提醒"),)))


def _of(held: tuple[Line, ...], kinds: tuple[Kind, ...]) -> list[Line]:
    """Give the lines of `kinds` of which a doctor hears, in a fixed order."""
    order = [measure for kind in kinds for measure in kind.measures]
    told = [line for line in held if line.measure in order and line.level is not Level.WATCH]
    return sorted(told, key=lambda line: (order.index(line.measure), line.side, line.level.rank))


def _described(line: Line, is_own: bool) -> str:
    measure = measures()[line.measure]
    beyond = "以上" if line.side is Side.HIGH else "以下"
    what = "危险，马上通知" if line.level is Level.DANGER else "提醒"
    whose = "（您设的）" if is_own else ""
    return f"· {measure.name}{line.bound:g}{measure.unit}{beyond}：{what}{whose}"


async def alerts(turn: Turn, _: str = "") -> None:
    """List the open alerts of the patients of the doctor's institution."""
    found = await turn.services.monitoring.open_alerts(turn.actor)
    if not found:
        turn.say(home(turn.actor, "现在没有要看的监测提醒。"))
        return
    choices = tuple(alert_choice(one) for one in found[:_SHOWN])
    more = f"（先列出最要紧的{_SHOWN}条）" if len(found) > _SHOWN else ""
    turn.say(Menu(f"患者家里的设备有{len(found)}条提醒{more}，✓是有人在处理的：", choices))


async def _alert(turn: Turn, alert_id: str) -> None:
    alert = await turn.services.monitoring.alert(turn.actor, alert_id)
    head = alert_head(alert)
    if alert.closed_at is not None:
        head = "这条提醒已经结束了。"
    elif alert.acknowledged_by is not None:
        who = await turn.services.people.practitioner(alert.acknowledged_by)
        head = f"{who.name}医生在处理。"
    card = doctor_alert(alert, head, turn.services.clock.now())
    ending = () if alert.closed_at is not None else (Choice(f"{END}:{alert_id}", "结束提醒"),)
    limits = Choice(f"monitoring.limits:{alert.patient_id}", "看提醒线")
    turn.say(Menu(card.head, (*card.choices, *ending, limits)))


class AlertNoteFlow(ReasonFlow):
    """Data: `alert_id`; `before`, said above the question."""

    name = "monitoring_note"
    reasons = _NOTES
    keep = "以后再写"
    farewell = "好的。要写的时候，点“监测提醒”打开那一条。"

    async def begin(self, turn: Turn) -> None:
        choices = (*suggestions("reason", self.reasons), Choice("keep", self.keep))
        turn.say(Menu(lines(turn.data.pop("before", ""), "怎么处理的？点一个，也可以直接写："), choices))

    async def act(self, turn: Turn, reason: str) -> str:
        await turn.services.monitoring.acknowledge(turn.actor, turn.data["alert_id"], reason)
        return "处理记录写好了。数值恢复以后，这条提醒会自己结束。"


async def _received(turn: Turn, alert_id: str) -> None:
    await turn.services.monitoring.acknowledge(turn.actor, alert_id)
    await turn.enter(AlertNoteFlow.name, alert_id=alert_id, before="好的，交给您了，不再通知别人。患者也知道您看到了。")


async def _note(turn: Turn, alert_id: str) -> None:
    await turn.enter(AlertNoteFlow.name, alert_id=alert_id)


async def _end(turn: Turn, alert_id: str) -> None:
    await turn.services.monitoring.end(turn.actor, alert_id)
    close(turn, "这条提醒结束了。以后量的数值不对劲，会有新的提醒。")


async def _name(turn: Turn, patient_id: str) -> str:
    return (await turn.services.people.names([patient_id])).get(patient_id) or "患者"


def register(dialogue: Dialogue) -> None:
    """Let doctors see alerts, set limits and pair devices; before the thread, so that they are not relayed."""
    dialogue.add_flow(AlertNoteFlow())
    dialogue.on_action(ALERTS, alerts)
    dialogue.on_action(ALERT, _alert)
    dialogue.on_action(RECEIVED, _received)
    dialogue.on_action(NOTE, _note)
    dialogue.on_action(END, _end)
    dialogue.on_action("monitoring.set", _set)
    dialogue.on_action("monitoring.reset", _reset)
    dialogue.on_action("monitoring.limits", _limits)
    dialogue.on_action("monitoring.pair", _pair)
    dialogue.intercept([hear])
