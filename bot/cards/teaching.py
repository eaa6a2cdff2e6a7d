"""The questions whether what is a patient's may be used for teaching, and their answers: images, and the whole case."""

import re
from dataclasses import dataclass

from backend.people import ConsentKind
from bot.messages import Choice

PROMISES = (
    "· 姓名、电话、日期都会先去掉，别人看不出是您。\n· 同意不同意，都不影响给您看病。\n· 同意以后，随时可以收回。"
)


@dataclass(frozen=True)
class Use:
    """What a patient is asked about.

    Args:
        verb: its actions begin with it. name: what people write to come to the question.
        question, agreed: what is asked, and what is said to whoever has agreed before.
        taken_back, refused: what is said of what happens to it then.
    """

    kind: ConsentKind
    verb: str
    name: str
    question: str
    agreed: str
    taken_back: str
    refused: str

    @property
    def words(self) -> re.Pattern[str]:
        """What is written to come to the question."""
        return re.compile(rf"(收回|撤回|取消)?{self.name}(同意)?[。！!]?")

    @property
    def terms(self) -> Choice:
        """The answer that shows the whole document."""
        return Choice(f"{self.verb}_terms", "看说明")

    def answers(self, version: str) -> tuple[Choice, Choice]:
        """Give yes and no to this version of the document."""
        return Choice(f"{self.verb}_agree:{version}", "可以"), Choice(f"{self.verb}_refuse", "不可以")


IMAGES = Use(
    kind=ConsentKind.TEACHING,
    verb="patient.teaching",
    name="教学用图",
    question="您拍的检查图像（比如CT片子），可以给医生和学生上课用吗？",
    agreed="您同意过把检查图像给医生和学生上课用。姓名、电话、日期都会先去掉。您随时可以收回。",
    taken_back="已经收回了，以后不会再把您的图像给别人上课用。不影响给您看病。",
    refused="好的，听您的，不会用。不影响给您看病。",
)
CASES = Use(
    kind=ConsentKind.CASES,
    verb="patient.cases",
    name="教学病例",
    question="您这次看病的经过，可以写成看不出是谁的病例，给医生学习用吗？",
    agreed="您同意过把看病的经过写成病例给医生学习。姓名、电话、日期都会先去掉。您随时可以收回。",
    taken_back="已经收回了，写好的病例马上撤下来、删掉。不影响给您看病。",
    refused="好的，听您的，不会写。不影响给您看病。",
)
USES = (IMAGES, CASES)
