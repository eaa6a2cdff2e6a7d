"""The names that the public diagnosis sets (DxFormer's mz4 and mz10, IMCS-21's dxy) give to findings, in our words.

Used where the ranking is trained and where it is measured, so that both see what the product sees.
"""

from collections.abc import Mapping

OUR_NAMES = {
    "发热": "发烧",
    "鼻流涕": "流鼻涕",
    "流涕": "流鼻涕",
    "痰": "咳痰",
    "喷嚏": "打喷嚏",
    "精神软": "精神差",
    "精神萎靡": "精神差",
    "屁": "排气多",
    "放屁": "排气多",
    "嗓子沙哑": "声音嘶哑",
    "大便粘液": "黏液便",
    "气喘": "喘息",
    "喘憋": "喘息",
    "喘鸣": "喘息",
    "咳喘": "喘息",
    "喘气": "喘息",
    "干呕": "恶心",
    "反胃": "恶心",
    "疱疹": "水疱",
    "水泡": "水疱",
    "血便": "便血",
    "脓血便": "便血",
    "四肢厥冷": "四肢冰凉",
    "尿量减少": "尿少",
    "厌食": "食欲不振",
    "咽喉不适": "咽部不适",
    "咽喉痛": "咽痛",
    "肠鸣音": "肠鸣",
    "肚子咕噜叫": "肠鸣",
    "烦躁不安": "烦躁",
    "积食": "消化不良",
    "惊厥": "抽搐",
    "热惊厥": "抽搐",
    "呼吸急促": "呼吸困难",
    "睡眠障碍": "失眠",
    "口周发青": "口唇发紫",
    "口唇发绀": "口唇发紫",
    "鼻流血": "鼻出血",
    "流鼻血": "鼻出血",
    "发黄": "黄疸",
    "皮肤黄": "黄疸",
    "眼发黄": "黄疸",
    "大便干燥": "便秘",
    "气管炎": "支气管炎",
    "咽喉炎": "咽炎",
    "咽峡炎": "咽炎",
    "磨牙症": "磨牙",
    "体重减轻": "体重下降",
    "打嗝": "呃逆",
    "畏寒": "寒战",
    "急性胃肠炎": "肠胃炎",
    "胃肠道炎症": "肠胃炎",
    "C反应蛋白": "CRP",
    "拍片": "胸片",
    "肺部听诊": "听诊",
    "啰音": "肺部啰音",
    "肺部湿啰音": "肺部啰音",
    "粗糙呼吸音": "呼吸音粗",
    "粗呼吸音": "呼吸音粗",
    "脐周疼痛": "脐周痛",
    "急性上呼吸道感染": "上呼吸道感染",
    "蛋花样便": "蛋花汤样便",
    "揉鼻子": "鼻痒",
    "揉眼睛": "眼痒",
    "过敏": "过敏体质",
    "肺炎支原体肺炎": "支原体肺炎",
    "肺部阴影": "肺炎",
    "吐泡泡": "流口水",
}
"""Another word for the same finding."""

KIND_OF = {
    "低热": "发烧",
    "中等度热": "发烧",
    "高热": "发烧",
    "干咳": "咳嗽",
    "稀便": "腹泻",
    "水样便": "腹泻",
    "蛋花汤样便": "腹泻",
    "粥样便": "腹泻",
    "糊状便": "腹泻",
    "支气管肺炎": "肺炎",
    "支原体肺炎": "肺炎",
    "过敏性鼻炎": "鼻炎",
    "病毒性肠炎": "肠炎",
    "细菌性肠炎": "肠炎",
}
"""A finding that is a kind of another: where it is present, so is the other."""

_CERTAINTY = ("positive", "negative", "unknown")


def our_findings(named: Mapping[str, str]) -> dict[str, str]:
    """Findings with their status in our names; of two names for one finding the firmer statement counts."""
    ours: dict[str, str] = {}
    for name, status in named.items():
        _keep_firmer(ours, OUR_NAMES.get(name, name), status)
    for name, status in list(ours.items()):
        if status == "positive" and name in KIND_OF:
            _keep_firmer(ours, KIND_OF[name], status)
    return ours


def _keep_firmer(findings: dict[str, str], name: str, status: str) -> None:
    known = findings.get(name, status)
    findings[name] = min(known, status, key=_CERTAINTY.index)
