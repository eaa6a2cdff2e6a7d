"""Whether what was found is affirmed, denied, open, past or merely supposed: the words around it decide.

A cue reaches to the end of its clause: a comma or a turn ("但是", "就是") stops it, a listing comma (、) and "和" do
not, so that "没有发烧，咳嗽三天了" denies the fever alone.
"""

import re
from dataclasses import dataclass

from nlu.types import Status

_BOUNDARY = re.compile(
    r"[,。!?;:~…]| |但是|不过|可是|而是|只是|就是|但|可(?=[是就])|另外|还有|除了|结果|然后|现在(?=[又有在])|而且"
)
_ADVERBS = "从来|从|并|也|都|倒是|倒|一直|还|又|已经|目前|暂时|现在|绝对|压根|根本|完全"
_NO_NEGATION_AFTER_NOT = (
    "知道|清楚|舒服|好|停|断|止|住|晓得|行|得|管|同|想活|过|仅|光|但|要紧|适|确定|到|足|能|敢|用|愿|肯|够|小心|"
    "时|一会|久|然|"
    "多|起|对|见|明|由|退|下|上|动|出|来|了|稳|良|振"
)
_NO_NEGATION_AFTER_HAVE_NOT = (
    "事|办法|法|用|钱|时间|注意|量|好|吃|睡|休息|去|看|几|过(?!敏)|打|做|查|多久|喝|来得|效果|缓解|改善|减轻|"
    "退|劲|精|什么效|意思|意义|盼头|希望|指望|奔头|出路|心思|胃口"
)
_NEGATION = re.compile(
    rf"(?:{_ADVERBS})?"
    rf"(?:没有过|没得|没啥|没什么(?!用|效)|没怎么|没再|没见|没出现|没有?(?!{_NO_NEGATION_AFTER_HAVE_NOT})|不再|"
    rf"不怎么|不太|不咋|不会|不是"
    rf"|不(?!{_NO_NEGATION_AFTER_NOT})|未见|未|无(?!力|法|意|名|论|精|聊|痛)|否认|排除了?|冇|木有)"
)
_DOUBLE = re.compile(r"(?:不是|并非|没有|不可能|不能|不会)(?:说)?(?:不|没有|没)$")
_QUESTION_BEFORE = re.compile(
    r"有没有|是不是|会不会|是否|能不能|可不可以|有无|算不算|要不要|该不会|难道|什么(?:是|叫)|怎么预防|如何预防"
)
_QUESTION_AFTER = re.compile(
    r"^(?:了|过|着|的话)?(?:没有|没|不)?(?:吗|么(?!办)|嘛|\?|没有\?|不\?)|^的?(?:症状|表现)?(?:有哪些|有什么)|"
    r"^是(?:什么|啥)(?:症状|意思|病|样|表现)|^了?没有?(?=\?|$)"
)
_QUESTION_AROUND = (
    re.compile(r"(?:(?<!一)会|是|算|属于|有)(?!点|些|的时候)[^,]{0,4}$"),
    re.compile(r"^[^,。!;]{0,6}(?:吗|么\b|嘛)"),
)
_SUPPOSED = re.compile(
    r"如果|假如|(?<!主)要是|万一|假设|以防|预防(?!针|接种|性)|防止|避免|担心|害怕|怕(?!冷|光|风|热|声)|怀疑|"
    r"可能是|可能会|会引起|会导致|会得|会变成|听说|"
    r"网上|科普|据说|电视|新闻|小说|梦见|梦到|演习|考试|不知道(?:有没有|是不是|会不会|算不算)|不确定|说不准|"
    r"什么是|是不是因为"
)
_WONDERS = re.compile(r"为什么|为啥|怎么|咋")
_OTHERS = re.compile(
    r"(?<![被让遭叫])(?:(?:村里|镇上|班上|厂里|单位|学校)有人|邻居|同事|朋友|同学|隔壁|老乡|别人|人家|同村|网友|明星|工友|亲戚|领导|老板|他家|她家|以前的病人)[^我咱]*$"
)
_NEEDS_HELP = re.compile(r"正在|救命|怎么办|咋办|现在(?:在|还|人|没|已)")
"""Said of a colleague who lies there: this is no hearsay."""

_PAST = re.compile(
    r"去年|前年|大前年|以前|从前|之前|曾经|小时候|年轻时|年轻的时候|上次|上回|那年|早年|多年前|年前|很久以前|"
    r"过去|(?:19|20)\d\d年|生(?:老大|老二|头胎|二胎|大宝|二宝)的?时候?|"
    r"(?:\d+|[一二两三四五六七八九十几]+)年前|好几年前|(?:[二两三四五六七八九十几\d]+)个月前|既往"
)
_LATELY = re.compile(r"上个?(?:月|周|星期|礼拜)|前(?:些|阵|段)")
"""What lies weeks back, and is over where it happened once: 上个月晕倒过一次."""

_PRESENT = re.compile(
    r"现在|今天|刚才|刚刚|又(?!不)|这次|最近|这两天|这几天|目前|昨天|昨晚|开始|至今|到现在|一直|突然|[\d一二两三四五六七八九十几半]个?(?:天|小时|分钟|星期|周)了?"
)
_CLAUSE_END = re.compile(r"[,。!?;]")
_GONE_AFTER = re.compile(
    r"^(?:的?症状)?(?:已经|都|也|现在|今天|早就|就|全|全都|差不多|是|倒是|倒|基本上?|算|自己){0,3}"
    r"(?:退了|退烧了|退下来了|退下去了|好了(?!一?[点些]|很?多|不少)|没了|没有了|不见了|消失了?|没有?(?=$|"
    r"[,。!;、 啊呢呀的])|痊愈|治好了|消了|止住了|"
    r"不(?=$|[,。!])|正常了|不明显)"
)


_PAST_REACH = 12
_SENTENCE_REACH = 60
"""What lies further back in a sentence without a mark says nothing of the mention, and looking there costs time."""


def is_present(text: str) -> bool:
    """Whether ``text`` says that something is so now or was of late."""
    return _PRESENT.search(text) is not None


@dataclass(frozen=True, slots=True)
class Assertion:
    """How a mention is meant."""

    status: Status
    past: bool = False


def assess_status(text: str, start: int, end: int) -> Assertion:
    """How ``text[start:end]`` is meant, from the words of its clause and (tense, supposition) sentence."""
    before = text[max(_sentence_start(text, start), start - _SENTENCE_REACH) : start]
    clause = _clause_before(before)
    after = text[end : end + 14]
    if _is_open(before, clause, after):
        return Assertion(Status.UNKNOWN)
    status = _polarity(clause, after)
    ended = _PAST.search(clause[-_PAST_REACH:]) is not None
    ended = ended or (after.startswith("过") and _LATELY.search(clause) is not None)
    past = ended and not _PRESENT.search(clause + _CLAUSE_END.split(after)[0])
    return Assertion(status, past)


def _sentence_start(text: str, position: int) -> int:
    return max(text.rfind(mark, max(0, position - _SENTENCE_REACH), position) for mark in "。!?;\n") + 1


def _clause_before(before: str) -> str:
    """What precedes the mention back to the nearest boundary."""
    last = 0
    for match in _BOUNDARY.finditer(before):
        last = match.end()
    return before[last:]


def _is_open(before: str, clause: str, after: str) -> bool:
    """Whether the mention is asked about, supposed, or somebody else's."""
    if _QUESTION_BEFORE.search(clause) or (_QUESTION_AFTER.match(after) and not _WONDERS.search(clause)):
        return True
    if _QUESTION_AROUND[0].search(clause) and _QUESTION_AROUND[1].match(after):
        return True
    if _SUPPOSED.search(clause) or after.startswith(("的话", "会怎")):
        return True
    return _OTHERS.search(before) is not None and _NEEDS_HELP.search(after) is None


def _polarity(clause: str, after: str) -> Status:
    if _GONE_AFTER.match(after):
        return Status.NEGATIVE
    cues = list(_NEGATION.finditer(clause))
    if not cues:
        return Status.POSITIVE
    last = cues[-1]
    between = clause[last.end() :]
    if _DOUBLE.search(clause[: last.end()]):
        return Status.POSITIVE
    return Status.NEGATIVE if _reaches(between, last.group()) else Status.POSITIVE


_STOPS_NEGATION = re.compile(
    r"(?:有点|有些|一直|但|却|还是|反而|就|只|仍|了(?!\S)|又|才|也(?!没|不|无)|(?<!不)是|得(?=[很厉])|以后|之后|后)"
)


def _reaches(between: str, cue: str) -> bool:
    """Whether a negation reaches over ``between`` to the mention."""
    if cue.endswith(("不", "不是")):
        return len(between) <= 6 and not _STOPS_NEGATION.search(between)
    return len(between) <= 18 and not _STOPS_NEGATION.search(between)
