"""What single words tell of what the person wants: steering words, yes and no, and the patterns of intents."""

import re

from data.intents import SpokenIntents
from nlu.types import Asked, Command, Intent, Slot, YesNo

_TAIL = re.compile(r"[啊呀呢吧哦噢嘛啦诶哈的了~。!,.\s医生大夫]+$")
_HEAD = re.compile(r"^(?:医生|大夫|那个|呃|额|嗯[,。 ]|这个|我|他|她|宝宝|孩子|应该|好像|目前|现在|平时|[,。 ])+")
_SHORT_DENIAL = re.compile(
    r"(?:也|都|倒|就是|基本)?(?:不|没有?)(?:怎么|太|咋)?[\u4e00-\u9fff]{0,3}(?:了|啊|呢|的|过|呀)?"
)
_NUMBER_DENIED = re.compile(r"[\d一二两三四五六七八九十百半]")
_WELL = {
    "精神": frozenset({"精神差", "嗜睡", "意识不清"}),
    "胃口": frozenset({"食欲不振", "拒奶"}),
    "睡": frozenset({"失眠", "嗜睡"}),
    "呼吸": frozenset({"呼吸困难", "喘息", "胸闷", "口唇发紫"}),
}
"""What is denied by saying that this is well: 精神还好 says nothing of shivering."""
_ALL = re.compile(r"都有|全有|都是|三样都有|两样都有|都出现|全都有")


class IntentRules:
    """The patterns of the reference data, ready to match."""

    def __init__(self, spoken: SpokenIntents) -> None:
        self._intents = [(Intent(row.intent), [re.compile(p) for p in row.patterns]) for row in spoken.intents]
        self._commands = [(Command(name), re.compile(p)) for name, p in spoken.short.commands.items()]
        self._yes = re.compile(spoken.short.yes)
        self._no = re.compile(spoken.short.no)
        self._normal = re.compile(spoken.short.normal)

    def command(self, text: str) -> Command | None:
        """The steering word that the whole message is."""
        bare = _TAIL.sub("", text.strip()) or text.strip()
        for command, pattern in self._commands:
            if pattern.fullmatch(bare) or pattern.fullmatch(text.strip()):
                return command
        return None

    def yes_no(self, text: str, asked: Asked | None, *, names_other: bool = False) -> YesNo | None:
        """A bare yes, no or don't-know; to a question also one that opens the message ("没有，就是咳嗽").

        ``names_other``: the first clause names something that was not asked for, so that denying it (没发烧) is no
        denial of what was.
        """
        if self.command(text) is Command.DONT_KNOW:
            return YesNo.DONT_KNOW
        whole = self._bare_yes_no(text)
        if whole is not None or asked is None:
            return whole
        clauses = [clause for clause in re.split(r"[,。!?; ]", text.strip()) if clause]
        if not clauses:
            return None
        first = self._bare_yes_no(clauses[0])
        if first is None and asked.slot is Slot.SYMPTOM and self._denies_symptom(clauses, asked, names_other):
            return YesNo.NO
        return first

    def _denies_symptom(self, clauses: list[str], asked: Asked, names_other: bool) -> bool:
        """Whether an answer denies the symptom asked for in other words: 不疼, 还好, ……都没有."""
        first = _TAIL.sub("", clauses[0])
        denied = not names_other and not _NUMBER_DENIED.search(first) and _SHORT_DENIAL.fullmatch(first)
        if denied or (self._normal.fullmatch(first) and _is_about(first, asked)):
            return True
        return clauses[-1].startswith("都没") and self._no.fullmatch(_TAIL.sub("", clauses[-1])) is not None

    def _bare_yes_no(self, text: str) -> YesNo | None:
        bare = text.strip(" ,。!~.?;")
        for form in (bare, _TAIL.sub("", bare), _HEAD.sub("", _TAIL.sub("", bare))):
            if form and self._no.fullmatch(form):
                return YesNo.NO
            if form and self._yes.fullmatch(form):
                return YesNo.YES
        return None

    def says_all(self, text: str) -> bool:
        """Whether a question with several choices is answered with all of them."""
        return _ALL.search(text) is not None

    def named(self, text: str) -> tuple[Intent, ...]:
        """The intents whose patterns the message shows, the surest first."""
        stripped = text.strip()
        return tuple(
            intent for intent, patterns in self._intents if any(pattern.search(stripped) for pattern in patterns)
        )


def _is_about(text: str, asked: Asked) -> bool:
    """Whether a statement that something is well is one about what was asked; one that names nothing always is."""
    named = [symptoms for word, symptoms in _WELL.items() if word in text]
    return not named or any(symptoms & set(asked.values) for symptoms in named)
