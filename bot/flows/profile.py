"""我的资料: what the platform knows of the person themselves, and the way to change it by tapping or typing."""

import re
import unicodedata
from datetime import date
from typing import Any

from backend.clock import local
from backend.errors import InvalidInput
from backend.people import rules
from backend.people.rules import birth_date_of_age
from backend.people.views import PersonView, PractitionerView
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows import consent
from bot.flows.intake_state import Intake
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import lines, masked_phone
from nlu.types import Asked, Context, Expects, Slot

_NAME = "profile"
_LEAVING = frozenset({"返回", "退出", "取消", "算了", "不改了"})
_MARKS = " 。.，,"
_SEXES = {"男": "male", "女": "female"}
_UNKNOWN = "还没填"
_BACK = Choice("patient.profile", "不改了")
_ASKING = {
    "name": "请写您的姓名，比如：王秀英",
    "sex": "请问您是男是女？",
    "birth": "请写出生年月日，比如：1958年3月12日。\n只记得年龄也行，比如：67岁",
    "phone": "请写11位手机号：",
    "address": "请写您的住址，写到村或者门牌号，比如：青山镇石桥村3组12号",
    "number": "请写18位身份证号，照着身份证一位一位写：",
}
_LABELS = {
    "name": "姓名",
    "sex": "性别",
    "birth": "出生日期",
    "phone": "手机号",
    "address": "住址",
    "number": "身份证号",
}
_FIELDS = {"birth": "birth_date", "number": "id_number"}
_BY_IDENTITY = frozenset({"sex", "birth"})
_YES = frozenset({"对", "对的", "是", "是的", "没错", "嗯", "好", "好的", "确认"})
_NO = frozenset({"不对", "不是", "错了", "不"})
_DAY = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*[日号]?(生|出生)?")


class ProfileFlow:
    """Waits for one value, keeping what it has interrupted.

    Data: `changing`: the `field`, the `value` that was read back and waits for a yes, and the flow to go `back_to`;
    beside it what that flow remembers.
    """

    name = _NAME

    async def begin(self, turn: Turn) -> None:
        """Ask for the value."""
        field = turn.data["changing"]["field"]
        sexes = tuple(Choice(f"patient.profile_sex:{value}", word) for word, value in _SEXES.items())
        choices = sexes if field == "sex" else ()
        turn.say(Menu(_ASKING[field], (*choices, _BACK)))

    async def receive(self, turn: Turn) -> None:
        """Take the value, or say what is wrong with it and wait for another."""
        if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            await self.begin(turn)
        elif turn.text.rstrip(_MARKS) in _LEAVING:
            await show(turn)
        elif "value" in turn.data["changing"] and turn.text.rstrip(_MARKS) in _YES | _NO:
            await _answered(turn, "yes" if turn.text.rstrip(_MARKS) in _YES else "no")
        else:
            await _change(turn, turn.data["changing"]["field"])


async def show(turn: Turn, _argument: str = "") -> None:
    """Show what is known; whatever was interrupted goes on with the next message."""
    _put_back(turn)
    if not is_practitioner(turn.actor) and not await consent.require_consent(turn):
        return
    person = await turn.services.people.person(turn.actor, turn.actor.person_id)
    if is_practitioner(turn.actor) and turn.actor.practitioner_id:
        practitioner = await turn.services.people.practitioner(turn.actor.practitioner_id)
        turn.say(Menu(_staff_card(practitioner, person), (Choice("patient.profile_change:phone", "改手机号"),)))
        return
    fields = [("name", "改姓名"), ("phone", "改手机号"), ("address", "改住址")]
    fields[1:1] = [("number", "改身份证号")] if person.identified else [("sex", "改性别"), ("birth", "改年龄")]
    choices = [Choice(f"patient.profile_change:{field}", words) for field, words in fields]
    if Intake.of(turn) is not None:
        choices.append(Choice("patient.continue", "接着刚才说"))
    turn.say(Menu(_card(person), tuple(choices)))


async def _known(turn: Turn) -> PersonView:
    return await turn.services.people.person(turn.actor, turn.actor.person_id)


def _card(person: PersonView) -> str:
    sex = next((word for word, value in _SEXES.items() if value == person.sex), _UNKNOWN)
    age = _UNKNOWN if person.age_years is None else f"{person.age_years}岁"
    return lines(
        "您的资料（只给为您看病的医生看）：",
        f"姓名：{person.name or _UNKNOWN}",
        f"性别：{sex}",
        f"年龄：{age}",
        f"手机：{masked_phone(person.phone) if person.phone else _UNKNOWN}",
        f"住址：{person.address or _UNKNOWN}",
        *(["性别和年龄是照身份证号来的。"] if person.identified else []),
    )


def _staff_card(practitioner: PractitionerView, person: PersonView) -> str:
    return lines(
        f"{practitioner.name}　{practitioner.title}",
        "·".join(part for part in (practitioner.institution_name, practitioner.department_name) if part),
        f"手机：{masked_phone(person.phone) if person.phone else _UNKNOWN}",
        "姓名、职称、科室有变化，请联系管理员修改。",
    )


async def _ask(turn: Turn, field: str) -> None:
    _put_back(turn)
    if field not in _ASKING or (is_practitioner(turn.actor) and field != "phone"):
        await show(turn)
        return
    if field in _BY_IDENTITY and (await _known(turn)).identified:
        words = "性别和年龄是照您的身份证号来的，不单独改。身份证号登记错了，请点“改身份证号”。"
        turn.say(Menu(words, (Choice("patient.profile_change:number", "改身份证号"), _BACK)))
        return
    if not is_practitioner(turn.actor) and not await consent.require_consent(turn):
        return
    kept = dict(turn.state.data)
    await turn.enter(_NAME, **kept, changing={"field": field, "back_to": turn.state.flow})


async def _sex(turn: Turn, value: str) -> None:
    """Read the tapped sex back; a button of long ago asks anew."""
    if turn.state.flow == _NAME and turn.data["changing"]["field"] == "sex":
        _read_back(turn, "sex", rules.valid_sex(value), _said_sex(value))
    else:
        await _ask(turn, "sex")


async def _answered(turn: Turn, argument: str) -> None:
    """Keep the value that was read back, or ask for another one."""
    if turn.state.flow != _NAME or "value" not in turn.data["changing"]:
        await show(turn)
        return
    changing = turn.data["changing"]
    if argument != "yes":
        turn.state.data = {**turn.data, "changing": {key: one for key, one in changing.items() if key != "value"}}
        await ProfileFlow().begin(turn)
        return
    field, value = changing["field"], changing["value"]
    kept: str | date = date.fromisoformat(value) if field == "birth" else value
    wanted: dict[str, Any] = {_FIELDS.get(field, field): kept}
    await turn.services.people.update_person(turn.actor, turn.actor.person_id, **wanted)
    await show(turn)


async def _change(turn: Turn, field: str) -> None:
    """Read the value back; `InvalidInput` says what is wrong with it, and the question stands."""
    words, today = turn.text.strip(_MARKS), local(turn.services.clock.now()).date()
    if field == "birth":
        born = rules.valid_birth_date(await birth_date_in(turn, words), today)
        value, shown = born.isoformat(), f"{born.year}年{born.month}月{born.day}日（{rules.age_years(born, today)}岁）"
    elif field == "sex":
        said = (await turn.understand()).sex
        value = rules.valid_sex(_SEXES.get(words) or (said.value if said else ""))
        shown = _said_sex(value)
    elif field == "number":
        value = shown = rules.valid_identity_number(words, today).number
    else:
        value = shown = {"name": rules.valid_name, "phone": rules.valid_mobile, "address": rules.valid_address}[field](
            words
        )
    _read_back(turn, field, value, shown)


def _read_back(turn: Turn, field: str, value: str, shown: str) -> None:
    turn.state.data = {**turn.data, "changing": {**turn.data["changing"], "value": value}}
    answers = (Choice("patient.profile_keep:yes", "对"), Choice("patient.profile_keep:no", "不对，重写"))
    turn.say(Menu(f"{_LABELS[field]}改成：{shown}\n对吗？", (*answers, _BACK)))


def _said_sex(value: str) -> str:
    return next((word for word, one in _SEXES.items() if one == value), _UNKNOWN)


async def birth_date_in(turn: Turn, words: str) -> date:
    """Read a birth date from a date or an age. Raises InvalidInput where it is neither."""
    written = _DAY.fullmatch(unicodedata.normalize("NFKC", words))
    if written is not None:
        try:
            return date(*(int(part) for part in written.groups()[:3]))
        except ValueError:
            raise InvalidInput("没有这一天，请再写一次，比如：1958年3月12日。", field="birth_date") from None
    said = await turn.understand(Context(asked=Asked(slot=Slot.AGE), expects=Expects.NUMBER))
    if said.age_months is None:
        raise InvalidInput("没看明白，请写成1958年3月12日，或者67岁。", field="birth_date")
    return birth_date_of_age(said.age_months, local(turn.services.clock.now()).date())


def _put_back(turn: Turn) -> None:
    """Put back what was interrupted, if anything was."""
    if turn.state.flow != _NAME:
        return
    changing = turn.state.data.get("changing", {})
    turn.state.flow = changing.get("back_to", "")
    turn.state.data = {key: value for key, value in turn.state.data.items() if key != "changing"}
    turn.state.offered = []


def register(dialogue: Dialogue) -> None:
    """Add the page and its changes."""
    dialogue.add_flow(ProfileFlow())
    dialogue.on_action("patient.profile", show)
    dialogue.on_action("patient.profile_change", _ask)
    dialogue.on_action("patient.profile_sex", _sex)
    dialogue.on_action("patient.profile_keep", _answered)
