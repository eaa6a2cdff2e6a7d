"""删除我的资料: what will go, what has to stay and until when, two yeses, and a week in which to think again.

It needs no consent: who took theirs back may ask all the same.
"""

import re
from datetime import datetime

from backend.clock import local
from backend.rights import Blocker, Overview
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.incoming import Kind
from bot.messages import Choice, Menu, Text
from bot.wording import clip

CHOICE = Choice("patient.erase", "删除我的资料")
"""The way here, for the page about privacy."""

_BLOCKERS = {
    Blocker.CONSULTATION: "有一次会诊还没看完，请等看完，或者先取消",
    Blocker.PRESCRIPTION: "有药方还没取完药，请等取完，或者等它过期",
    Blocker.REFILL: "您申请续开的药，医生还没答复",
    Blocker.ORDER: "有药还在路上，请等收到",
    Blocker.CHARGE: "有一笔钱还没结清",
    Blocker.AMENDMENT: "您说病历写错了，医生还没答复；不想等，可以先说“病历写错了”，再点“不用改了”",
    Blocker.RELATIVES: "您还在替家人看病，请先删除家人的资料，或者点“转人工”",
}
_WISH = r"(我|要|想|请|麻烦|你|您|帮我|给我)*"
_DATA = r"(我?自己的|我的?)?(全部的?|所有的?)?(个人)?(资料|信息|数据|病历|记录|账号|帐号)"
_DELETE = r"(删除|删掉|删了|清除|清空|注销)(掉|了)?"
_ASKS = re.compile(rf"{_WISH}({_DELETE}{_DATA}|把?{_DATA}(都|全部|全)?(给我)?{_DELETE})[吧啊。！!]*")
_TAKES_BACK = re.compile(
    r"(我|先)*(不|别)(要|想)?(删除|删掉|删|注销)(我的?资料)?了?[吧啊。！!]*|(取消|撤回|撤销)(删除|注销)(资料)?[吧啊。！!]*"
)


def register(dialogue: Dialogue) -> None:
    """Add it, by tap and by word."""
    dialogue.on_action("patient.erase", _erase)
    dialogue.on_action("patient.erase_not", _take_back)
    dialogue.intercept([_hear])


async def _hear(turn: Turn) -> bool:
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE):
        return False
    if _ASKS.fullmatch(turn.text):
        await _erase(turn, "")
        return True
    if _TAKES_BACK.fullmatch(turn.text) and await turn.services.erasures.pending(turn.actor):
        await _take_back(turn, "")
        return True
    return False


async def _erase(turn: Turn, argument: str) -> None:
    """Go on with it: `""` asks whose, `ID` tells what it means, `ID:sure` asks once more, `ID:really` does it."""
    if is_practitioner(turn.actor):
        turn.say("您是平台的医务人员，资料由单位管理。要离开平台，请联系管理员。")
        return
    patient_id, _, answer = argument.partition(":")
    if not patient_id:
        await _ask_whose(turn)
        return
    whose = await _whose(turn, patient_id)
    meant = await turn.services.erasures.overview(turn.actor, patient_id)
    if meant.due_at is not None:
        _say_pending(turn, patient_id, whose, meant.due_at)
    elif meant.blockers:
        _say_blocked(turn, meant)
    elif answer == "really":
        due_at = await turn.services.erasures.ask(turn.actor, patient_id)
        _say_pending(turn, patient_id, whose, due_at, "记下了。")
    elif answer == "sure":
        _ask_again(turn, patient_id, whose)
    else:
        _explain(turn, patient_id, whose, meant)


async def _ask_whose(turn: Turn) -> None:
    relatives = await turn.services.people.relatives(turn.actor)
    if not relatives:
        await _erase(turn, turn.actor.person_id)
        return
    others = [Choice(f"patient.erase:{one.person.id}", f"{clip(one.person.name, 8) or '家人'}的") for one in relatives]
    turn.say(Menu("要删除谁的资料？", (Choice(f"patient.erase:{turn.actor.person_id}", "我自己的"), *others)))


async def _whose(turn: Turn, patient_id: str) -> str:
    if patient_id == turn.actor.person_id:
        return "您"
    person = await turn.services.people.person(turn.actor, patient_id)
    return person.name or "家人"


def _explain(turn: Turn, patient_id: str, whose: str, meant: Overview) -> None:
    mine = patient_id == turn.actor.person_id
    talk = "和我的聊天、没说完的问诊、" if mine else ""
    goes = f"{talk}自己量的血压血糖、吃药提醒、家里的设备、没交给医生的照片、手机号和收货地址。"
    cut = "您的微信也不再和这些资料连在一起，下次再来就当是新人。" if mine else ""
    turn.say(
        Text(
            "\n\n".join(
                [
                    f"删除{whose}的资料，先跟您说清楚。",
                    f"【会删掉】{goes}{cut}",
                    f"【要留下】{_stays(meant)}",
                    "删掉的找不回来，以前的备份里也打不开了。",
                ]
            )
        ),
        Menu(
            "点“要删除”以后，还有7天可以反悔。",
            (Choice(f"patient.erase:{patient_id}:sure", "要删除"), Choice("patient.keep", "先不删")),
        ),
    )


def _stays(meant: Overview) -> str:
    kept = []
    if meant.record_until is not None:
        kept.append(
            f"看过病的病历和药方，国家规定要保存15年，留到{_day(meant.record_until)}"
            "（《医疗机构管理条例实施细则》第五十三条）"
        )
    if meant.money_until is not None:
        kept.append(f"收费的账，要保存30年，留到{_day(meant.money_until)}（《会计档案管理办法》）")
    proof = "谁在什么时候看过、改过的登记，里面没有姓名，一直留着作凭证"
    if not kept:
        return f"没有病历要留。只留您同意和要求删除的凭证，3年；{proof}。"
    return f"{'；'.join(kept)}。到那天自动删掉。{proof}。"


def _ask_again(turn: Turn, patient_id: str, whose: str) -> None:
    turn.say(
        Menu(
            f"再问您一次：删掉{whose}的资料，就找不回来了，医生也看不到平时量的数据了。真的要删吗？",
            (Choice(f"patient.erase:{patient_id}:really", "真的要删"), Choice("patient.keep", "先不删")),
        )
    )


def _say_blocked(turn: Turn, meant: Overview) -> None:
    reasons = "\n".join(f"· {_BLOCKERS[one]}。" for one in meant.blockers)
    choices = (Choice("patient.mine", "我的会诊"), Choice("help.human", "转人工"))
    turn.say(Menu(f"现在还不能删，有事情没办完：\n{reasons}\n办完了再来说“删除我的资料”就行。", choices))


def _say_pending(turn: Turn, patient_id: str, whose: str, due_at: datetime, before: str = "") -> None:
    words = f"{before}{_day(due_at)}会删掉{whose}的资料。在那以前想反悔，点“不删了”，或者发“不删了”就行。"
    turn.say(Menu(words, (Choice(f"patient.erase_not:{patient_id}", "不删了"),)))


async def _take_back(turn: Turn, patient_id: str) -> None:
    waiting = [patient_id] if patient_id else await turn.services.erasures.pending(turn.actor)
    for one in waiting:
        await turn.services.erasures.take_back(turn.actor, one)
    turn.say("好的，不删了，资料都还在。" if waiting else "现在没有要删的资料。")


def _day(moment: datetime) -> str:
    at = local(moment)
    return f"{at.year}年{at.month}月{at.day}日"
