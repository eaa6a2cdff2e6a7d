"""Texts as long as a message may be that nobody should write and somebody will."""

LONG_TEXTS = {
    "one sentence again and again": "咳嗽，没有发烧。",
    "no mark at all": "不发烧头痛",
    "one character": "疼",
    "one word": "胸口",
    "traditional": "發燒咳嗽頭痛",
    "drugs with slips": "阿莫西令",
    "digits": "1",
    "numbers": "血压120/80，",
    "emoji": "😀",
    "English": "I have a fever and a cough. ",
    "mixed": "孩子12345昨天fever发烧38度5😀，ｔｅｓｔ",
    "zero width": "发\u200b烧",
    "right to left": "\u202e发烧",
    "lone surrogates": "\ud800",
    "marks": "，。！？",
    "spaces": " ",
    "negations": "没有不",
    "examinations": "做了心电图提示心律不齐，",
}
"""What each repeats."""


def long_text(piece: str, length: int = 5000) -> str:
    """So many characters of `piece`, again and again."""
    return (piece * length)[:length]
