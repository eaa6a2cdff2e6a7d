"""What is a name, among the things that people answer when they are asked for one."""

import re

from backend.errors import InvalidInput
from backend.people.rules import valid_name
from nlu.types import Intent, Understanding

_LONGEST = 20
_OPENINGS = (
    "我的名字叫",
    "我的名字是",
    "他的名字叫",
    "她的名字叫",
    "名字叫",
    "姓名",
    "我叫",
    "他叫",
    "她叫",
    "就叫",
    "叫",
    "我是",
)
_NO_NAME = re.compile(
    r"(?:没有?|冇|无|不|都|好|对|行|是|嗯|哦|啊|呵|哈|嘿|可以|随便|谢谢|再见|你猜|保密|秘密|什么|啥|哪|谁|怎么|为什么|干嘛|"
    r"问|医生|大夫|专家|名字|姓名|病人|患者|本人|自己|匿名|还|未)+(?:有|的|名字?|了|吧|啊|呀|呢|吗|过|起|取|要|用|说|知道|清楚)*"
)
_NOT_NAMES = frozenset({"我", "他", "她", "你", "您", "孩子", "宝宝", "老人", "男", "女", "测试", "test"})
_NO_NAME_INTENTS = frozenset(
    {Intent.GREET, Intent.THANK, Intent.COMPLAIN, Intent.ASK_HOWTO, Intent.ASK_PRICE, Intent.EMERGENCY}
)
_ASKS = re.compile(r"[你您吗么?？!！]|多大|多少|什么|怎么|为啥|哪|谁|了$")
_MORE = re.compile(r"[，,、；;\s。]+")
_PERSONAL = re.compile(r"(?:今年|性别|年龄)?(?:\d{1,3}|[一二三四五六七八九十百]+)岁?多?|[男女]性?的?")
_JUST_THE_NAME = "请只发名字，不用写别的。不想写就点“先不说”。"


def name_in(words: str, said: Understanding) -> tuple[str | None, str]:
    """Find the name in an answer to the question for it.

    Args:
        words: what the person wrote, without full stops around it.
        said: what it means otherwise.

    Returns:
        The name and an empty string; or None and what to say. 没有, 好的 or 你猜 are no names.
    """
    name = _without_opening(_without_age_and_sex(words))
    if _is_no_name(name, said) or len(name) > _LONGEST:
        return None, _JUST_THE_NAME
    try:
        return valid_name(name), ""
    except InvalidInput as refusal:
        return None, refusal.sentence


def _without_opening(words: str) -> str:
    for opening in _OPENINGS:
        words = words.removeprefix(opening)
    return words.strip("：: ，,")


def _without_age_and_sex(words: str) -> str:
    """The name alone of 王秀英，67岁，女."""
    first, *rest = _MORE.split(words)
    return first if rest and all(_PERSONAL.fullmatch(part) for part in rest if part) else words


def _is_no_name(name: str, said: Understanding) -> bool:
    return bool(
        not name
        or said.yes_no is not None
        or said.command is not None
        or said.symptoms
        or said.diseases
        or said.drugs
        or said.denies
        or said.intent in _NO_NAME_INTENTS
        or name in _NOT_NAMES
        or _NO_NAME.fullmatch(name)
        or _ASKS.search(name)
    )
