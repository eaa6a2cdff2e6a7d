"""The product's reading of a dialogue window in the names of the cardiology set (MIE, ACL 2020)."""

import re
from typing import Any

from nlu.embedded import EmbeddedProvider
from nlu.types import Speaker, Utterance
from nlu.window import Item, Standing, read_window

_PROVIDER = EmbeddedProvider()
_MARK = re.compile(r"^(患者|医生):")


def _ours_to_theirs(ours_by_theirs: dict[str, str]) -> dict[str, str]:
    """The set's name for each of our names; several of ours stand in one string."""
    return {ours: theirs for theirs, names in ours_by_theirs.items() for ours in names.split()}


SYMPTOMS = _ours_to_theirs(
    {
        "心律不齐": "心律不齐 窦性心动过速 窦性心动过缓 传导阻滞 心律失常 脉搏不齐 室上速 心跳慢",
        "心肌缺血": "心肌缺血",
        "冠心病": "冠心病 冠脉狭窄 颈动脉斑块",
        "高血压": "高血压 血压高 肺动脉高压",
        "胸闷": "胸闷",
        "呼吸困难": "呼吸困难 严重呼吸困难 喘息",
        "心肌炎": "心肌炎",
        "房颤": "房颤",
        "感冒": "感冒 上呼吸道感染 流感",
        "心衰": "心力衰竭",
        "心慌": "心慌",
        "乏力": "乏力",
        "胸痛": "胸痛",
        "早搏": "早搏",
        "先天性心脏病": "先天性心脏病 动脉导管未闭",
        "心肌梗死": "心肌梗死",
        "咳嗽": "咳嗽",
        "水肿": "水肿 下肢水肿 面部水肿",
        "头晕": "头晕",
        "贫血": "贫血",
        "糖尿病": "糖尿病",
        "室间隔缺损": "室间隔缺损",
        "发热": "发烧",
        "房间隔缺损": "房间隔缺损",
        "高血脂": "高脂血症",
        "发绀": "口唇发紫",
        "流涕": "流鼻涕",
        "腹部不适": "腹痛 腹胀 腹部不适 腹泻",
        "胃部不适": "上腹痛 反酸 消化不良 胃病 胃炎",
        "晕厥": "晕厥 意识不清",
        "心脏肥大": "心脏肥大",
        "甲亢": "甲亢",
        "出汗": "出汗 出冷汗 盗汗",
        "头痛": "头痛",
        "恶心": "恶心",
        "高血糖": "血糖高",
        "背痛": "背痛",
        "心肌病": "心肌病",
        "呕吐": "呕吐",
        "战栗抽搐": "抽搐 寒战 手抖",
        "僵硬": "麻木 半身麻木 晨僵",
        "行动不便": "肢体无力",
    }
)
EXAMINATIONS = _ours_to_theirs(
    {
        "心电图": "心电图 动态心电图",
        "彩超": "心脏彩超 彩超",
        "超声": "超声",
        "造影": "冠脉造影",
        "体检": "体检",
        "血常规": "血常规 血液检查",
        "心肌酶": "心肌酶",
        "ct": "CT",
        "甲状腺功能": "甲状腺功能",
        "cta": "冠脉CTA",
        "测血压": "测血压",
        "胸片": "胸片",
        "平板": "运动平板试验",
        "肾功能": "肾功能",
        "b超": "B超",
    }
)
OPERATIONS = _ours_to_theirs(
    {
        "支架": "冠脉支架植入",
        "介入": "介入治疗",
        "射频消融": "射频消融",
        "搭桥": "冠脉搭桥",
    }
)
HABITS = _ours_to_theirs(
    {
        "精神状态": "精神",
        "睡眠": "睡眠",
        "饮酒": "饮酒",
        "吸烟": "吸烟",
        "饮食": "饮食",
        "大小便": "大小便",
    }
)
DISTURBED = _ours_to_theirs(
    {
        "睡眠": "失眠",
        "精神状态": "精神差 焦虑 情绪低落 烦躁 焦虑症 抑郁症",
        "饮食": "食欲不振",
        "大小便": "便秘",
    }
)
"""Symptoms that the set writes as a disturbed general condition."""
CATEGORIES = {"examination": ("检查", EXAMINATIONS), "operation": ("手术", OPERATIONS)}
BY_WORDS = (
    ("胸痛", re.compile("心绞痛|心口"), "心绞痛"),
    ("心慌", re.compile("心率|心跳[^,，]*快"), "心律不齐"),
    ("心脏彩超", re.compile("超声"), "超声"),
    ("冠脉CTA", re.compile("ct(?!a)", re.IGNORECASE), "ct"),
)
"""Where the set tells apart what is one thing to us: our name, the words that decide, the set's name."""
_FLIPPED = {Standing.POSITIVE: Standing.NEGATIVE, Standing.NEGATIVE: Standing.POSITIVE}


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """The items of a window: category, name and status as the set writes them."""
    found = {item for one in read_window(_PROVIDER, _utterances(row["window"])) for item in _named(one)}
    known = {(category, name) for category, name, status in found if status in ("positive", "negative")}
    return {
        "items": [
            {"category": category, "name": name, "status": status}
            for category, name, status in sorted(found)
            if not (status == "unknown" and (category, name) in known)
        ]
    }


def _utterances(window: list[str]) -> list[Utterance]:
    said = []
    for line in window:
        mark = _MARK.match(line)
        speaker = Speaker.DOCTOR if mark and mark.group(1) == "医生" else Speaker.PATIENT
        said.append(Utterance(speaker=speaker, text=_MARK.sub("", line)))
    return said


def _named(item: Item) -> list[tuple[str, str, str]]:
    """The set's items for one of ours; none where the set has no name for it."""
    status = item.standing.value
    if item.kind == "habit":
        return [("一般信息", HABITS[item.name], status)]
    if item.name in DISTURBED:
        return [("一般信息", DISTURBED[item.name], _FLIPPED.get(item.standing, item.standing).value)]
    category, names = CATEGORIES.get(item.kind, ("症状", SYMPTOMS))
    name = next((theirs for ours, words, theirs in BY_WORDS if ours == item.name and words.search(item.text)), None)
    name = name or names.get(item.name)
    return [(category, name, status)] if name else []
