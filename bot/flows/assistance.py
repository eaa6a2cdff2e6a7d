"""Questions about the service itself, answered in place, and the way to a human being."""

import re

from bot.dialogue import Dialogue, Handler, Turn
from bot.flows import progress
from bot.flows.intake_questions import answer_in_place
from bot.messages import Choice, Menu
from nlu.types import Command, Intent, Status, Understanding

ANSWERS = {
    "price": "在这里问诊、请专家会诊，现在不收您的钱。以后要做检查、拿药，医生会先跟您说清楚价钱。",
    "time": (
        "跟我说病情，一般几分钟就够了。交给医生以后，医生会尽快看。请专家，一般十几分钟有人接；约好时间以后，到点前我会提醒您。"
    ),
    "howto": (
        "很简单：\n1. 您告诉我哪里不舒服，打字、说话都行。\n2. 我整理好，请您看一遍。\n"
        "3. 您选一家卫生院，那里的医生会看。\n4. 需要时，医生帮您请大医院的专家，您在这里就能跟专家说话。"
    ),
    "safety": "您说的话都加密保存，只有给您看病的医生能看。不会给别人，也不会拿去做广告。您随时可以撤回同意。",
    "insurance": "在这里说病情用不着医保卡。要检查、拿药的时候，能不能报销，请问卫生院的医生，他会帮您看。",
    "prescription": "我自己不能开药。请先告诉我哪里不舒服，我交给医生，该不该用药由医生来定。",
    "diagnosis": "是什么病、要不要紧，得医生看过才说得准，我不能替医生下结论。您说的我都记着，会交给医生。",
    "treatment": "吃什么药、要不要打针做手术，得由医生来定，我不能替医生说。医生以前让您吃的药，别自己停。",
    "robot": "我是自动的小助手，不是医生。我帮您记清楚、找对人，看病由真正的医生来看。",
    "report": "报告请拍成照片发给我，我一起交给医生看。要看以前的结果，请点“我的会诊”。",
    "worry": "别着急，慢慢说，我记着呢，会交给医生看。要是突然加重，请马上打120。",
    "refund": "在这里问诊、请专家会诊，现在不收您的钱，没有要退的。在药店、医院付的钱，请找那里退。",
    "invoice": "在这里问诊、请专家会诊，现在不收您的钱，所以没有发票。在药店、医院付的钱，请在那里开。",
    "complaint": "让您不满意了，很抱歉。您可以点“找人工”，把情况说给值班的人听。",
}
"""What is answered, by topic. None of it says anything about an illness."""

CHARGED = {
    "price": (
        "跟我说病情、卫生院医生看，不收您的钱。请大医院专家会诊要收费：您选好时间，我先替您问医保，把一共多少、医保付多少、"
        "您付多少写清楚。您看了同意再付，不付就不扣钱。"
    ),
    "insurance": (
        "能用。请专家会诊的时候，我直接替您问医保，报掉的部分不用您先垫。第一次要写一下身份证号，写一次就行。"
        "要检查、拿药的时候，能不能报销，请问卫生院的医生。"
    ),
    "refund": (
        "会诊开始以前取消预约，您付的钱全部退给您。原路退回，一般几分钟就到；付钱用的是银行卡的，最晚3个工作日。"
        "退到哪一步了，说“我的账单”就能看。"
    ),
    "invoice": "会诊结束、结算好了就有电子发票。说“我的账单”，点那一笔，再点“看电子发票”。",
}
"""What is answered instead where something is charged."""

_TOPIC_OF_INTENT = {
    Intent.ASK_PRICE: "price",
    Intent.ASK_HOWTO: "howto",
    Intent.ASK_INSURANCE: "insurance",
    Intent.ASK_PRESCRIPTION: "prescription",
    Intent.ASK_REPORT: "report",
    Intent.COMPLAIN: "complaint",
}
REPROACH = re.compile(
    r"没人(?:理|管|回|搭理)|破(?:东西|平台|系统|玩意)|投诉|垃圾(?:平台|系统|东西)|(?:三|几|好几|\d)天.{0,4}(?:不回|没回)"
)
"""Anger at the service: the three days in it are no length of an illness."""
_TOPIC_WORDS = (
    (
        "worry",
        re.compile(r"怎么办|咋办|好怕|害怕|吓死|急死|好担心|很担心|担心死|着急|不会有事|会不会死|严不严重|严重吗"),
    ),
    ("robot", re.compile(r"机器人|(真人|人工智能|电脑)(吗|在)|是不是(真)?人|是人吗")),
    ("refund", re.compile(r"退款|退钱|退费|钱.{0,4}退|退.{0,4}钱")),
    ("invoice", re.compile(r"发票|收据|开票|凭证")),
    ("price", re.compile(r"多少钱|收费|要钱|花钱|免费|价钱|费用|怎么收钱")),
    ("insurance", re.compile(r"医保|报销|新农合|合作医疗")),
    (
        "safety",
        re.compile(
            r"安全吗|隐私|泄露|保密|别人.{0,6}(看到|看见|知道)|(是不是|不会是|会不会是?).{0,3}骗|骗[子人]的?(吗|吧|么|嘛)|靠谱吗"
        ),
    ),
    ("time", re.compile(r"(要|得|等).{0,3}多久|(多久|多长时间|什么时候|啥时候|几时).{0,3}(能看|才|有人|看上|回)")),
    ("complaint", REPROACH),
    ("howto", re.compile(r"怎么用|怎么弄|怎么操作|咋用|不会用|使用方法|怎么问诊")),
)
_WHAT_IS_IT = re.compile(
    r"(?:是|得了?的?|患了?|生了?|算|叫)(?:一?种|个)?(?:什么|啥|哪种|哪样|么子|么事|嘛)(?:怪|大)?(?:病|毛病|症)(?!都|也)|"
    r"(?:什么|啥)(?:病|毛病)(?:啊|呀|呢|嘛|了)*(?:[?？。!！]|$)|(?:给|帮|替)我.{0,2}(?:诊断|确诊|判断)|能.{0,3}(?:诊断|确诊)"
)
_WHAT_HELPS = re.compile(
    r"(?:要不要|用不用|需不需要|需要|该不该|能不能|可不可以|可以|能|要|用)[^，,。？?！!]{0,6}(?:打针|输液|挂水|吊水|吊针|打点滴|手术|开刀|住院|吃药|用药|停药)"
    r"(?:吗|么|嘛|不|啊|呢|[?？]|$)"
)
_ASKING = re.compile(r"[?？]|吗|么$|嘛|是不是|会不会|是否|不会是|该不会|能不能|可不可以|能不|要不要|呢$")
_SMALL_TALK = {Intent.GREET: "您好。", Intent.THANK: "不客气。"}
SURE = 0.5
"""How probable an intent must be before it is acted upon in place of what the conversation is about."""

_LONGEST_QUESTION = 30
"""Longer texts tell of an illness and mention money or time by the way; they are no questions about the service."""

_MORE = (
    Choice("help.howto", "怎么用"),
    Choice("help.price", "要花钱吗"),
    Choice("help.safety", "安全吗"),
    Choice("help.insurance", "医保能用吗"),
    Choice("device.mine", "我的设备"),
    Choice("patient.privacy", "隐私与同意"),
    Choice("help.human", "找人工"),
)


def answer_to(turn: Turn, name: str) -> str:
    """Give what is answered on a topic here."""
    return (CHARGED.get(name) if turn.services.charging is not None else None) or ANSWERS[name]


def topic(text: str, said: Understanding) -> str | None:
    """Give the key of `ANSWERS` that `text` asks for; None where it asks for nothing of the kind."""
    if len(text) <= _LONGEST_QUESTION:
        asked = next((name for name, words in _TOPIC_WORDS if words.search(text)), None)
        asked = asked or for_the_doctor(text, said)
        if asked is not None:
            return asked
    return None if said.symptoms or said.confidence < SURE else _TOPIC_OF_INTENT.get(said.intent)


def for_the_doctor(text: str, said: Understanding) -> str | None:
    """Give the key of `ANSWERS` where `text` asks what only a doctor may answer: what it is, or what helps."""
    if len(text) > _LONGEST_QUESTION:
        return None
    asking = _ASKING.search(text) is not None
    if asking and any(drug.status is Status.UNKNOWN for drug in said.drugs):
        return "treatment"
    if _WHAT_HELPS.search(text) and (asking or said.treatments or said.operations):
        return "treatment"
    named = asking and any(disease.status is Status.UNKNOWN for disease in said.diseases)
    return "diagnosis" if named or _WHAT_IS_IT.search(text) else None


def wants(intent: Intent, said: Understanding) -> bool:
    """Tell whether this is likelier than not what the words want."""
    return said.intent is intent and said.confidence >= SURE


def wants_human(said: Understanding) -> bool:
    """Tell whether the person asks for a human being."""
    return said.command is Command.HUMAN or (wants(Intent.TALK_TO_PERSON, said) and not said.symptoms)


async def digression(turn: Turn, said: Understanding) -> str | None:
    """Give the answer to a message that is about the service rather than about an illness; None for any other."""
    if wants_human(said):
        return await call_human(turn)
    if said.command is Command.HELP:
        return answer_to(turn, "howto")
    waits = progress.is_asked(turn.text, said)
    if waits and (case := await progress.of_newest(turn)) is not None:
        return progress.words(case)
    asked = "time" if waits and not REPROACH.search(turn.text) else topic(turn.text, said)
    if asked is not None:
        return answer_to(turn, asked)
    return _SMALL_TALK.get(said.intent) if said.confidence >= SURE else None


async def call_human(turn: Turn) -> str:
    """Tell the people on duty that this person needs them, and give the sentence to say."""
    await turn.services.help_desk.call(turn.actor)
    return "好的，已经告诉值班的人，会尽快在这里联系您，不用再叫。情况急的话，请直接打120。"


def register(dialogue: Dialogue) -> None:
    """Add the answers about the service and the way to a human being."""
    dialogue.on_action("help.more", _more)
    dialogue.on_action("help.human", _human)
    for name in ANSWERS:
        dialogue.on_action(f"help.{name}", _answer(name))


async def _more(turn: Turn, _argument: str) -> None:
    turn.say(Menu("您想了解什么？", _MORE))


async def _human(turn: Turn, _argument: str) -> None:
    answer_in_place(turn, await call_human(turn))


def _answer(name: str) -> Handler:
    async def answer(turn: Turn, _argument: str) -> None:
        answer_in_place(turn, answer_to(turn, name))

    return answer
