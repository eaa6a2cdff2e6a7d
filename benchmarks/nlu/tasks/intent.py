"""Health questions to search engines (KUAKE-QIC): which of eleven kinds of question it is.

The set asks other things than our patients do, and nothing here is trained on it: words that ask (``_CUES``, the first
that fits counts) decide, then what our own provider finds in the question.
"""

import re
from functools import cache
from typing import Any

from nlu.embedded import EmbeddedProvider
from nlu.types import Context, Intent, Status

_FOOD = r"[吃喝食饮]"
_CUES = (
    ("医疗费用", r"多少钱|多少元|价格|价位|费用|收费|价钱|贵不贵|[要得花]钱"),
    (
        "就医建议",
        (
            r"[什哪]么?[个一]?科|挂.{0,4}[科号]|哪.{0,6}医院|医院.{0,8}(?:哪|好|排名|怎么样)|哪.{0,4}(?:治|看|做).{0,8}好|"
            r"专科|(?:需要?|应该?|要)(?:做|查)(?:什么|哪些|啥)|检查(?:什么|哪些)|查(?:什么|哪些)|哪个医生|医生.{0,4}推荐"
        ),
    ),
    ("功效作用", r"功效|作用(?!于)|功能|主治|好处|价值|营养成分|治什么|疗效|效果|有用吗|管用"),
    (
        "指标解读",
        r"(?:正常|标准|参考)(?:值|范围|是多少|体温)|(?:指标|数值|\d).{0,8}(?:正常吗|什么意思|偏[高低])|[是为]偏[高低]",
    ),
    (
        "病因分析",
        r"原因|(?:怎么|怎样|如何)(?:引起|得的?|感染|形成|产生|造成|导致)|(?:什么|啥)(?:引起|导致|造成)|怎样会得|病因",
    ),
    ("后果表述", r"危害|后果|后遗症|副作用|坏处|伤害|并发症|依赖|影响|会(?:导致|引起|造成)|会死"),
    ("疾病表述", r"能.{0,6}治[好愈]|治愈率?吗|根治吗|能治吗"),
    (
        "注意事项",
        (
            rf"注意|忌|不[能宜可要]{_FOOD}|(?:能|可以|可|能不能|可不可以|适合|宜)(?:不能)?(?:{_FOOD}|用|洗|做|打|同)|护理|预防|防止|"
            rf"饮食|{_FOOD}(?:点|些)?(?:什么|啥|哪些)(?!药)|食物|食谱|保养|调理"
        ),
    ),
    (
        "治疗方案",
        (
            r"治疗|怎么?[么样]?(?:办|治|缓解|恢复|处理|纠正|消除|去除|解决|改善|快)|如何|治[好愈法]?|药|疗法|偏方|办法|矫正|减肥|怎[么样].{0,6}[养除去]|方法|手术|"
            r"怎么(?:能|才能|可以)|缓解|咋办"
        ),
    ),
    ("疾病表述", r"症状|表现|传染|自愈|遗传|什么是|是什么(?!病)|区别|早期|晚期|分类|潜伏期|能活|多久|怀孕几率|特征"),
    ("病情诊断", r"怎么回事|咋回事|什么病|是不是|为什么|为啥|怎么了|是.{1,12}吗|正常吗|什么情况"),
)
_OF_INTENT = {
    Intent.ASK_PRICE: "医疗费用",
    Intent.BOOK: "就医建议",
    Intent.ASK_PRESCRIPTION: "治疗方案",
    Intent.ASK_REPORT: "指标解读",
}


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The kind of one question: ``{"intent": …}``."""
    return {"intent": _kind(str(row["text"]))}


def _kind(text: str) -> str:
    for kind, pattern in _cues():
        if pattern.search(text):
            # Whoever asks for the cause of a symptom wants to know the illness, and that is a diagnosis.
            return "病情诊断" if kind == "病因分析" and _tells_symptoms(text) else kind
    said = _provider().understand(text, Context())
    if said.intent in _OF_INTENT:
        return _OF_INTENT[said.intent]
    return "病情诊断" if any(s.status is Status.POSITIVE for s in said.symptoms) else "其他"


def _tells_symptoms(text: str) -> bool:
    said = _provider().understand(text, Context())
    return bool(said.symptoms) and not said.diseases


@cache
def _cues() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((kind, re.compile(pattern)) for kind, pattern in _CUES)


@cache
def _provider() -> EmbeddedProvider:
    return EmbeddedProvider()
